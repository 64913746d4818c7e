"""A smooth background of a whole plane, estimated on a coarse grid that no tiling can change."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from cellmetry.ops.resample import resample_range

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cellmetry.core.image import Box

__all__ = ["background_in", "block_percentile", "open_background"]


def block_percentile(pixels: NDArray[np.float32], block: int, percent: float) -> NDArray[np.float32]:
    """Return the percentile of each `block` × `block` square, shape (ceil(Y/block), ceil(X/block)).

    Squares cut by the lower and right edge use the pixels they have.
    """
    height, width = pixels.shape
    rows, columns = -(-height // block), -(-width // block)
    padded = np.full((rows * block, columns * block), np.nan, np.float32)
    padded[:height, :width] = pixels
    squares = padded.reshape(rows, block, columns, block).swapaxes(1, 2).reshape(rows, columns, -1)
    out = np.empty((rows, columns), np.float32)
    full_rows, full_columns = height // block, width // block
    position = round(percent / 100 * (block * block - 1))
    whole = squares[:full_rows, :full_columns]
    out[:full_rows, :full_columns] = np.partition(whole, position, axis=-1)[..., position]
    for edge in (np.s_[full_rows:, :], np.s_[:full_rows, full_columns:]):
        if out[edge].size:
            out[edge] = np.nanpercentile(squares[edge], percent, axis=-1)
    return out


def open_background(coarse: NDArray[np.float32], window: int) -> NDArray[np.float32]:
    """Return a background below all objects smaller than `window` grid cells (opening, then smoothing)."""
    if min(coarse.shape) == 1 and max(coarse.shape) == 1:
        return coarse
    opened = ndimage.grey_opening(coarse, size=(window, window), mode="nearest")
    return np.asarray(ndimage.gaussian_filter(opened, window / 2, mode="nearest"), dtype=np.float32)


def background_in(box: Box, coarse: NDArray[np.float32], block: int) -> NDArray[np.float32]:
    """Return the background, known on a grid of `block` pixels, at each pixel of `box`."""
    shape = (coarse.shape[0], coarse.shape[1])
    return resample_range(coarse, (box.y0, box.y1), (box.x0, box.x1), shape, float(block))
