"""Polygons to pixels and back: even-odd filling with holes, and outlines along the sides of pixels.

Coordinates are x, y in pixels with (0, 0) the outer corner of the first pixel, as in ImageJ and COCO, so that the
centre of the first pixel is (0.5, 0.5). A pixel belongs to a polygon if its centre lies inside.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numba import njit

from cellmetry.errors import DamagedFile
from cellmetry.ops.instances import Instance, instance_from_mask

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["fill_polygon", "polygon_area", "trace_polygons"]

_LARGEST = 1 << 20


def fill_polygon(rings: Sequence[NDArray[np.float64]], shape: tuple[int, int]) -> Instance:
    """Return the object inside `rings`, each (n, 2) as x, y, closed by itself, cut to an image of `shape` (Y, X).

    A point that an odd number of rings surround is inside, so a ring within a ring is a hole. A centre exactly on an
    edge belongs to the pixel's left or upper side only, so polygons that share an edge share no pixel.

    Raises
    ------
    DamagedFile
        If a ring has fewer than three points, or coordinates that are not finite or absurdly large.
    """
    edges = np.concatenate([_edges(np.asarray(ring, np.float64)) for ring in rings]) if rings else np.zeros((0, 4))
    edges = edges[edges[:, 1] != edges[:, 3]]
    if not edges.size:
        return Instance(0, 0, np.zeros((0, 0), bool))
    low, high = edges.min(axis=0), edges.max(axis=0)
    y0, y1 = _clip(min(low[1], low[3]), max(high[1], high[3]), shape[0])
    x0, x1 = _clip(min(low[0], low[2]), max(high[0], high[2]), shape[1])
    if y0 >= y1 or x0 >= x1:
        return Instance(0, 0, np.zeros((0, 0), bool))
    return instance_from_mask(_fill(edges, y0, y1, x0, x1), y0, x0)


def polygon_area(ring: NDArray[np.float64]) -> float:
    """Return the area of a ring (n, 2) in square pixels, positive if it runs clockwise on the screen (y downward)."""
    x, y = ring[:, 0], ring[:, 1]
    return 0.5 * float(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y))


def trace_polygons(instance: Instance) -> list[NDArray[np.float64]]:
    """Return the rings of an object along the sides of its pixels, corners only, in coordinates of the image.

    Outer rings run clockwise on the screen, holes the other way; pixels that touch only at a corner are rings of
    their own. `fill_polygon` gives the same pixels back.
    """
    padded = np.pad(np.asarray(instance.mask, np.bool_), 1)
    offset = np.array([instance.x, instance.y], np.float64)
    return [ring + offset for ring in _trace(padded)]


def _edges(ring: NDArray[np.float64]) -> NDArray[np.float64]:
    if ring.ndim != 2 or ring.shape[1] != 2 or ring.shape[0] < 3:
        raise DamagedFile(f"a polygon needs at least three points of x and y, not an array of shape {ring.shape}.")
    if not np.isfinite(ring).all() or np.abs(ring).max() > _LARGEST:
        raise DamagedFile(f"a polygon has a coordinate that is not a number or beyond {_LARGEST:,} pixels.")
    return np.concatenate([ring, np.roll(ring, -1, axis=0)], axis=1)


def _clip(low: float, high: float, size: int) -> tuple[int, int]:
    return max(0, int(np.floor(low))), min(size, int(np.ceil(high)))


@njit(cache=True, nogil=True)
def _fill(edges: Any, y0: int, y1: int, x0: int, x1: int) -> Any:
    """Return the pixels of rows y0 … y1 and columns x0 … x1 with an odd number of edges to their left."""
    flips = np.zeros((y1 - y0, x1 - x0 + 1), np.bool_)
    for e in range(edges.shape[0]):
        ax, ay, bx, by = edges[e]
        if ay > by:
            ax, ay, bx, by = bx, by, ax, ay
        first = max(y0, int(np.ceil(ay - 0.5)))
        last = min(y1, int(np.ceil(by - 0.5)))
        for row in range(first, last):
            x = ax + (row + 0.5 - ay) * (bx - ax) / (by - ay)
            column = min(max(int(np.ceil(x - 0.5)), x0), x1)
            flips[row - y0, column - x0] = not flips[row - y0, column - x0]
    out = np.zeros((y1 - y0, x1 - x0), np.bool_)
    for row in range(y1 - y0):
        inside = False
        for column in range(x1 - x0):
            inside ^= flips[row, column]
            out[row, column] = inside
    return out


def _trace(padded: NDArray[np.bool_]) -> list[NDArray[np.float64]]:
    steps, lengths = _walk(padded)
    rings = np.split(steps, np.cumsum(lengths)[:-1]) if lengths.size else []
    return [_corners(ring.astype(np.float64)) - 1.0 for ring in rings]


def _corners(ring: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the points at which a walk along sides of pixels turns."""
    before, after = ring - np.roll(ring, 1, axis=0), np.roll(ring, -1, axis=0) - ring
    turns: NDArray[np.bool_] = (before != after).any(axis=1)
    return ring[turns]


@njit(cache=True, nogil=True)
def _walk(padded: Any) -> Any:
    """Return all corners passed when each outline is walked with the object on the right, and their number per ring.

    Headings: 0 right, 1 down, 2 left, 3 up. Every outline has a side along the top of a pixel, where its walk begins.
    """
    height, width = padded.shape
    seen = np.zeros((height, width), np.bool_)
    dx, dy = (1, 0, -1, 0), (0, 1, 0, -1)
    right_y, right_x = (0, 0, -1, -1), (0, -1, -1, 0)
    left_y, left_x = (-1, 0, 0, -1), (0, 0, -1, -1)
    steps = [(0, 0)]
    steps.clear()
    lengths = [0]
    lengths.clear()
    for row in range(1, height):
        for column in range(1, width):
            if not padded[row, column] or padded[row - 1, column] or seen[row, column]:
                continue
            x, y, heading, count = column, row, 0, 0
            while True:
                if heading == 0:
                    seen[y, x] = True
                steps.append((x, y))
                count += 1
                x += dx[heading]
                y += dy[heading]
                if not padded[y + right_y[heading], x + right_x[heading]]:
                    heading = (heading + 1) % 4
                elif padded[y + left_y[heading], x + left_x[heading]]:
                    heading = (heading + 3) % 4
                if x == column and y == row and heading == 0:
                    break
            lengths.append(count)
    points = np.empty((len(steps), 2), np.int64)
    for i in range(len(steps)):
        points[i, 0], points[i, 1] = steps[i]
    return points, np.array(lengths, dtype=np.int64)
