"""Linking the labels of neighbouring planes into objects in space, by how much they overlap."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

import numpy as np

from cellmetry.errors import ParameterError
from cellmetry.ops.matching import best_pairs
from cellmetry.ops.overlaps import count_overlaps

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

__all__ = ["link_planes"]


def link_planes(
    planes: Iterable[NDArray[Any]], *, min_iou: float = 0.25, max_gap: int = 0
) -> Iterator[NDArray[np.uint32]]:
    """Yield each plane with ids that run through the stack: objects that overlap from plane to plane are one.

    Between two planes the objects are paired one to one, with the largest summed IoU; a pair below `min_iou` is
    not linked. Ids are numbered from 1 as objects first appear. Only ``max_gap + 2`` planes are held at a time.

    Parameters
    ----------
    planes
        Labels, shape (Y, X) each, in order of Z.
    min_iou
        Least intersection over union of two outlines of one object in neighbouring planes.
    max_gap
        Planes in a row, 0 or 1, from which an object may be missing.
    """
    if not 0 < min_iou <= 1:
        raise ParameterError(f"The IoU that links planes must be above 0 and at most 1, not {min_iou}.")
    if max_gap not in (0, 1):
        raise ParameterError(f"An object may be missing from 0 or 1 planes, not {max_gap}.")
    open_ends: deque[NDArray[np.uint32]] = deque(maxlen=max_gap + 1)
    count = 0
    for plane in planes:
        ids, index = np.unique(plane, return_inverse=True)
        objects = index.reshape(plane.shape).astype(np.uint32) + np.uint32(ids.size > 0 and ids[0] != 0)
        names = _continued(open_ends, objects, min_iou)
        new = np.flatnonzero(names == 0)[1:]
        names[new] = np.arange(count + 1, count + 1 + new.size)
        count += new.size
        for earlier in open_ends:
            earlier[np.isin(earlier, names)] = 0
        open_ends.appendleft(names[objects])
        yield open_ends[0].copy()


def _continued(
    open_ends: Iterable[NDArray[np.uint32]], objects: NDArray[np.uint32], min_iou: float
) -> NDArray[np.uint32]:
    """Return for each object, numbered from 0 for background, the id of the one that it continues, or 0."""
    names = np.zeros(int(objects.max(initial=0)) + 1, np.uint32)
    for earlier in open_ends:
        overlaps = count_overlaps(earlier, np.where(names[objects] == 0, objects, 0))
        near = np.flatnonzero(overlaps.iou >= min_iou)
        rows, columns = overlaps.rows[near], overlaps.columns[near]
        pairs = best_pairs(rows, columns, overlaps.iou[near], per_pair=0.0)
        names[overlaps.second_ids[columns[pairs]]] = overlaps.first_ids[rows[pairs]]
    return names
