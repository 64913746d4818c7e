"""Corrections for several contrasts, and the intervals that hold for all of them at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import optimize, special, stats
from statsmodels.stats.multitest import multipletests

from cellmetry.errors import ParameterError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cellmetry.stats.comparison.inference import Joint, Tests
    from cellmetry.stats.comparison.options import CompareOptions

    Floats = NDArray[np.float64]

__all__ = ["Adjusted", "adjust_tests"]

_WORDS = {
    "dunnett": "Dunnett (each with the control)",
    "tukey": "Tukey–Kramer (each with each)",
    "holm": "Holm; simultaneous intervals by Bonferroni",
    "bonferroni": "Bonferroni",
    "fdr_bh": "false discovery rate (Benjamini & Hochberg); simultaneous intervals by Bonferroni",
    "none": "none, though there are several contrasts",
}
_POINTS = 2**14
"""Points at which the multivariate t is integrated; they are the same each time."""


class Adjusted(NamedTuple):
    """Corrected p-values, ends of simultaneous intervals, and the correction in words."""

    p_value: Floats
    low: Floats
    high: Floats
    words: str


def adjust_tests(tests: Tests, options: CompareOptions) -> Adjusted:
    """Return p-values corrected for the number of contrasts that have one, with simultaneous intervals.

    Dunnett's correction (1955) integrates the multivariate t of the contrasts' correlation, which serves blocked and
    mixed models too; Tukey's takes the studentised range, as Kramer (1956) does for unequal numbers.

    Raises
    ------
    ParameterError
        If Dunnett's or Tukey's is asked for and does not fit the contrasts or the method.
    """
    used = np.isfinite(tests.p_value)
    how = _chosen(tests, options)
    count = int(used.sum())
    if count <= 1:
        low, high = tests.bounds(options.confidence)
        return Adjusted(tests.p_value, low, high, "none needed for one contrast" if count else "")
    if how in ("dunnett", "tukey") and tests.joint is not None:
        return _joint(tests, tests.joint, how, options.confidence)
    p_value = np.full(len(used), np.nan)
    p_value[used] = tests.p_value[used] if how == "none" else multipletests(tests.p_value[used], method=how)[1]
    low, high = tests.bounds(1 - (1 - options.confidence) / count)
    if how == "none":
        low, high = np.full_like(low, np.nan), np.full_like(high, np.nan)
    return Adjusted(p_value, low, high, _WORDS[how])


def _chosen(tests: Tests, options: CompareOptions) -> str:
    """Return the correction to use; refuses one that does not fit."""
    if options.adjust == "auto":
        if tests.joint is None:
            return "holm"
        return "tukey" if options.control is None else "dunnett"
    if options.adjust == "dunnett" and options.control is None:
        raise ParameterError("Dunnett's correction compares with a control; name it, or choose --adjust tukey.")
    if options.adjust == "tukey" and options.control is not None:
        raise ParameterError("Tukey's correction compares each with each; choose dunnett, or name no control.")
    if options.adjust in ("dunnett", "tukey") and tests.joint is None and len(tests.estimate) > 1:
        raise ParameterError(
            f"{options.adjust.capitalize()}'s correction needs one variance for all contrasts, which the "
            f"{tests.method} does not have; choose --adjust holm."
        )
    return options.adjust


def _joint(tests: Tests, joint: Joint, how: str, confidence: float) -> Adjusted:
    """Return the correction by the joint distribution of the contrasts of one model."""
    used = np.flatnonzero(np.isfinite(tests.p_value))
    covariance = joint.covariance[np.ix_(used, used)]
    errors = np.sqrt(np.diag(covariance))
    sizes = np.abs(tests.estimate[used] / errors)
    if how == "tukey":
        p_value = stats.studentized_range.sf(sizes * np.sqrt(2), joint.n_conditions, joint.df)
        factor = float(stats.studentized_range.ppf(confidence, joint.n_conditions, joint.df) / np.sqrt(2))
    else:
        largest = _largest(covariance / np.outer(errors, errors))
        p_value = np.array([_outside(size, largest, joint.df) for size in sizes])
        factor = _factor(largest, joint.df, confidence, len(used))
    alone = tests.p_value[used]
    full, half = np.full((2, len(tests.p_value)), np.nan)
    full[used] = np.clip(p_value, alone, np.minimum(1, len(used) * alone))
    half[used] = factor * errors
    return Adjusted(full, tests.estimate - half, tests.estimate + half, _WORDS[how])


def _largest(correlation: Floats) -> Floats:
    """Return the largest absolute value of each of many correlated normal variables (Sobol' points)."""
    points = stats.qmc.Sobol(len(correlation), scramble=False).random(_POINTS) + 0.5 / _POINTS
    normal = special.ndtri(points) @ np.linalg.cholesky(correlation).T
    return np.asarray(np.abs(normal).max(axis=1))


def _outside(size: float, largest: Floats, df: float) -> float:
    """Return the chance that some contrast's t is larger than `size`, if there is no effect at all.

    t is normal over the root of χ² / df: given the normal part, the chance is that χ² is small enough.
    """
    with np.errstate(divide="ignore"):
        return float(stats.chi2.cdf(df * (largest / size) ** 2, df).mean())


def _factor(largest: Floats, df: float, confidence: float, count: int) -> float:
    """Return the t that none of `count` contrasts passes with the chance `confidence`."""
    alone, bonferroni = (stats.t.ppf(1 - (1 - confidence) / 2 / each, df) for each in (1, count))
    found = optimize.brentq(
        lambda size: _outside(size, largest, df) - (1 - confidence), 0.9 * alone, 1.1 * bonferroni, xtol=1e-8
    )
    return float(np.clip(found, alone, bonferroni))
