"""Two label images of one field drawn over each other: what stayed, what came, what went."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cellmetry.report.colours import colour_bytes
from cellmetry.report.outlines import draw_outlines, map_objects
from cellmetry.report.rendering import enlarged

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["DIFFERENCE_COLOURS", "draw_difference"]

DIFFERENCE_COLOURS = {"both": "#8794a5", "before": "#ffb000", "after": "#35b6ff"}
"""Of pixels and outlines that both have, only the first, only the second; told apart by colour-blind readers."""

_GROUND = "#1c2026"
_FILL = 0.45
_LARGEST = 900


def draw_difference(before: NDArray[Any], after: NDArray[Any]) -> NDArray[np.uint8]:
    """Return a picture of two label planes of equal shape, uint8 (Y, X, 3), large ones thinned to 900 pixels.

    Pixels of both are grey, those of the first only amber, of the second only blue. An outline is grey where both have
    an object of exactly these pixels, else amber or blue.
    """
    every = max(1, -(-max(before.shape) // _LARGEST))
    times = max(1, _LARGEST // 2 // max(before.shape))
    first, second = (np.ascontiguousarray(plane[::every, ::every], np.uint32) for plane in (before, after))
    same = _same_objects(first, second)
    picture = _filled(first > 0, second > 0)
    picture, first, second, same = (enlarged(plane, times) for plane in (picture, first, second, same))
    for labels, kind in ((first, "before"), (second, "after")):
        picture = _outlined(picture, np.where(same, 0, labels), DIFFERENCE_COLOURS[kind])
    return _outlined(picture, np.where(same, second, 0), DIFFERENCE_COLOURS["both"])


def _same_objects(first: NDArray[np.uint32], second: NDArray[np.uint32]) -> NDArray[np.bool_]:
    """Return the pixels of objects that have the same pixels in both planes."""
    keys = first.astype(np.uint64) << np.uint64(32) | second
    kinds, places = np.unique(keys, return_inverse=True)
    ids = np.stack([kinds >> np.uint64(32), kinds & np.uint64(0xFFFFFFFF)])
    alone = [np.isin(side, _occurring_once(side)) for side in ids]
    kept = alone[0] & alone[1] & (ids > 0).all(axis=0)
    return np.asarray(kept[places.reshape(first.shape)])


def _occurring_once(ids: NDArray[np.uint64]) -> NDArray[np.uint64]:
    values, counts = np.unique(ids, return_counts=True)
    return np.asarray(values[counts == 1])


def _filled(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> NDArray[np.uint8]:
    ground = colour_bytes(_GROUND).astype(np.float64)
    picture = np.broadcast_to(ground, (*first.shape, 3)).copy()
    for kind, where in (("both", first & second), ("before", first & ~second), ("after", second & ~first)):
        share = _FILL * (0.6 if kind == "both" else 1.6)
        picture[where] += share * (colour_bytes(DIFFERENCE_COLOURS[kind]) - ground)
    return np.rint(picture).astype(np.uint8)


def _outlined(picture: NDArray[np.uint8], labels: NDArray[Any], colour: str) -> NDArray[np.uint8]:
    objects = map_objects(np.ascontiguousarray(labels, np.uint32))
    return draw_outlines(picture, objects, np.tile(colour_bytes(colour), (len(objects.ids), 1)), width=1.5)
