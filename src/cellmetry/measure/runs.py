"""Objects as runs: stretches of pixels of one label in a row, sorted by object and, within it, in raster order.

All features are made from runs, so that each pixel is looked at in an order which depends on nothing but its
object, and a sparse object costs no more than its pixels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Extents", "Runs", "extents_and_areas", "extents_of", "merge_extents", "places_of", "runs_of"]

_TABLE_LIMIT = 1 << 24


class Runs(NamedTuple):
    """Runs of objects 0, 1, …: those of object k are ``start[k]`` to ``start[k + 1]``.

    Run i covers the pixels ``[z[i], y[i], x0[i]:x1[i]]``, in the coordinates of the array they were found in.
    """

    start: NDArray[np.int64]
    z: NDArray[np.int32]
    y: NDArray[np.int32]
    x0: NDArray[np.int32]
    x1: NDArray[np.int32]


class Extents(NamedTuple):
    """Ids in rising order with their bounding boxes, half open; `low` and `high` have rows (z, y, x)."""

    ids: NDArray[np.uint32]
    low: NDArray[np.int64]
    high: NDArray[np.int64]


@njit(cache=True, nogil=True)
def _count_runs(labels: Any) -> int:
    count = 0
    for z in range(labels.shape[0]):
        for y in range(labels.shape[1]):
            row = labels[z, y]
            last = row.dtype.type(0)
            for x in range(row.size):
                count += (row[x] != last) and (row[x] != 0)
                last = row[x]
    return count


@njit(cache=True, nogil=True)
def _find_runs(labels: Any, count: int) -> Any:
    ids = np.empty(count, np.uint32)
    spans = np.empty((4, count), np.int32)
    at = 0
    for z in range(labels.shape[0]):
        for y in range(labels.shape[1]):
            row = labels[z, y]
            x = 0
            while x < row.size:
                value = row[x]
                begin = x
                x += 1
                while x < row.size and row[x] == value:
                    x += 1
                if value != 0:
                    ids[at] = value
                    spans[0, at], spans[1, at], spans[2, at], spans[3, at] = z, y, begin, x
                    at += 1
    return ids, spans


@njit(cache=True, nogil=True)
def _extents(index: Any, spans: Any, low: Any, high: Any) -> None:
    for i in range(index.size):
        k = index[i]
        z, y = spans[0, i], spans[1, i]
        low[k, 0], high[k, 0] = min(low[k, 0], z), max(high[k, 0], z + 1)
        low[k, 1], high[k, 1] = min(low[k, 1], y), max(high[k, 1], y + 1)
        low[k, 2], high[k, 2] = min(low[k, 2], spans[2, i]), max(high[k, 2], spans[3, i])


@njit(cache=True, nogil=True)
def _order(index: Any, count: int) -> Any:
    start = np.zeros(count + 1, np.int64)
    for k in index:
        if k >= 0:
            start[k + 1] += 1
    for k in range(count):
        start[k + 1] += start[k]
    following = start[:-1].copy()
    order = np.empty(start[count], np.int64)
    for i in range(index.size):
        k = index[i]
        if k >= 0:
            order[following[k]] = i
            following[k] += 1
    return start, order


def _compact(ids: NDArray[np.uint32]) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """Return the different ids in rising order, and for each of `ids` its place among them."""
    if ids.size == 0:
        return np.empty(0, np.uint32), np.empty(0, np.int64)
    high = int(ids.max())
    if high >= _TABLE_LIMIT:
        unique, index = np.unique(ids, return_inverse=True)
        return unique, index
    present = np.zeros(high + 1, np.bool_)
    present[ids] = True
    unique = np.flatnonzero(present).astype(np.uint32)
    return unique, places_of(unique, ids)


def places_of(known: NDArray[np.uint32], ids: NDArray[np.uint32]) -> NDArray[np.int64]:
    """Return for each of `ids` its place in `known` (rising), -1 where it is not there."""
    if known.size == 0 or ids.size == 0:
        return np.full(ids.shape, -1, np.int64)
    high = int(max(known[-1], ids.max()))
    if high < _TABLE_LIMIT:
        table = np.full(high + 1, -1, np.int64)
        table[known] = np.arange(known.size)
        return table[ids]
    place = np.minimum(np.searchsorted(known, ids), known.size - 1)
    return np.where(known[place] == ids, place, -1)


def extents_of(labels: NDArray[Any], origin: tuple[int, int, int] = (0, 0, 0)) -> Extents:
    """Return the bounding boxes of all labels in an array of shape (Z, Y, X) whose first pixel lies at `origin`."""
    return extents_and_areas(labels, origin)[0]


def extents_and_areas(
    labels: NDArray[Any], origin: tuple[int, int, int] = (0, 0, 0)
) -> tuple[Extents, NDArray[np.int64]]:
    """Return the bounding boxes of all labels in an array of shape (Z, Y, X), and their numbers of pixels."""
    ids, spans = _find_runs(labels, _count_runs(labels))
    unique, index = _compact(ids)
    low = np.full((unique.size, 3), np.iinfo(np.int64).max)
    high = np.zeros((unique.size, 3), np.int64)
    _extents(index, spans, low, high)
    areas = np.bincount(index, spans[3] - spans[2], unique.size).astype(np.int64)
    return Extents(unique, low + np.array(origin), high + np.array(origin)), areas


def merge_extents(parts: list[Extents]) -> Extents:
    """Return one entry for each id that occurs in any of `parts`, with the box around all its parts."""
    ids = np.concatenate([part.ids for part in parts])
    if ids.size == 0:
        return Extents(np.empty(0, np.uint32), np.empty((0, 3), np.int64), np.empty((0, 3), np.int64))
    order = np.argsort(ids, kind="stable")
    unique, first = np.unique(ids[order], return_index=True)
    low = np.concatenate([part.low for part in parts])[order]
    high = np.concatenate([part.high for part in parts])[order]
    return Extents(unique, np.minimum.reduceat(low, first), np.maximum.reduceat(high, first))


def runs_of(labels: NDArray[Any], ids: NDArray[np.uint32]) -> Runs:
    """Return the runs of the objects `ids` (rising) in an array of shape (Z, Y, X)."""
    found, spans = _find_runs(labels, _count_runs(labels))
    start, order = _order(places_of(ids, found), ids.size)
    z, y, x0, x1 = spans[:, order]
    return Runs(start, z, y, x0, x1)
