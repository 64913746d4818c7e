"""Small pictures of planes by which fields are compared: tones that exposure and bit depth do not change."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import gaussian_filter

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["block_means", "detail", "tones"]

_PERCENTILES = (1.0, 99.8)


def tones(plane: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the square root of the plane between its 1st and 99.8th percentile, from 0 to 1."""
    finite = np.where(np.isfinite(plane), plane, 0).astype(np.float32)
    step = max(1, min(finite.shape) // 256)
    low, high = np.percentile(finite[::step, ::step], _PERCENTILES)
    if high <= low:
        low, high = float(finite.min()), float(finite.max())
    if high <= low:
        return np.zeros_like(finite)
    shown: NDArray[np.float32] = np.sqrt(np.clip((finite - np.float32(low)) / np.float32(high - low), 0, 1))
    return shown


def block_means(plane: NDArray[np.float32], shape: tuple[int, int]) -> NDArray[np.float32]:
    """Return the plane as `shape` means over blocks that are as equal as whole pixels allow, at most one a pixel."""
    edges = [np.linspace(0, size, min(n, size) + 1).astype(int) for size, n in zip(plane.shape, shape, strict=True)]
    sums = np.add.reduceat(np.add.reduceat(plane, edges[0][:-1], axis=0), edges[1][:-1], axis=1)
    means = sums / np.outer(np.diff(edges[0]), np.diff(edges[1]))
    missing = [(0, n - size) for n, size in zip(shape, means.shape, strict=True)]
    return np.pad(means, missing, mode="edge").astype(np.float32)


def detail(plane: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    """Return the plane without what is larger than `sigma` pixels (uneven light), with mean 0."""
    left = plane - gaussian_filter(plane, sigma, mode="nearest")
    centred: NDArray[np.float32] = left - left.mean()
    return centred
