"""The tile plan: where to read, and which part of each tile counts. A small image is a plan of one tile."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cellmetry.core.image import Box
from cellmetry.errors import ParameterError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

__all__ = ["CLOSED", "Sides", "Tile", "grow", "open_sides", "plan_tiles", "touches_edge", "touches_sides"]


class Tile(NamedTuple):
    """One tile: it owns the objects whose first pixel lies in `core`, and reads `read` to see them whole."""

    core: Box
    read: Box


def grow(box: Box, margin: int, shape: tuple[int, int], align: int = 1) -> Box:
    """Return `box` grown by `margin` on every side, cut at the plane, its start moved back to a multiple of `align`."""
    y0, x0 = max(0, box.y0 - margin) // align * align, max(0, box.x0 - margin) // align * align
    return Box(y0, min(shape[0], box.y1 + margin), x0, min(shape[1], box.x1 + margin))


def plan_tiles(shape: tuple[int, int], size: int, margin: int, align: int = 1) -> Iterator[Tile]:
    """Yield the tiles of a plane in raster order; their cores cover every pixel once.

    Parameters
    ----------
    shape
        Height and width of the plane.
    size
        Side of a core in pixels, rounded up to a multiple of `align`.
    margin
        Pixels read around a core.
    align
        Read regions start at multiples of this.
    """
    if size < 1 or margin < 0 or align < 1:
        raise ParameterError(f"A tile needs a size and an alignment of at least 1, not {size} and {align}.")
    step = -(-size // align) * align
    for y0 in range(0, shape[0], step):
        for x0 in range(0, shape[1], step):
            core = Box(y0, min(y0 + step, shape[0]), x0, min(x0 + step, shape[1]))
            yield Tile(core, grow(core, margin, shape, align))


class Sides(NamedTuple):
    """Something that holds, or not, at each side of an array."""

    top: bool
    bottom: bool
    left: bool
    right: bool


CLOSED = Sides(top=False, bottom=False, left=False, right=False)


def open_sides(box: Box, shape: tuple[int, int]) -> Sides:
    """Return beyond which sides of `box` a plane of this shape goes on."""
    return Sides(top=box.y0 > 0, bottom=box.y1 < shape[0], left=box.x0 > 0, right=box.x1 < shape[1])


def touches_sides(labels: NDArray[np.int32], sides: Sides) -> NDArray[np.bool_]:
    """Return for each id whether it touches one of these sides of the array."""
    edges = [
        labels[0] if sides.top else labels[:0],
        labels[-1] if sides.bottom else labels[:0],
        labels[:, 0] if sides.left else labels[:, :0],
        labels[:, -1] if sides.right else labels[:, :0],
    ]
    touched = np.zeros(int(labels.max(initial=0)) + 1, bool)
    touched[np.concatenate([edge.ravel() for edge in edges])] = True
    touched[0] = False
    return touched


def touches_edge(labels: NDArray[np.int32], box: Box, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Return for each id whether it touches an edge of `box` that is not an edge of the plane."""
    return touches_sides(labels, open_sides(box, shape))
