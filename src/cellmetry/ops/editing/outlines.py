"""Which pixels lie inside an outline or under a stroke.

Coordinates are (y, x) in pixels; the pixel in row 0 and column 0 covers 0 to 1 both ways, and its centre is (0.5, 0.5).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from cellmetry.core.image import Box

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["box_of_points", "pixels_of", "polygon_mask", "stroke_mask"]


def polygon_mask(points: ArrayLike, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Return which pixels of a window have their centre inside a polygon.

    Where the outline crosses itself the even-odd rule holds: what it goes round twice is outside.

    Parameters
    ----------
    points
        Corners, shape (N, 2), as (y, x); the last is joined to the first.
    shape
        Height and width of the window.
    """
    crossings = np.zeros((shape[0], shape[1] + 1), np.uint8)
    _count_crossings(np.ascontiguousarray(points, np.float64), crossings)
    inside: NDArray[np.bool_] = np.bitwise_xor.accumulate(crossings[:, ::-1], axis=1)[:, -2::-1].astype(bool)
    return inside


def stroke_mask(points: ArrayLike, radius: float, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Return which pixels of a window a round pen covers that is drawn along a line.

    These are the pixels whose centre is at most `radius` from the line, and those in which its points lie.

    Parameters
    ----------
    points
        Points of the line, shape (N, 2), as (y, x); one alone is a disc.
    shape
        Height and width of the window.
    """
    line = np.ascontiguousarray(points, np.float64)
    steps = np.zeros((shape[0], shape[1] + 1), np.int32)
    _count_capsules(line, radius, steps)
    covered: NDArray[np.bool_] = np.cumsum(steps[:, :-1], axis=1) > 0
    rows, columns = pixels_of(line, shape)
    covered[rows, columns] = True
    return covered


def pixels_of(points: ArrayLike, shape: tuple[int, int]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return rows and columns of the pixels in which points lie, without those outside a window."""
    pixels = np.floor(np.asarray(points, np.float64)).astype(np.intp)
    inside = ((pixels >= 0) & (pixels < shape)).all(axis=1)
    return pixels[inside, 0], pixels[inside, 1]


def box_of_points(points: ArrayLike, margin: float, plane: tuple[int, int]) -> Box:
    """Return the pixels of a plane that lie within `margin` of the box of points; empty if it lies outside."""
    corners = np.asarray(points, np.float64)
    low, high = np.floor(corners.min(axis=0) - margin), np.floor(corners.max(axis=0) + margin) + 1
    (y0, x0), (y1, x1) = (np.clip(ends, 0, plane).astype(int).tolist() for ends in (low, high))
    return Box(y0, y1, x0, x1)


@njit(cache=True, nogil=True)
def _count_crossings(points: NDArray[np.float64], crossings: NDArray[np.uint8]) -> None:
    """Flip, for each row and each side that crosses the middle of it, the first column whose centre lies beyond."""
    height, width = crossings.shape[0], crossings.shape[1] - 1
    for i in range(points.shape[0]):
        y0, x0 = points[i - 1, 0], points[i - 1, 1]
        y1, x1 = points[i, 0], points[i, 1]
        low, high = min(y0, y1), max(y0, y1)
        for row in range(max(0, math.ceil(low - 0.5)), min(height, math.ceil(high - 0.5))):
            crossing = x0 + (row + 0.5 - y0) * (x1 - x0) / (y1 - y0)
            column = min(max(math.ceil(crossing - 0.5), 0), width)
            crossings[row, column] ^= 1


@njit(cache=True, nogil=True)
def _count_capsules(points: NDArray[np.float64], radius: float, steps: NDArray[np.int32]) -> None:
    """Add 1 where the stretch that each piece of the line covers begins in a row, and -1 where it ends."""
    height, width = steps.shape[0], steps.shape[1] - 1
    for i in range(max(points.shape[0] - 1, 1)):
        y0, x0 = points[i, 0], points[i, 1]
        j = min(i + 1, points.shape[0] - 1)
        y1, x1 = points[j, 0], points[j, 1]
        length = math.hypot(y1 - y0, x1 - x0)
        for row in range(
            max(0, math.ceil(min(y0, y1) - radius - 0.5)), min(height, math.floor(max(y0, y1) + radius - 0.5) + 1)
        ):
            y = row + 0.5
            first, last = math.inf, -math.inf
            for cy, cx in ((y0, x0), (y1, x1)):
                if abs(y - cy) <= radius:
                    half = math.sqrt(radius * radius - (y - cy) ** 2)
                    first, last = min(first, cx - half), max(last, cx + half)
            if length > 0:
                ny, nx = (x1 - x0) / length * radius, -(y1 - y0) / length * radius
                corners = ((y0 + ny, x0 + nx), (y1 + ny, x1 + nx), (y1 - ny, x1 - nx), (y0 - ny, x0 - nx))
                for k in range(4):
                    ay, ax = corners[k]
                    by, bx = corners[(k + 1) % 4]
                    if min(ay, by) <= y <= max(ay, by) and ay != by:
                        crossing = ax + (y - ay) * (bx - ax) / (by - ay)
                        first, last = min(first, crossing), max(last, crossing)
            if first <= last:
                begin = min(max(math.ceil(first - 0.5), 0), width)
                end = min(max(math.floor(last - 0.5) + 1, 0), width)
                if begin < end:
                    steps[row, begin] += 1
                    steps[row, end] -= 1
