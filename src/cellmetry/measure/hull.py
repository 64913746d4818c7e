"""Convex hulls of objects, in whole numbers.

Coordinates are doubled, so that the centre of pixel (y, x) is (2y, 2x), its corners are (2y ± 1, 2x ± 1), the
middles of its sides (2y ± 1, 2x) and (2y, 2x ± 1), and every hull is exact.

Two hulls are in use, and differ by up to half a pixel all round:

- around the corners of all pixels: the hull of the object's true outline, which ImageJ uses;
- around the middles of all pixels' sides, which scikit-image uses (``offset_coordinates``).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

__all__ = ["CORNERS", "SIDES", "convex_rows", "enclose", "lines_of_runs", "polygon_area", "widest_and_narrowest"]

CORNERS = 0
SIDES = 1
_NONE = 1 << 40


@njit(cache=True, nogil=True)
def _widen(lines: Any, row: int, low: int, high: int) -> None:
    lines[row, 0] = min(lines[row, 0], low)
    lines[row, 1] = max(lines[row, 1], high)


@njit(cache=True, nogil=True)
def _add_row(lines: Any, y: int, x0: int, x1: int, kind: int) -> None:
    """Add the pixels x0 … x1 - 1 of row y; line 0 is the upper side of row 0."""
    low, high = 2 * x0, 2 * (x1 - 1)
    reach = 1 if kind == CORNERS else 0
    _widen(lines, 2 * y, low - reach, high + reach)
    _widen(lines, 2 * y + 1, low - 1, high + 1)
    _widen(lines, 2 * y + 2, low - reach, high + reach)


@njit(cache=True, nogil=True)
def _no_lines(height: int) -> Any:
    lines = np.empty((2 * height + 1, 2), np.int64)
    lines[:, 0] = _NONE
    lines[:, 1] = -_NONE
    return lines


@njit(cache=True, nogil=True)
def lines_of_runs(runs: Any, k: int, corner: Any, height: int, kind: int) -> Any:
    """Return the leftmost and rightmost point of object k on each line, doubled, relative to `corner`."""
    start, _, y, x0, x1 = runs
    lines = _no_lines(height)
    for i in range(start[k], start[k + 1]):
        _add_row(lines, y[i] - corner[1], x0[i] - corner[2], x1[i] - corner[2], kind)
    return lines


@njit(cache=True, nogil=True)
def _chain(lines: Any, side: int) -> Any:
    """Return the corners (y, x) of the left (0) or right (1) half of the hull, from top to bottom."""
    points = np.empty((lines.shape[0], 2), np.int64)
    sign = 1 if side == 0 else -1
    n = 0
    for row in range(lines.shape[0]):
        if lines[row, 0] > lines[row, 1]:
            continue
        y, x = row - 1, lines[row, side]
        while n >= 2:
            y1, x1 = points[n - 2]
            y2, x2 = points[n - 1]
            if sign * ((x2 - x1) * (y - y1) - (x - x1) * (y2 - y1)) >= 0:
                n -= 1
            else:
                break
        points[n, 0], points[n, 1] = y, x
        n += 1
    return points[:n]


@njit(cache=True, nogil=True)
def enclose(lines: Any) -> Any:
    """Return the corners (y, x) of the convex hull, doubled, in order round it."""
    left, right = _chain(lines, 0), _chain(lines, 1)
    out = np.empty((left.shape[0] + right.shape[0], 2), np.int64)
    n = 0
    for i in range(right.shape[0]):
        out[n] = right[i]
        n += 1
    for i in range(left.shape[0] - 1, -1, -1):
        same_end = left[i, 0] == out[n - 1, 0] and left[i, 1] == out[n - 1, 1]
        same_begin = left[i, 0] == out[0, 0] and left[i, 1] == out[0, 1]
        if not (same_end or same_begin):
            out[n] = left[i]
            n += 1
    return out[:n]


@njit(cache=True, nogil=True)
def polygon_area(points: Any) -> float:
    """Return the area of a polygon in doubled coordinates, in square pixels."""
    twice = np.int64(0)
    n = points.shape[0]
    for i in range(n):
        j = (i + 1) % n
        twice += points[i, 1] * points[j, 0] - points[j, 1] * points[i, 0]
    return abs(twice) / 8


@njit(cache=True, nogil=True)
def _bound(chain: Any, at: int, y: int, side: int) -> Any:
    """Return (first or last even x inside the chain on line y, the chain's edge that it is on)."""
    while at + 2 < chain.shape[0] and chain[at + 1, 0] < y:
        at += 1
    ya, xa = chain[at]
    yb, xb = chain[at + 1]
    rise = yb - ya
    across = xa * rise + (xb - xa) * (y - ya)
    if side == 0:
        return -((-across) // (2 * rise)), at
    return across // (2 * rise), at


@njit(cache=True, nogil=True)
def convex_rows(lines: Any) -> Any:
    """Return first and last pixel column of each row whose centres lie in the hull or on its edge."""
    left, right = _chain(lines, 0), _chain(lines, 1)
    height = (lines.shape[0] - 1) // 2
    rows = np.empty((height, 2), np.int64)
    at_left = at_right = 0
    for y in range(height):
        rows[y, 0], at_left = _bound(left, at_left, 2 * y, 0)
        rows[y, 1], at_right = _bound(right, at_right, 2 * y, 1)
    return rows


@njit(cache=True, nogil=True)
def lines_of_rows(rows: Any) -> Any:
    """Return the lines through the middles of the sides of pixels given as first and last column per row."""
    lines = _no_lines(rows.shape[0])
    for y in range(rows.shape[0]):
        if rows[y, 0] <= rows[y, 1]:
            _add_row(lines, y, rows[y, 0], rows[y, 1] + 1, SIDES)
    return lines


@njit(cache=True, nogil=True)
def widest_and_narrowest(points: Any, size_y: float, size_x: float, out: Any) -> None:
    """Write the Feret diameters of a convex polygon in doubled coordinates.

    `out` becomes: largest diameter, indices of its two corners, smallest width between parallel lines (one of
    which lies on a side of the polygon), in the unit of the pixel sizes.
    """
    n = points.shape[0]
    best, first, second = -1.0, 0, 0
    narrow = np.inf
    for i in range(n):
        for j in range(i + 1, n):
            dy = (points[j, 0] - points[i, 0]) * size_y
            dx = (points[j, 1] - points[i, 1]) * size_x
            if dy * dy + dx * dx > best:
                best, first, second = dy * dy + dx * dx, i, j
        following = (i + 1) % n
        ey = (points[following, 0] - points[i, 0]) * size_y
        ex = (points[following, 1] - points[i, 1]) * size_x
        far = 0.0
        for j in range(n):
            dy = (points[j, 0] - points[i, 0]) * size_y
            dx = (points[j, 1] - points[i, 1]) * size_x
            far = max(far, abs(ex * dy - ey * dx))
        narrow = min(narrow, far / np.hypot(ey, ex))
    out[0], out[1], out[2], out[3] = np.sqrt(best) / 2, first, second, narrow / 2
