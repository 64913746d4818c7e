"""What is doubtful in labels by a network's maps: cells that may be missed, joined, cut or none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from scipy.ndimage import find_objects

from cellmetry.core.image import Box
from cellmetry.ops.flows import decode_flows, flow_errors

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from cellmetry.ops.flows import FlowDecoding

__all__ = ["Doubt", "DoubtKind", "find_doubts"]

DoubtKind = Literal["missed", "joined", "part or none", "outline"]
_LEAST_CHANGE = 0.15
_BAD_FLOW = 0.5
_LOWER = 0.4
_FREE = 0.7
_LEAST_AREA = 0.25
"""Part of the usual area that a missed cell has at least."""


class Doubt(NamedTuple):
    """A place where labels and a network disagree.

    Parameters
    ----------
    label
        The object, 0 where one may be missed.
    change
        By how much the count is expected to change if a person looks: cells that the network sees there, less those
        that are labelled.
    wrong
        How probable it is that the object has another outline, from 0 to 1.
    """

    kind: DoubtKind
    label: int
    box: Box
    area_px: int
    change: float
    wrong: float


def find_doubts(labels: NDArray[np.int32], maps: dict[str, NDArray[np.float32]], decoding: FlowDecoding) -> list[Doubt]:
    """Return what is doubtful in the labels of a plane or a part of it.

    Parameters
    ----------
    labels
        Ids 1 to n.
    maps
        By head: foreground (1, Y, X), flow (2, Y, X), and density (1, Y, X) where there is one, of the same pixels.
    """
    return [*_of_objects(labels, maps), *_missed(labels, maps, decoding)]


def _of_objects(labels: NDArray[np.int32], maps: dict[str, NDArray[np.float32]]) -> Iterator[Doubt]:
    flat = labels.ravel()
    areas = np.bincount(flat, minlength=2)
    errors = flow_errors(labels, maps["flow"])
    probable = np.bincount(flat, weights=maps["foreground"][0].ravel(), minlength=2) / np.maximum(areas, 1)
    cells = _cells_in(labels, maps)
    rim = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
    boxes = _boxes(labels)
    usual = float(np.median(areas[1:][areas[1:] > 0])) if (areas[1:] > 0).any() else 1.0
    for label in np.flatnonzero(areas[1:]) + 1:
        cut = bool(np.isin(label, rim))
        change = float(np.clip(cells[label] - 1, -1, 4))
        if change < 0:
            change = 0.0 if cut else change * float(np.clip(1.5 - probable[label], 0, 1))
        wrong = float(np.clip(errors[label] / 2 + (1 - probable[label]) / 2, 0, 1))
        if areas[label] > 3 * usual or areas[label] < usual / 6:
            wrong = max(wrong, 0.5)
        if abs(change) < _LEAST_CHANGE and errors[label] < _BAD_FLOW and wrong < 0.5:
            continue
        kind: DoubtKind = "outline"
        if abs(change) >= _LEAST_CHANGE:
            kind = "joined" if change > 0 else "part or none"
        yield Doubt(kind, int(label), boxes[int(label)], int(areas[label]), round(change, 3), round(wrong, 3))


def _cells_in(labels: NDArray[np.int32], maps: dict[str, NDArray[np.float32]]) -> NDArray[np.float64]:
    """Return how many cells the network sees in each id; its foreground's mean where it makes no density."""
    weights = maps["density" if "density" in maps else "foreground"][0].ravel()
    sums: NDArray[np.float64] = np.bincount(labels.ravel(), weights=weights, minlength=2).astype(np.float64)
    if "density" in maps:
        return sums
    return np.minimum(sums / np.maximum(np.bincount(labels.ravel(), minlength=2), 1), 1)


def _missed(labels: NDArray[np.int32], maps: dict[str, NDArray[np.float32]], decoding: FlowDecoding) -> Iterator[Doubt]:
    """Yield what the network sees at a lower threshold where nothing is labelled."""
    lower = decoding.model_copy(
        update={"foreground_threshold": decoding.foreground_threshold * _LOWER, "max_flow_error": None, "joining": None}
    )
    seen = decode_flows(maps["foreground"][0], maps["flow"], lower)
    areas = np.bincount(seen.ravel(), minlength=2)
    free = np.bincount(seen.ravel(), weights=(labels == 0).ravel(), minlength=2)
    probable = np.bincount(seen.ravel(), weights=maps["foreground"][0].ravel(), minlength=2) / np.maximum(areas, 1)
    cells = np.minimum(_cells_in(seen, maps), 1)
    here = np.bincount(labels.ravel())[1:]
    least = _LEAST_AREA * float(np.median(here[here > 0])) if (here > 0).any() else decoding.min_area_px
    boxes = _boxes(seen)
    for label in np.flatnonzero(areas[1:]) + 1:
        change = float(cells[label])
        if free[label] < _FREE * areas[label] or areas[label] < least or change < _LEAST_CHANGE:
            continue
        yield Doubt(
            "missed", 0, boxes[int(label)], int(areas[label]), round(change, 3), round(float(probable[label]), 3)
        )


def _boxes(labels: NDArray[np.int32]) -> dict[int, Box]:
    found = enumerate(find_objects(labels), start=1)
    return {label: Box(y.start, y.stop, x.start, x.stop) for label, (y, x) in ((n, at) for n, at in found if at)}
