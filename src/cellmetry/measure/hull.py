"""Convex hulls of objects, in whole numbers.

Coordinates are doubled, so that the centre of pixel (y, x) is (2y, 2x), its corners are (2y ± 1, 2x ± 1), the
middles of its sides (2y ± 1, 2x) and (2y, 2x ± 1), and every hull is exact.

Two hulls are in use, and differ by up to half a pixel all round:

- around the corners of all pixels: the hull of the object's true outline, which ImageJ uses;
- around the middles of all pixels' sides, which scikit-image uses (``offset_coordinates``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cellmetry.measure.blocks import Block

__all__ = ["Hulls", "hulls_of"]

_CORNERS = 0
_SIDES = 1
_NONE = 1 << 40


@njit(cache=True, nogil=True)
def _widen(lines: Any, row: int, low: int, high: int) -> None:
    lines[row, 0] = min(lines[row, 0], low)
    lines[row, 1] = max(lines[row, 1], high)


@njit(cache=True, nogil=True)
def _add_row(lines: Any, y: int, x0: int, x1: int, kind: int) -> None:
    """Add the pixels x0 … x1 - 1 of row y; line 0 is the upper side of row 0."""
    low, high = 2 * x0, 2 * (x1 - 1)
    reach = 1 if kind == _CORNERS else 0
    _widen(lines, 2 * y, low - reach, high + reach)
    _widen(lines, 2 * y + 1, low - 1, high + 1)
    _widen(lines, 2 * y + 2, low - reach, high + reach)


@njit(cache=True, nogil=True)
def _no_lines(height: int) -> Any:
    lines = np.empty((2 * height + 1, 2), np.int64)
    for row in range(2 * height + 1):
        lines[row, 0], lines[row, 1] = _NONE, -_NONE
    return lines


@njit(cache=True, nogil=True)
def _lines_of_runs(runs: Any, k: int, corner: Any, height: int, kind: int) -> Any:
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
            y1, x1 = points[n - 2, 0], points[n - 2, 1]
            y2, x2 = points[n - 1, 0], points[n - 1, 1]
            if sign * ((x2 - x1) * (y - y1) - (x - x1) * (y2 - y1)) >= 0:
                n -= 1
            else:
                break
        points[n, 0], points[n, 1] = y, x
        n += 1
    return points[:n]


@njit(cache=True, nogil=True)
def _enclose(lines: Any) -> Any:
    """Return the corners (y, x) of the convex hull, doubled: down its left half from the top, then up its right."""
    left, right = _chain(lines, 0), _chain(lines, 1)
    out = np.empty((left.shape[0] + right.shape[0], 2), np.int64)
    n = left.shape[0]
    for i in range(n):
        out[i, 0], out[i, 1] = left[i, 0], left[i, 1]
    for i in range(right.shape[0] - 1, -1, -1):
        same_end = right[i, 0] == out[n - 1, 0] and right[i, 1] == out[n - 1, 1]
        same_begin = right[i, 0] == out[0, 0] and right[i, 1] == out[0, 1]
        if not (same_end or same_begin):
            out[n, 0], out[n, 1] = right[i, 0], right[i, 1]
            n += 1
    return out[:n]


@njit(cache=True, nogil=True)
def _polygon_area(points: Any) -> float:
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
    ya, xa = chain[at, 0], chain[at, 1]
    yb, xb = chain[at + 1, 0], chain[at + 1, 1]
    rise = yb - ya
    across = xa * rise + (xb - xa) * (y - ya)
    if side == 0:
        return -((-across) // (2 * rise)), at
    return across // (2 * rise), at


@njit(cache=True, nogil=True)
def _convex_rows(lines: Any) -> Any:
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
def _lines_of_rows(rows: Any) -> Any:
    """Return the lines through the middles of the sides of pixels given as first and last column per row."""
    lines = _no_lines(rows.shape[0])
    for y in range(rows.shape[0]):
        if rows[y, 0] <= rows[y, 1]:
            _add_row(lines, y, rows[y, 0], rows[y, 1] + 1, _SIDES)
    return lines


@njit(cache=True, nogil=True)
def _widest_and_narrowest(points: Any, size_y: float, size_x: float, out: Any) -> None:
    """Write the Feret diameters of a convex polygon in doubled coordinates.

    `out` becomes: largest diameter, indices of its left and right corner, smallest width between parallel lines
    (one of which lies on a side of the polygon), in the unit of the pixel sizes. Of equal diameters the one whose
    left end comes first down the left half is taken.
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
    if points[second, 1] < points[first, 1]:
        first, second = second, first
    out[0], out[1], out[2], out[3] = np.sqrt(best) / 2, first, second, narrow / 2


@njit(cache=True, nogil=True)
def _hulls(runs: Any, corners: Any, heights: Any, size_y: float, size_x: float) -> Any:
    count = heights.size
    out = np.empty((count, 9), np.float64)
    ferets = np.empty(4, np.float64)
    for k in range(count):
        polygon = _enclose(_lines_of_runs(runs, k, corners[k], heights[k], _CORNERS))
        _widest_and_narrowest(polygon, size_y, size_x, ferets)
        rows = _convex_rows(_lines_of_runs(runs, k, corners[k], heights[k], _SIDES))
        out[k, 0], out[k, 1] = _polygon_area(polygon), 0
        for row in range(rows.shape[0]):
            out[k, 1] += rows[row, 1] - rows[row, 0] + 1
        out[k, 2], out[k, 3] = ferets[0], ferets[3]
        first, second = int(ferets[1]), int(ferets[2])
        out[k, 5], out[k, 6] = (polygon[first, 0] + 1) / 2, (polygon[first, 1] + 1) / 2
        out[k, 7], out[k, 8] = (polygon[second, 0] + 1) / 2, (polygon[second, 1] + 1) / 2
        _widest_and_narrowest(_enclose(_lines_of_rows(rows)), size_y, size_x, ferets)
        out[k, 4] = ferets[0]
    return out


class Hulls(NamedTuple):
    """Numbers from the convex hulls of each object.

    `area` is that of the hull round the pixels' corners, in px²; `convex_px` counts the pixels whose centre lies
    in the hull round the middles of the pixels' sides. `longest`, `shortest` and `sides_longest` (of those
    pixels' sides) are Feret diameters in the unit of the pixel sizes; `begin_y` to `end_x` are the ends of the
    longest, in pixels.
    """

    area: NDArray[np.float64]
    convex_px: NDArray[np.float64]
    longest: NDArray[np.float64]
    shortest: NDArray[np.float64]
    sides_longest: NDArray[np.float64]
    begin_y: NDArray[np.float64]
    begin_x: NDArray[np.float64]
    end_y: NDArray[np.float64]
    end_x: NDArray[np.float64]


def hulls_of(block: Block, size_y: float = 1.0, size_x: float = 1.0) -> Hulls:
    """Return the numbers that come from the convex hulls of each object; ends of diameters are in the field."""
    heights = block.objects.high[:, 1] - block.objects.low[:, 1]
    hulls = Hulls(*_hulls(block.runs, block.corners, heights, size_y, size_x).T)
    low_y, low_x = block.objects.low[:, 1], block.objects.low[:, 2]
    ends = {"begin_y": low_y, "end_y": low_y, "begin_x": low_x, "end_x": low_x}
    return hulls._replace(**{name: getattr(hulls, name) + low for name, low in ends.items()})
