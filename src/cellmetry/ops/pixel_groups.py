"""Pixels sorted by the region they lie in, in one pass, so that what numpy does to an array is done to each region."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import fastremap
import numpy as np
from numba import njit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

__all__ = ["PixelGroups", "group_pixels", "ids_in"]


class PixelGroups(NamedTuple):
    """The values of region ``ids[k]`` are ``values[start[k]:start[k + 1]]``, in reading order."""

    ids: NDArray[np.uint32]
    start: NDArray[np.int64]
    values: NDArray[Any]

    def each(self) -> Iterator[NDArray[Any]]:
        """Yield the values of each region, in the order of `ids`."""
        for k in range(len(self.ids)):
            yield self.values[self.start[k] : self.start[k + 1]]


def ids_in(labels: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Return the ids that occur, in rising order, without 0."""
    found: NDArray[np.uint32] = fastremap.unique(np.ascontiguousarray(labels))
    return found[found > 0]


@njit(cache=True, nogil=True)
def _count(values: Any, regions: Any, valid: Any, ids: Any) -> Any:
    start = np.zeros(ids.size + 1, np.int64)
    last, k = regions.dtype.type(0), 0
    for i in range(values.size):
        label = regions[i]
        if label == 0 or not valid[i] or not np.isfinite(values[i]):
            continue
        if label != last:
            last, k = label, np.searchsorted(ids, label)
        start[k + 1] += 1
    return np.cumsum(start)


@njit(cache=True, nogil=True)
def _fill(values: Any, regions: Any, valid: Any, ids: Any, start: Any) -> Any:
    out = np.empty(start[-1], values.dtype)
    at = start.copy()
    last, k = regions.dtype.type(0), 0
    for i in range(values.size):
        label = regions[i]
        if label == 0 or not valid[i] or not np.isfinite(values[i]):
            continue
        if label != last:
            last, k = label, np.searchsorted(ids, label)
        out[at[k]] = values[i]
        at[k] += 1
    return out


def group_pixels(values: NDArray[Any], regions: NDArray[np.uint32], valid: NDArray[np.bool_]) -> PixelGroups:
    """Return the values of each region's pixels that are valid and finite; all regions are listed, also empty ones.

    Parameters
    ----------
    values, regions, valid
        Of one shape. `regions` holds ids, 0 where there is none.
    """
    ids = ids_in(regions)
    flat = (np.ascontiguousarray(values).ravel(), np.ascontiguousarray(regions).ravel(), np.ravel(valid))
    start = _count(*flat, ids)
    return PixelGroups(ids, start, _fill(*flat, ids, start))
