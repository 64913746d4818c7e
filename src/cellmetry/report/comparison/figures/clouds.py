"""Clouds of cells: a random part that keeps the shares of replicates, densities on a grid, and where points stand."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.ndimage import gaussian_filter1d

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Density", "density", "even_steps", "sina_offsets", "stratified_part"]

_STEPS_PER_WIDTH = 4
_GRID = (64, 4096)
_CUT = 4.0
_ALIKE = 1e-12
_LEAST_SMOOTHING = 0.5


class Density(NamedTuple):
    """A density on a grid: `at` rises evenly from the least to the largest value; the largest of `height` is 1."""

    at: NDArray[np.float64]
    height: NDArray[np.float64]


def density(values: NDArray[np.float64]) -> Density:
    """Return the kernel density of values, only where there are values, scaled to a largest height of 1.

    Gaussian kernel by the rule of thumb of Silverman (1986, eq. 3.31), 0.9 · min(SD, IQR / 1.34) · n^(−1/5), on a
    binned grid (Wand 1994). Values that are all alike, and fewer than two, have the height 1 on their one place.
    """
    low, high = (float(values.min()), float(values.max())) if values.size else (0.0, 0.0)
    width = _kernel_width(values)
    if high - low <= _ALIKE * max(abs(low), abs(high)) + np.finfo(np.float64).tiny or width == 0:
        return Density(np.array([low, high]), np.ones(2))
    steps = int(np.clip(np.ceil((high - low) / width * _STEPS_PER_WIDTH), *_GRID))
    counts, edges = np.histogram(values, steps, (low, high))
    sigma = max(width / (edges[1] - edges[0]), _LEAST_SMOOTHING)
    smooth = gaussian_filter1d(counts.astype(np.float64), sigma, mode="constant", truncate=_CUT)
    return Density(np.linspace(low, high, steps), smooth / smooth.max())


def _kernel_width(values: NDArray[np.float64]) -> float:
    if values.size < 2:
        return 0.0
    spread = float(values.std(ddof=1))
    quartiles = float(np.subtract(*np.percentile(values, (75, 25)))) / 1.34
    return 0.9 * (min(spread, quartiles) or spread) * float(values.size**-0.2)


def sina_offsets(values: NDArray[np.float64], shape: Density) -> NDArray[np.float64]:
    """Return how far to the side each point stands, from −1 to 1: within the density's outline, without a pattern.

    As Sidiropoulos et al. 2018 (sina plot), with van der Corput's sequence in the order of values in place of random
    numbers (Clarke, Sherrill-Mix & Dawson 2023, ggbeeswarm), so that points are evenly spread. One point stands in the
    middle.
    """
    if values.size < 2:
        return np.zeros(values.size)
    ranks = np.empty(values.size, np.intp)
    ranks[np.argsort(values, kind="stable")] = np.arange(values.size)
    offsets: NDArray[np.float64] = even_steps(values.size)[ranks] * np.interp(values, shape.at, shape.height)
    return offsets


def even_steps(count: int) -> NDArray[np.float64]:
    """Return the first numbers of van der Corput's sequence to the base 2, stretched to −1 … 1."""
    places = np.arange(1, count + 1)
    numbers = np.zeros(count)
    weight = 0.5
    while places.any():
        numbers += weight * (places & 1)
        places >>= 1
        weight /= 2
    return 2 * numbers - 1


def stratified_part(strata: NDArray[np.intp], most: int, seed: int) -> NDArray[np.intp]:
    """Return places of at most `most` entries in random order, of each stratum the same share; all if they are fewer.

    A stratum keeps at least one entry, as long as there are no more strata than `most`.
    """
    order = np.random.default_rng(seed).permutation(strata.size)
    if strata.size <= most:
        return order
    by_stratum = order[np.argsort(strata[order], kind="stable")]
    sizes = np.bincount(strata)
    ends = np.cumsum(sizes)
    ranks = np.arange(strata.size) - np.repeat(ends - sizes, sizes)
    present = int(np.count_nonzero(sizes))
    quota = np.floor(sizes * max(most - present, 0) / strata.size) + (most >= present)
    chosen = np.zeros(strata.size, bool)
    chosen[by_stratum[ranks < np.repeat(quota, sizes)]] = True
    return order[chosen[order]]
