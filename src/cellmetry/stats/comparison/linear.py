"""Linear models of replicates: Student's, Welch's and the paired t, one-way and blocked analysis of variance."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from statsmodels.regression.linear_model import OLS
from statsmodels.stats.oneway import anova_oneway

from cellmetry.stats.comparison.inference import Joint, contrast_matrix, f_test, is_constant, t_tests
from cellmetry.stats.p_values import p_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from cellmetry.stats.comparison.inference import Pair, Tests

    Floats = NDArray[np.float64]

__all__ = ["Layout", "lay_out", "own_tests", "pooled_tests", "welch_difference"]


class Layout(NamedTuple):
    """A linear model: response (n,), design matrix (n, p) with the conditions first, codes of each row."""

    y: Floats
    design: Floats
    replicate: NDArray[np.intp]
    condition: NDArray[np.intp]


def lay_out(wide: Floats, *, blocked: bool) -> Layout:
    """Return the model value ~ condition (+ replicate) of replicates, shape (replicates, conditions).

    In blocks, replicates that only one condition has carry no information on a difference and are left out.
    """
    there = np.isfinite(wide)
    if blocked:
        there = there & (there.sum(1) >= 2)[:, None]
    replicate, condition = np.nonzero(there)
    design = np.eye(wide.shape[1])[condition]
    if blocked:
        place = np.unique(replicate, return_inverse=True)[1]
        design = np.hstack([design, np.eye(place.max() + 1)[place][:, 1:]])
    return Layout(wide[replicate, condition], design, replicate, condition)


def pooled_tests(wide: Floats, pairs: Sequence[Pair], what: str, *, blocked: bool, size: float) -> Tests:
    """Return contrasts of one linear model with one variance.

    With two conditions this is Student's t-test, in blocks the paired one.

    Parameters
    ----------
    wide
        Replicates of the tested conditions, shape (replicates, conditions); NaN where there is none.
    what
        What is tested, in words: ``replicate means``.
    size
        As in `t_tests`.
    """
    layout = lay_out(wide, blocked=blocked)
    fit = OLS(layout.y, layout.design).fit()
    k, df = wide.shape[1], float(fit.df_resid)
    contrasts = contrast_matrix(pairs, layout.design.shape[1])
    covariance = contrasts @ np.asarray(fit.cov_params()) @ contrasts.T
    estimate = contrasts @ fit.params
    errors = np.sqrt(np.diag(covariance))
    method = f"{_name(k, blocked=blocked)} of {what}"
    tests = t_tests(estimate, errors, np.full(len(pairs), df), size, method)
    words = "Blocked analysis of variance" if blocked else "One-way analysis of variance"
    omnibus = f_test(fit.params[:k], np.asarray(fit.cov_params())[:k, :k], df, size, words)
    return replace(tests, joint=Joint(covariance, df, k), omnibus=omnibus)


def _name(k: int, *, blocked: bool) -> str:
    if k == 2:
        return "paired t-test" if blocked else "Student's t-test"
    return "linear model (condition + replicate as block)" if blocked else "linear model (condition, pooled variance)"


def own_tests(wide: Floats, pairs: Sequence[Pair], what: str, *, paired: bool, size: float) -> Tests:
    """Return contrasts with a variance each: Welch's t-test (1947), of pairs the paired one.

    Where one condition is constant (a control divided by itself), both are the one-sample t-test of the other.
    """
    sides = [(wide[:, pair.condition], wide[:, pair.reference]) for pair in pairs]
    found = [_pair_differences(*both) if paired else welch_difference(*both, size) for both in sides]
    estimate, errors, df = np.array(found).T
    name = "paired t-test" if paired else "Welch's t-test"
    tests = t_tests(estimate, errors, df, size, f"{name} of {what}")
    return tests if paired else replace(tests, omnibus=_welch_anova(wide, size))


def _pair_differences(one: Floats, other: Floats) -> tuple[float, float, float]:
    """Return mean of the differences, its standard error and degrees of freedom."""
    differences = (one - other)[np.isfinite(one - other)]
    n = len(differences)
    return float(differences.mean()), float(differences.std(ddof=1) / np.sqrt(n)), n - 1.0


def welch_difference(one: Floats, other: Floats, size: float) -> tuple[float, float, float]:
    """Return difference of means, its standard error and Satterthwaite's degrees of freedom."""
    sides = [side[np.isfinite(side)] for side in (one, other)]
    squares = [0.0 if is_constant(side, size) else float(side.var(ddof=1) / len(side)) for side in sides]
    total = sum(squares)
    parts = sum(square**2 / (len(side) - 1) for square, side in zip(squares, sides, strict=True))
    df = total**2 / parts if parts > 0 else 0.0
    return float(sides[0].mean() - sides[1].mean()), float(np.sqrt(total)), df


def _welch_anova(wide: Floats, size: float) -> str:
    """Return Welch's analysis of variance (1951) in words; empty with two conditions or one that is constant."""
    groups = [column[np.isfinite(column)] for column in wide.T]
    if len(groups) < 3 or any(is_constant(group, size) for group in groups):
        return ""
    found = anova_oneway(groups, use_var="unequal")
    first, second = found.df
    told = p_text(float(found.pvalue))
    return f"Welch's analysis of variance: F({first:g}, {second:.3g}) = {found.statistic:.4g}, {told}"
