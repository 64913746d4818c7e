"""Texture: Haralick's features of the grey-level co-occurrence matrix of each object.

R. M. Haralick, K. Shanmugam & I. Dinstein, "Textural features for image classification", IEEE Trans. Syst. Man
Cybern. 3 (1973) 610-621. A pair of pixels counts when both lie in the object and are finite; pairs count both ways, so
the matrix is symmetric; features are the mean over the directions 0°, 45°, 90° and 135° that have any pair.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cellmetry.measure.blocks import Block
    from cellmetry.measure.options import MeasureOptions

__all__ = ["texture"]

_NAMES = ("contrast", "dissimilarity", "homogeneity", "asm", "correlation", "entropy")
_STEP_Y = np.array([0, -1, -1, -1])
_STEP_X = np.array([1, 1, 0, -1])


@njit(cache=True, nogil=True)
def _span(plane: Any, runs: Any, k: int) -> Any:
    """Return the smallest and largest finite pixel of object k."""
    start, _, y, x0, x1 = runs
    low, high = np.inf, -np.inf
    for i in range(start[k], start[k + 1]):
        for x in range(x0[i], x1[i]):
            value = np.float64(plane[y[i], x])
            if np.isfinite(value):
                low, high = min(low, value), max(high, value)
    return low, high


@njit(cache=True, nogil=True)
def _level(value: float, low: float, high: float, levels: int) -> int:
    """Return the grey level of a value: `levels` equal parts of low … high, values beyond in the last of either end."""
    if high <= low:
        return 0
    return int(min(max((value - low) / (high - low) * levels, 0), levels - 1))


@njit(cache=True, nogil=True)
def _count_pairs(plane: Any, labels: Any, runs: Any, k: int, ask: Any) -> Any:
    """Return the symmetric co-occurrence matrix of object k for one step (y, x)."""
    start, _, y, x0, x1 = runs
    low, high, levels, dy, dx = ask
    counts = np.zeros((levels, levels), np.int64)
    label = labels[y[start[k]], x0[start[k]]]
    for i in range(start[k], start[k + 1]):
        ny = y[i] + dy
        if ny < 0 or ny >= labels.shape[0]:
            continue
        for x in range(max(x0[i], -dx), min(x1[i], labels.shape[1] - dx)):
            here, there = np.float64(plane[y[i], x]), np.float64(plane[ny, x + dx])
            if labels[ny, x + dx] == label and np.isfinite(here) and np.isfinite(there):
                a, b = _level(here, low, high, levels), _level(there, low, high, levels)
                counts[a, b] += 1
                counts[b, a] += 1
    return counts


@njit(cache=True, nogil=True)
def _features(counts: Any, total: int, out: Any) -> None:
    """Add the features of one matrix to `out`."""
    mean = 0.0
    for a in range(counts.shape[0]):
        mean += a * (counts[a].sum() / total)
    variance = covariance = 0.0
    for a in range(counts.shape[0]):
        for b in range(counts.shape[0]):
            if counts[a, b] == 0:
                continue
            share = counts[a, b] / total
            gap = float(a - b)
            out[0] += share * gap * gap
            out[1] += share * abs(gap)
            out[2] += share / (1 + gap * gap)
            out[3] += share * share
            out[5] -= share * np.log2(share)
            variance += share * (a - mean) * (a - mean)
            covariance += share * (a - mean) * (b - mean)
    out[4] += covariance / variance if variance > 1e-30 else 1.0


@njit(cache=True, nogil=True)
def _textures(plane: Any, labels: Any, runs: Any, steps: Any, ask: Any) -> Any:
    levels, own, fixed_low, fixed_high = ask
    count = runs[0].size - 1
    out = np.full((count, 6), np.nan)
    sums = np.empty(6, np.float64)
    for k in range(count):
        low, high = _span(plane, runs, k) if own else (fixed_low, fixed_high)
        sums[:] = 0
        directions = 0
        for step in range(steps.shape[0]):
            counts = _count_pairs(plane, labels, runs, k, (low, high, levels, steps[step, 0], steps[step, 1]))
            total = counts.sum()
            if total:
                _features(counts, total, sums)
                directions += 1
        if directions:
            out[k] = sums / directions
    return out


def texture(block: Block, pixels: NDArray[Any], options: MeasureOptions) -> dict[str, NDArray[Any]]:
    """Return Haralick's features of each object, missing where it has no pair of pixels."""
    steps = np.stack([_STEP_Y, _STEP_X], axis=1) * options.texture_distance
    low, high = options.texture_range or (0.0, 0.0)
    ask = (options.texture_levels, options.texture_range is None, float(low), float(high))
    values = _textures(pixels[0], block.labels[0], block.runs, steps, ask)
    return {f"texture_{name}": values[:, column] for column, name in enumerate(_NAMES)}
