"""Tracing: the outlines of an object along the sides of its pixels, as polygons with whole coordinates."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

__all__ = ["perimeter_counts"]

_DY = np.array([1, 0, -1, 0])
_DX = np.array([0, 1, 0, -1])
_LEFT_Y = np.array([0, -1, -1, 0])
_LEFT_X = np.array([0, 0, -1, -1])
_RIGHT_Y = np.array([0, 0, -1, -1])
_RIGHT_X = np.array([-1, 0, 0, -1])


@njit(cache=True, nogil=True)
def _run_at(y: Any, x0: Any, begin: int, end: int, row: Any, column: Any) -> int:
    """Return the run of an object (sorted by row and column) that begins at a pixel."""
    low, high = begin, end - 1
    while low < high:
        middle = (low + high) // 2
        if y[middle] < row or (y[middle] == row and x0[middle] < column):
            low = middle + 1
        else:
            high = middle
    return low


@njit(cache=True, nogil=True)
def _turn(padded: Any, label: Any, y: Any, x: Any, heading: Any) -> Any:
    """Return the next heading at corner (y, x), the object on the left hand; pixels that touch at a corner join."""
    if padded[y + _RIGHT_Y[heading] + 1, x + _RIGHT_X[heading] + 1] == label:
        return (heading + 3) % 4
    if padded[y + _LEFT_Y[heading] + 1, x + _LEFT_X[heading] + 1] == label:
        return heading
    return (heading + 1) % 4


@njit(cache=True, nogil=True)
def _trace(padded: Any, label: Any, runs: Any, which: Any, seen: Any, sides: Any) -> int:
    """Write the lengths of an outline's sides, beginning with the left side of run `which[1]`; return their number.

    Headings: 0 down, 1 right, 2 up, 3 left. Sides alternate between vertical and horizontal. The first run in
    raster order that an outline has on its right begins with a corner, so no side is cut in two.
    """
    start, _, y, x0, _ = runs
    k, first = which
    row, column, heading = np.int64(y[first]), np.int64(x0[first]), 0
    begin_row, begin_column = row, column
    n = 0
    length = 0
    while True:
        if heading == 0:
            seen[_run_at(y, x0, start[k], start[k + 1], row, column)] = True
        row += _DY[heading]
        column += _DX[heading]
        length += 1
        following = _turn(padded, label, row, column, heading)
        if following != heading:
            sides[n] = length
            n += 1
            length = 0
        heading = following
        if row == begin_row and column == begin_column and heading == 0:
            break
    return n


@njit(cache=True, nogil=True)
def _corners_cut(sides: Any, n: int) -> int:
    """Return how many corners of a traced polygon count as cut.

    Every corner after a side longer than one pixel counts, and of the corners in a stair of sides of one pixel
    every other one, as if the stair were a slope.
    """
    cut = 0
    last = False
    for i in range(n):
        last = sides[(i + n - 1) % n] > 1 or not last
        cut += last
    return cut


@njit(cache=True, nogil=True)
def perimeter_counts(padded: Any, labels: Any, runs: Any) -> Any:
    """Return per object: unit sides along Y, along X, cut corners, outlines; of all outlines, holes included."""
    start, _, y, _, _ = runs
    count = start.size - 1
    out = np.zeros((count, 4), np.int64)
    seen = np.zeros(y.size, np.bool_)
    sides = np.empty(64, np.int64)
    for k in range(count):
        for first in range(start[k], start[k + 1]):
            if seen[first]:
                continue
            longest = 4 * (np.int64(start[k + 1] - start[k])) + 8
            if sides.size < longest:
                sides = np.empty(2 * longest, np.int64)
            n = _trace(padded, labels[k], runs, (k, first), seen, sides)
            for i in range(n):
                out[k, i % 2] += sides[i]
            out[k, 2] += _corners_cut(sides, n)
            out[k, 3] += 1
    return out
