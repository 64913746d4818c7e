"""Corrections for several contrasts, and the intervals that hold for all of them at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import optimize, stats
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
_POINTS = 20_000
"""Points per contrast at which the multivariate t is integrated; they are the same each time."""


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
        correlation = covariance / np.outer(errors, errors)
        p_value = np.array([1 - _inside(size, correlation, joint.df) for size in sizes])
        factor = _factor(correlation, joint.df, confidence)
    alone = tests.p_value[used]
    full, half = np.full((2, len(tests.p_value)), np.nan)
    full[used] = np.clip(p_value, alone, np.minimum(1, len(used) * alone))
    half[used] = factor * errors
    return Adjusted(full, tests.estimate - half, tests.estimate + half, _WORDS[how])


def _inside(size: float, correlation: Floats, df: float) -> float:
    """Return the chance that no contrast's t is larger than `size`, if there is no effect at all."""
    edge = np.full(len(correlation), size)
    points = _POINTS * len(correlation)
    chance = stats.multivariate_t.cdf(
        edge, shape=correlation, df=df, lower_limit=-edge, maxpts=points, random_state=np.random.default_rng(0)
    )
    return float(chance)


def _factor(correlation: Floats, df: float, confidence: float) -> float:
    """Return the t that no contrast passes with the chance `confidence`."""
    alone = stats.t.ppf((1 + confidence) / 2, df)
    bonferroni = stats.t.ppf(1 - (1 - confidence) / 2 / len(correlation), df)
    found = optimize.brentq(
        lambda size: _inside(size, correlation, df) - confidence, 0.95 * alone, 1.05 * bonferroni, xtol=1e-5
    )
    return float(np.clip(found, alone, bonferroni))
