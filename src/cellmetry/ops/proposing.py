"""A cell proposed at a point, from a network's foreground and flow: what a click means where no label is yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import cc3d
import numpy as np
from scipy.ndimage import binary_fill_holes

from cellmetry.ops.flows import decode_flows, flow_errors

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from cellmetry.ops.flows import FlowDecoding

__all__ = ["ProposedCell", "propose_cell"]

_LOWER = (1.0, 0.6, 0.3, 0.12)
"""Parts of the model's threshold that are tried, one after the other, until something is at the point."""
_LEAST_FREE = 0.5
"""Part of a cell that must be free of labels, that it is not one of those."""


class ProposedCell(NamedTuple):
    """A cell in a window.

    Parameters
    ----------
    mask
        (Y, X) of the window; one piece without holes, outside all labels.
    score
        From 0 to 1: how probable its pixels are foreground, less what its flow says otherwise.
    """

    mask: NDArray[np.bool_]
    score: float


def propose_cell(
    maps: dict[str, NDArray[np.float32]],
    point: tuple[int, int],
    taken: NDArray[np.bool_],
    decoding: FlowDecoding,
    *,
    reach_px: int = 6,
) -> ProposedCell | None:
    """Return the cell at a point of a window, None where the network sees none.

    The threshold is lowered step by step until there is a cell at the point, or within `reach_px` of it: faint cells
    are what people click.

    Parameters
    ----------
    maps
        By head: foreground (1, Y, X), flow (2, Y, X), and density (1, Y, X) where there is one.
    point
        Row and column.
    taken
        (Y, X): pixels that have a label already.
    """
    for labels in _readings(maps, taken, decoding):
        free = np.where(taken, 0, labels)
        found = _at(free, point, reach_px)
        if found and (free == found).sum() >= _LEAST_FREE * (labels == found).sum():
            mask = _one_piece(free == found, point)
            return ProposedCell(mask & ~taken, _score(mask, maps))
    return None


def _readings(
    maps: dict[str, NDArray[np.float32]], taken: NDArray[np.bool_], decoding: FlowDecoding
) -> Iterator[NDArray[np.int32]]:
    """Yield labels of the window, first as the model means them, then with what is free alone and lower thresholds."""
    density = maps["density"][0] if "density" in maps else None
    yield decode_flows(maps["foreground"][0], maps["flow"], decoding, density=density)
    foreground = np.where(taken, np.float32(0), maps["foreground"][0])
    if not taken.any():
        foreground = maps["foreground"][0]
    for part in _LOWER:
        lower = decoding.model_copy(
            update={"foreground_threshold": decoding.foreground_threshold * part, "max_flow_error": None}
        )
        yield decode_flows(foreground, maps["flow"], lower, density=density)
        yield decode_flows(foreground, maps["flow"], lower)


def _at(labels: NDArray[np.int32], point: tuple[int, int], reach: int) -> int:
    """Return the id at a point, or the nearest one within reach; 0 if there is none."""
    y, x = point
    if labels[y, x]:
        return int(labels[y, x])
    y0, x0 = max(0, y - reach), max(0, x - reach)
    near = labels[y0 : y + reach + 1, x0 : x + reach + 1]
    rows, columns = np.nonzero(near)
    if not rows.size:
        return 0
    squares = (rows + y0 - y) ** 2 + (columns + x0 - x) ** 2
    nearest = int(np.argmin(squares))
    return int(near[rows[nearest], columns[nearest]]) if squares[nearest] <= reach**2 else 0


def _one_piece(mask: NDArray[np.bool_], point: tuple[int, int]) -> NDArray[np.bool_]:
    """Return the piece at the point, else the largest, its holes filled."""
    pieces = cc3d.connected_components(mask, connectivity=4)
    own = int(pieces[point]) or int(np.argmax(np.bincount(pieces.ravel())[1:])) + 1
    return np.asarray(binary_fill_holes(pieces == own))


def _score(mask: NDArray[np.bool_], maps: dict[str, NDArray[np.float32]]) -> float:
    error = float(flow_errors(mask.astype(np.int32), maps["flow"])[1])
    probable = float(maps["foreground"][0][mask].mean())
    return round(float(np.clip(probable * (1 - error / 4), 0, 1)), 3)
