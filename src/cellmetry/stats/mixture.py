"""Two populations of cells in one column of numbers: a mixture of two normal distributions, or a refusal."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from pydantic import Field
from scipy.optimize import brentq

from cellmetry.core.step import Parameters
from cellmetry.errors import ParameterError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

__all__ = ["Mixture", "MixtureOptions", "fit_mixture", "mixture_threshold"]

_FEWEST = 20
_STARTS = (0.1, 0.25, 0.5, 0.75, 0.9)


class MixtureOptions(Parameters):
    """When a mixture of two normal distributions is believed."""

    least_separation: float = Field(default=2.0, gt=0)
    """Smallest Ashman's D: distance of the means over √((σ₁² + σ₂²) / 2)."""
    least_weight: float = Field(default=0.02, gt=0, lt=0.5)
    """Smallest share of the cells in either population."""
    least_evidence: float = Field(default=10.0, ge=0)
    """By how much the BIC of one normal distribution must exceed that of two (10: Kass & Raftery 1995)."""
    iterations: int = Field(default=1000, ge=10)
    """Most rounds of the EM algorithm."""
    tolerance: float = Field(default=1e-8, gt=0)
    """Change of the mean log-likelihood of a value at which it stops."""


class Mixture(NamedTuple):
    """Weights, means and standard deviations of two normal distributions, lower mean first; log-likelihood."""

    weights: Floats
    means: Floats
    sds: Floats
    log_likelihood: float

    def density(self, values: ArrayLike) -> Floats:
        """Return the weighted density of each of the two at each value, shape (values, 2)."""
        return np.exp(self.log_density(values))

    def log_density(self, values: ArrayLike) -> Floats:
        """Return the logarithm of that."""
        scores = (np.asarray(values, np.float64)[..., None] - self.means) / self.sds
        logs: Floats = np.log(self.weights) - np.log(self.sds) - (scores**2 + np.log(2 * np.pi)) / 2
        return logs


def fit_mixture(values: ArrayLike, options: MixtureOptions | None = None) -> Mixture:
    """Return the likeliest mixture of two normal distributions, by EM (Dempster et al. 1977) from five starts.

    Raises
    ------
    ParameterError
        If the values are too few or all alike.
    """
    options = options or MixtureOptions()
    cells = _finite(values)
    centre, scale = float(cells.mean()), float(cells.std())
    standard = np.sort((cells - centre) / scale)
    found = max((_em(standard, split, options) for split in _STARTS), key=lambda each: each.log_likelihood)
    order = np.argsort(found.means)
    total = found.log_likelihood - len(cells) * np.log(scale)
    return Mixture(found.weights[order], found.means[order] * scale + centre, found.sds[order] * scale, total)


def mixture_threshold(values: ArrayLike, options: MixtureOptions | None = None) -> tuple[float, Mixture]:
    """Return the value between the means at which a cell is as likely of the one as of the other, and the mixture.

    Raises
    ------
    ParameterError
        If there are not clearly two populations; says what is lacking.
    """
    options = options or MixtureOptions()
    mixture, cells = fit_mixture(values, options), _finite(values)
    lacking = _lacking(mixture, cells, options)
    if lacking:
        raise ParameterError(
            f"The values do not show two populations: {lacking}. Give a threshold, or one from control wells."
        )

    def difference(value: float) -> float:
        low, high = mixture.log_density(value)
        return float(high - low)

    return float(brentq(difference, *mixture.means)), mixture


def _finite(values: ArrayLike) -> Floats:
    cells = np.asarray(values, np.float64).ravel()
    cells = cells[np.isfinite(cells)]
    if len(cells) < _FEWEST:
        raise ParameterError(f"{len(cells)} values are too few to tell two populations apart; {_FEWEST} are the least.")
    if np.ptp(cells) == 0:
        raise ParameterError("All values are alike; there are no two populations to tell apart.")
    return cells


def _em(values: Floats, split: float, options: MixtureOptions) -> Mixture:
    """Return where EM ends that starts from the lowest `split` share of the sorted values and the rest."""
    place = min(max(2, round(split * len(values))), len(values) - 2)
    upper = (np.arange(len(values)) >= place).astype(np.float64)
    mixture, last = _maximised(values, upper), -np.inf
    for _ in range(options.iterations):
        logs = mixture.log_density(values)
        totals = np.logaddexp(logs[:, 0], logs[:, 1])
        likelihood = float(totals.sum())
        mixture = _maximised(values, np.exp(logs[:, 1] - totals))._replace(log_likelihood=likelihood)
        if likelihood - last < options.tolerance * len(values):
            break
        last = likelihood
    return mixture


def _maximised(values: Floats, upper: Floats) -> Mixture:
    """Return the mixture that fits shares of each value in the upper population best.

    Neither is narrower than a thousandth of the spread of all, so that none shrinks onto a single value.
    """
    shares = np.stack([1 - upper, upper])
    sums = np.maximum(shares.sum(axis=1), 1e-12 * len(values))
    means = shares @ values / sums
    variances = (shares * (values - means[:, None]) ** 2).sum(axis=1) / sums
    return Mixture(sums / sums.sum(), means, np.sqrt(np.maximum(variances, 1e-6)), -np.inf)


def _lacking(mixture: Mixture, cells: Floats, options: MixtureOptions) -> str:
    """Return what speaks against two populations; empty if nothing does."""
    separation = float(np.diff(mixture.means)[0] / np.sqrt(np.mean(mixture.sds**2)))
    if separation < options.least_separation:
        return f"their means lie {separation:.2g} standard deviations apart, {options.least_separation:g} are asked for"
    lightest = float(mixture.weights.min())
    if lightest < options.least_weight:
        return f"the smaller one would hold {lightest:.2%} of the cells, {options.least_weight:.2%} is asked for"
    one = -len(cells) / 2 * (np.log(2 * np.pi * cells.var()) + 1)
    evidence = 2 * (mixture.log_likelihood - one) - 3 * np.log(len(cells))
    if evidence < options.least_evidence:
        return f"two fit hardly better than one (BIC differs by {evidence:.1f}, not by {options.least_evidence:g})"
    low, high = (mixture.log_density(mean) for mean in mixture.means)
    if not (low[0] > low[1] and high[1] > high[0]):
        return "one of them lies wholly inside the other"
    return ""
