"""Splitting touching objects: every pixel climbs to a summit, and shallow summits join their neighbour."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["split_by_summits"]


@njit(cache=True, nogil=True)
def _root(parent: NDArray[np.int64], pixel: int) -> int:
    while parent[pixel] != pixel:
        parent[pixel] = parent[parent[pixel]]
        pixel = parent[pixel]
    return pixel


@njit(cache=True, nogil=True)
def _reached(pixel: int, width: int, parent: NDArray[np.int64], out: NDArray[np.int64]) -> int:
    """Write the 8-neighbours of a pixel that belong to a basin already into `out`, and return how many there are."""
    row, column = divmod(pixel, width)
    rows = parent.size // width
    count = 0
    for y in range(max(0, row - 1), min(rows, row + 2)):
        for x in range(max(0, column - 1), min(width, column + 2)):
            neighbour = y * width + x
            if neighbour != pixel and parent[neighbour] >= 0:
                out[count] = neighbour
                count += 1
    return count


@njit(cache=True, nogil=True)
def _flood(height: NDArray[np.float32], order: NDArray[np.int64], depth: float, width: int) -> NDArray[np.int64]:
    """Return the root pixel of each pixel in `order`, which goes downhill; -1 elsewhere."""
    parent = np.full(height.size, -1, np.int64)
    rank = np.zeros(height.size, np.int64)
    near = np.empty(8, np.int64)
    for position in range(order.size):
        pixel = order[position]
        count = _reached(pixel, width, parent, near)
        if count == 0:
            parent[pixel] = pixel
            rank[pixel] = position
            continue
        steepest = near[0]
        for index in range(1, count):
            if height[near[index]] > height[steepest]:
                steepest = near[index]
        home = _root(parent, steepest)
        parent[pixel] = home
        for index in range(count):
            other = _root(parent, near[index])
            if other == home:
                continue
            lower, higher = (other, home) if rank[other] > rank[home] else (home, other)
            if height[order[rank[lower]]] - height[pixel] < depth:
                parent[lower] = higher
                home = higher
    for position in range(order.size):
        parent[order[position]] = _root(parent, order[position])
    return parent


def split_by_summits(height: NDArray[np.float32], foreground: NDArray[np.bool_], *, depth: float) -> NDArray[np.int32]:
    """Return labels of the summits of `height` within `foreground`, shape (Y, X).

    Flooding goes downhill from the summits, pixel by pixel. Where two basins meet, the lower summit is
    kept as an object of its own only if it stands at least `depth` above the meeting point; otherwise its
    basin joins the other. The result for a connected region depends on that region alone. (Watershed by
    flooding with merging by persistence: Beucher & Meyer 1993; Chazal et al., J. ACM 60, 2013.)

    Parameters
    ----------
    height
        Landscape, shape (Y, X).
    foreground
        Pixels to label.
    depth
        Smallest height of a summit above the pass to its neighbour.
    """
    pixels = np.flatnonzero(foreground)
    heights = np.ascontiguousarray(height, dtype=np.float32).ravel()
    order = pixels[np.argsort(-heights[pixels], kind="stable")]
    roots = _flood(heights, order, depth, height.shape[1])
    labels = np.zeros(height.size, np.int32)
    _, ids = np.unique(roots[pixels], return_inverse=True)
    labels[pixels] = ids + 1
    return labels.reshape(height.shape)
