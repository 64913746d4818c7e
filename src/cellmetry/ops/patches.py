"""Counts in the squares of a grid over an image: each object counts where its centroid lies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import fastremap
import numpy as np
from numba import njit

from cellmetry.errors import LabelsError, ParameterError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["count_in_patches", "label_centroids"]


def label_centroids(labels: NDArray[Any]) -> tuple[NDArray[np.uint32], NDArray[np.float64]]:
    """Return the ids of a plane of labels, ascending, and the centroid (y, x) of each, shape (n, 2), in pixels."""
    if labels.ndim != 2:
        raise LabelsError(f"Centroids are those of one plane of labels, not of an array of shape {labels.shape}.")
    numbers, mapping = fastremap.renumber(np.ascontiguousarray(labels), preserve_zero=True)
    sums = _sum_places(numbers, len(mapping.keys() - {0}) + 1)[1:]
    ids = np.zeros(len(sums), np.uint32)
    for identity, number in mapping.items():
        if identity:
            ids[int(number) - 1] = identity
    order = np.argsort(ids)
    return ids[order], (sums[:, :2] / sums[:, 2:])[order]


@njit(cache=True, nogil=True)
def _sum_places(numbers: NDArray[Any], count: int) -> NDArray[np.float64]:  # pragma: no cover - compiled
    """Return the sum of rows, of columns, and of pixels of each number, shape (count, 3)."""
    sums = np.zeros((count, 3))
    for y in range(numbers.shape[0]):
        for x in range(numbers.shape[1]):
            number = numbers[y, x]
            sums[number, 0] += y
            sums[number, 1] += x
            sums[number, 2] += 1
    return sums


def count_in_patches(
    points_yx: NDArray[np.float64], shape: tuple[int, int], *, side_px: int = 256
) -> NDArray[np.int64]:
    """Return how many points lie in each square of `side_px` pixels, shape (rows, columns) of the grid.

    The grid starts at the upper left corner; the squares at the right and lower edge are smaller where the side
    does not divide the image, and count all the same. A pixel's centre has whole coordinates.

    >>> import numpy as np
    >>> count_in_patches(np.array([[10.0, 255.4], [10.0, 255.6]]), (256, 300)).tolist()
    [[1, 1]]
    """
    if side_px < 1:
        raise ParameterError(f"The side of a patch must be 1 pixel or more, not {side_px}.")
    grid = tuple(-(-size // side_px) for size in shape)
    counts = np.zeros(grid, np.int64)
    if len(points_yx):
        places = np.floor((np.asarray(points_yx) + 0.5) / side_px).astype(np.int64)
        places = np.clip(places, 0, np.array(grid) - 1)
        np.add.at(counts, (places[:, 0], places[:, 1]), 1)
    return counts
