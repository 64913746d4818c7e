"""Resampling on a grid fixed to the whole plane, so that a tile's pixels do not depend on where it begins."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "needed_range",
    "resample_nearest",
    "resample_plane",
    "resample_range",
    "resampled_size",
    "source_range",
    "working_index",
]


def resampled_size(size: int, scale: float) -> int:
    """Return how many pixels `size` pixels become at `scale`."""
    return max(1, round(size * scale))


@lru_cache(maxsize=64)
def _weights(start: int, stop: int, size: int, scale: float) -> tuple[int, sparse.csr_array]:
    """Return the first source pixel used, and the weights (rows: result pixels `start` to `stop`).

    Shrinking averages over the area of each result pixel; enlarging interpolates linearly.
    """
    result = np.arange(start, stop)
    if scale >= 1:
        centre = np.clip((result + 0.5) / scale - 0.5, 0, size - 1)
        low = np.minimum(centre.astype(np.int64), max(size - 2, 0))
        part = centre - low
        rows = np.repeat(result - start, 2)
        columns = np.stack([low, np.minimum(low + 1, size - 1)], axis=1).ravel()
        values = np.stack([1 - part, part], axis=1).ravel()
    else:
        left, right = result / scale, np.minimum((result + 1) / scale, size)
        span = int(np.ceil(1 / scale)) + 1
        columns = (np.floor(left).astype(np.int64)[:, None] + np.arange(span)).ravel()
        overlap = np.minimum(right[:, None], columns.reshape(-1, span) + 1) - np.maximum(
            left[:, None], columns.reshape(-1, span)
        )
        overlap = np.clip(overlap, 0, None)
        values = (overlap / overlap.sum(axis=1, keepdims=True)).ravel()
        rows = np.repeat(result - start, span)
        keep = values > 0
        rows, columns, values = rows[keep], columns[keep], values[keep]
    first, last = int(columns.min()), int(columns.max())
    shape = (stop - start, last - first + 1)
    matrix = sparse.coo_array((values.astype(np.float32), (rows, columns - first)), shape=shape)
    return first, matrix.tocsr()


def needed_range(start: int, stop: int, size: int, scale: float) -> tuple[int, int]:
    """Return the range of source pixels, of `size`, from which result pixels `start` to `stop` are made."""
    first, matrix = _weights(start, stop, size, scale)
    return first, first + matrix.shape[1]


def resample_range(
    pixels: NDArray[np.float32], rows: tuple[int, int], columns: tuple[int, int], size: tuple[int, int], scale: float
) -> NDArray[np.float32]:
    """Return result pixels `rows` × `columns`.

    Parameters
    ----------
    pixels
        Source pixels, shape (Y, X): either the whole source plane, or its part in the `needed_range` of
        `rows` and `columns`.
    size
        Height and width of the whole source plane.
    scale
        Result pixels per source pixel.
    """
    first_row, by_row = _weights(*rows, size[0], scale)
    first_column, by_column = _weights(*columns, size[1], scale)
    if pixels.shape == size:
        pixels = pixels[first_row : first_row + by_row.shape[1], first_column : first_column + by_column.shape[1]]
    return np.asarray((by_column @ (by_row @ pixels).T).T, dtype=np.float32)


def resample_plane(pixels: NDArray[np.float32], scale: float) -> NDArray[np.float32]:
    """Return a whole plane (Y, X) at another scale."""
    height, width = (resampled_size(size, scale) for size in pixels.shape)
    return resample_range(pixels, (0, height), (0, width), (pixels.shape[0], pixels.shape[1]), scale)


def resample_nearest(pixels: NDArray[Any], scale: float) -> NDArray[Any]:
    """Return a whole plane (Y, X) of ids or flags at another scale: each result pixel has the value of the nearest."""
    rows, columns = (working_index(0, resampled_size(size, scale), size, 1 / scale) for size in pixels.shape)
    return pixels[np.ix_(rows, columns)]


def working_index(start: int, stop: int, size: int, scale: float) -> NDArray[np.int64]:
    """Return for source pixels `start` to `stop` the nearest of the `size` result pixels."""
    return np.minimum(((np.arange(start, stop) + 0.5) * scale).astype(np.int64), size - 1)


def source_range(start: int, stop: int, sizes: tuple[int, int], scale: float) -> tuple[int, int]:
    """Return the range of source pixels whose nearest result pixel lies in `start` to `stop`.

    Parameters
    ----------
    sizes
        How many pixels the whole source and the whole result have along this axis.
    """
    source, result = sizes
    index = working_index(0, source, result, scale)
    return int(np.searchsorted(index, start, side="left")), int(np.searchsorted(index, stop, side="left"))
