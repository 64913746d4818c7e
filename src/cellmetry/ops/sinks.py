"""Sinks: the few places where the paths of many pixels end, and which pixel belongs to which."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["assign_sinks"]


def assign_sinks(inside: NDArray[np.bool_], ends: NDArray[np.int32], radius_px: int) -> NDArray[np.int32]:
    """Return for each foreground pixel the number, from 1 in raster order, of the sink where its path ends.

    The arrivals at each pixel are counted and smoothed; from where a path ends it climbs, `radius_px` at a time,
    to the highest count around (of equals the first in raster order), and the pixel where it can climb no
    further is its sink.

    Parameters
    ----------
    inside
        Foreground, shape (Y, X).
    ends
        Flat index of the pixel where each pixel's path ends, -1 on background, shape (Y·X,).
    """
    arrivals = _count(ends, inside.shape[0], inside.shape[1])
    return _assign(inside, ends, _smooth(arrivals), radius_px)


@njit(cache=True, nogil=True)
def _count(ends: NDArray[np.int32], height: int, width: int) -> NDArray[np.int64]:  # pragma: no cover - compiled
    arrivals = np.zeros(height * width, np.int64)
    for index in range(ends.size):
        if ends[index] >= 0:
            arrivals[ends[index]] += 1
    return arrivals.reshape(height, width)


@njit(cache=True, nogil=True)
def _smooth(arrivals: NDArray[np.int64]) -> NDArray[np.int64]:  # pragma: no cover - compiled
    """Return the counts weighted 1-2-3-2-1 along both axes, in whole numbers and so exactly; few are not 0."""
    height, width = arrivals.shape
    out = np.zeros((height, width), np.int64)
    for y in range(height):
        for x in range(width):
            if arrivals[y, x]:
                for v in range(max(0, y - 2), min(height, y + 3)):
                    for u in range(max(0, x - 2), min(width, x + 3)):
                        out[v, u] += (3 - abs(v - y)) * (3 - abs(u - x)) * arrivals[y, x]
    return out


@njit(cache=True, nogil=True)
def _assign(
    inside: NDArray[np.bool_], ends: NDArray[np.int32], heights: NDArray[np.int64], radius: int
) -> NDArray[np.int32]:  # pragma: no cover - compiled
    sink = np.full(ends.size, -1, np.int64)
    for index in range(ends.size):
        if ends[index] >= 0 and sink[ends[index]] < 0:
            _climb(inside, heights, radius, ends[index], sink)
    number = np.zeros(ends.size, np.int32)
    for index in range(ends.size):
        if ends[index] >= 0:
            number[sink[ends[index]]] = 1
    count = 0
    for index in range(ends.size):
        if number[index]:
            count += 1
            number[index] = count
    labels = np.zeros(ends.size, np.int32)
    for index in range(ends.size):
        if ends[index] >= 0:
            labels[index] = number[sink[ends[index]]]
    return labels.reshape(inside.shape)


@njit(cache=True, nogil=True)
def _climb(
    inside: NDArray[np.bool_], heights: NDArray[np.int64], radius: int, start: int, sink: NDArray[np.int64]
) -> None:  # pragma: no cover - compiled
    """Fill in `sink` for the pixels on the way up from `start`."""
    here = start
    while sink[here] < 0:
        above = _highest(inside, heights, radius, here)
        if above == here:
            sink[here] = here
        else:
            here = above
    top, here = sink[here], start
    while sink[here] < 0:
        above = _highest(inside, heights, radius, here)
        sink[here] = top
        here = above


@njit(cache=True, nogil=True)
def _highest(
    inside: NDArray[np.bool_], heights: NDArray[np.int64], radius: int, index: int
) -> int:  # pragma: no cover - compiled
    height, width = inside.shape
    y, x = index // width, index % width
    best, top = index, heights[y, x]
    for v in range(max(0, y - radius), min(height, y + radius + 1)):
        for u in range(max(0, x - radius), min(width, x + radius + 1)):
            at = v * width + u
            if inside[v, u] and (heights[v, u] > top or (heights[v, u] == top and at < best)):
                best, top = at, heights[v, u]
    return best
