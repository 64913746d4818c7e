"""Order statistics of one channel in each object: median, percentiles, mode."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cellmetry.measure.blocks import Block

__all__ = ["mode_and_median", "order_statistics"]


@njit(cache=True, nogil=True)
def _gather(image: Any, runs: Any, k: int, values: Any) -> int:
    """Write the finite pixels of object k into `values` and return their number."""
    start, z, y, x0, x1 = runs
    n = 0
    for i in range(start[k], start[k + 1]):
        for x in range(x0[i], x1[i]):
            value = image[z[i], y[i], x]
            if np.isfinite(value):
                values[n] = value
                n += 1
    return n


@njit(cache=True, nogil=True)
def _interpolate(ordered: Any, share: float) -> Any:
    at = share * (ordered.size - 1)
    below = int(np.floor(at))
    above = min(below + 1, ordered.size - 1)
    return ordered[below] + (np.float64(ordered[above]) - ordered[below]) * (at - below)


@njit(cache=True, nogil=True)
def _sort_whole(values: Any, counts: Any) -> bool:
    """Sort whole numbers in place by counting them; return False, with nothing done, where they lie too far apart."""
    low, high = int(values.min()), int(values.max())
    if high - low >= 16 * values.size:
        return False
    counts[: high - low + 1] = 0
    for value in values:
        counts[int(value) - low] += 1
    at = 0
    for offset in range(high - low + 1):
        for _ in range(counts[offset]):
            values[at] = low + offset
            at += 1
    return True


@njit(cache=True, nogil=True)
def _order_statistics(image: Any, runs: Any, shares: Any, largest: int, whole: bool) -> Any:
    """Return per object the value at each of `shares` of the sorted pixels, interpolated linearly."""
    start = runs[0]
    out = np.full((start.size - 1, shares.size), np.nan)
    buffer = np.empty(largest, image.dtype)
    counts = np.zeros(65536 if whole else 1, np.int64)
    for k in range(start.size - 1):
        n = _gather(image, runs, k, buffer)
        if n == 0:
            continue
        values = buffer[:n]
        if not whole or not _sort_whole(values, counts):
            values.sort()
        for j in range(shares.size):
            out[k, j] = _interpolate(values, shares[j])
    return out


@njit(cache=True, nogil=True)
def _sorted(image: Any, runs: Any, k: int) -> Any:
    """Return the finite pixels of object k in rising order."""
    start, _, _, x0, x1 = runs
    size = 0
    for i in range(start[k], start[k + 1]):
        size += x1[i] - x0[i]
    values = np.empty(size, image.dtype)
    values = values[: _gather(image, runs, k, values)]
    values.sort()
    return values


@njit(cache=True, nogil=True)
def _mode_and_median(image: Any, runs: Any, whole: bool) -> Any:
    """Return per object the most frequent value (the lowest of several) and the middle one.

    Of an even number of whole values the middle one is the upper of two, of other values the mean of the two.
    """
    start = runs[0]
    out = np.full((start.size - 1, 2), np.nan)
    for k in range(start.size - 1):
        values = _sorted(image, runs, k)
        n = values.size
        if n == 0:
            continue
        best = length = 0
        for j in range(n):
            length = length + 1 if j and values[j] == values[j - 1] else 1
            if length > best:
                best, out[k, 0] = length, values[j]
        out[k, 1] = values[n // 2]
        if not whole and n % 2 == 0:
            out[k, 1] = (out[k, 1] + values[n // 2 - 1]) / 2
    return out


def order_statistics(block: Block, pixels: NDArray[Any], shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the values at `shares` (0 to 1) of each object's sorted pixels, one row an object."""
    largest = int(max(1, block.areas.max(initial=0)))
    out: NDArray[np.float64] = _order_statistics(pixels, block.runs, shares, largest, pixels.dtype.kind == "u")
    return out


def mode_and_median(block: Block, pixels: NDArray[Any]) -> NDArray[np.float64]:
    """Return ImageJ's mode and median of each object, one row each."""
    out: NDArray[np.float64] = _mode_and_median(pixels, block.runs, pixels.dtype.kind == "u")
    return out
