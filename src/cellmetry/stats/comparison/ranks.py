"""Tests on the ranks of replicates, with the Hodges–Lehmann shift and its interval."""

from __future__ import annotations

from functools import cache
from math import comb
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import stats

from cellmetry.stats.comparison.inference import NO_SPREAD, Tests, is_constant
from cellmetry.stats.p_values import p_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from cellmetry.stats.comparison.inference import Pair

    Floats = NDArray[np.float64]

__all__ = ["rank_tests"]

_ORDERS = 9999
"""With ties all orders are tried if there are no more than this; with more the normal approximation is close."""


class _Ranked(NamedTuple):
    """Shifts between two conditions (sorted), the p-value, and the chance of each count of shifts below the truth."""

    shifts: Floats
    p_value: float
    least_p: float
    counts: Floats


def rank_tests(wide: Floats, pairs: Sequence[Pair], what: str, *, paired: bool, size: float) -> Tests:
    """Return Wilcoxon's signed-rank tests of pairs, or Mann and Whitney's of independent replicates, both exact.

    The estimate is the Hodges–Lehmann shift (1963): the median of all differences, or of pairs the median of the
    averages of any two; its interval is cut from the same sorted shifts by the exact null distribution (Lehmann 1975).
    Too few replicates allow no interval of the coverage asked for: its ends are then missing.

    Parameters
    ----------
    wide
        Replicates of the tested conditions, shape (replicates, conditions); NaN where there is none.
    size
        As in `t_tests`.
    """
    found = [_paired(wide, pair, size) if paired else _independent(wide, pair, size) for pair in pairs]

    def bounds(coverage: float) -> tuple[Floats, Floats]:
        low, high = np.array([_cut(each, coverage) for each in found]).T
        return low, high

    return Tests(
        estimate=np.array([float(np.median(each.shifts)) for each in found]),
        p_value=np.array([each.p_value for each in found]),
        bounds=bounds,
        method=f"{'Wilcoxon signed-rank test' if paired else 'Mann–Whitney test'} of {what}",
        reasons=tuple(NO_SPREAD if np.isnan(each.p_value) else "" for each in found),
        omnibus=_omnibus(wide, paired=paired, size=size),
        notes=_least(found, paired=paired),
    )


def _independent(wide: Floats, pair: Pair, size: float) -> _Ranked:
    one, other = (column[np.isfinite(column)] for column in (wide[:, pair.condition], wide[:, pair.reference]))
    shifts = np.sort((one[:, None] - other[None, :]).ravel())
    counts = _mann_whitney_counts(len(one), len(other))
    if is_constant(np.concatenate([one, other]), size):
        return _Ranked(shifts, np.nan, np.nan, counts)
    tied = len(np.unique(np.concatenate([one, other]))) < len(one) + len(other)
    way = _way(comb(len(one) + len(other), len(one)), tied=tied)
    p_value = float(stats.mannwhitneyu(one, other, method=way).pvalue)
    return _Ranked(shifts, p_value, 2 * counts[0], counts)


def _paired(wide: Floats, pair: Pair, size: float) -> _Ranked:
    differences = wide[:, pair.condition] - wide[:, pair.reference]
    differences = differences[np.isfinite(differences)]
    n = len(differences)
    first, second = np.triu_indices(n)
    shifts = np.sort((differences[first] + differences[second]) / 2)
    counts = _signed_rank_counts(n)
    if is_constant(differences, size):
        return _Ranked(shifts, np.nan, np.nan, counts)
    sizes = np.abs(differences)
    tied = len(np.unique(sizes)) < n or bool((sizes == 0).any())
    p_value = float(stats.wilcoxon(differences, method=_way(2**n, tied=tied)).pvalue)
    return _Ranked(shifts, p_value, 2 * counts[0], counts)


def _way(orders: int, *, tied: bool) -> stats.PermutationMethod | str:
    """Return how scipy is to find the p-value; all orders are tried only if there are not too many."""
    if not tied:
        return "exact"
    return stats.PermutationMethod(n_resamples=_ORDERS) if orders <= _ORDERS else "asymptotic"


@cache
def _mann_whitney_counts(m: int, n: int) -> Floats:
    """Return the chance of each number of pairs (0 to m n) in which one is above the other, if neither tends to be.

    Gaussian binomial coefficients: the product over i of (1 - x^(n + i)) / (1 - x^i), as Mann & Whitney (1947).
    """
    ways: Floats = np.zeros(m * n + 1)
    ways[0] = 1.0
    for step in range(1, m + 1):
        ways[n + step :] -= ways[: -(n + step)].copy() if n + step <= m * n else 0.0
        for start in range(step):
            ways[start::step] = np.cumsum(ways[start::step])
    chances: Floats = ways / ways.sum()
    return chances


@cache
def _signed_rank_counts(n: int) -> Floats:
    """Return the chance of each sum of positive ranks (0 to n (n + 1) / 2) if signs are as by a coin."""
    chances: Floats = np.ones(1)
    for rank in range(1, n + 1):
        step = np.zeros(rank + 1)
        step[[0, -1]] = 0.5
        chances = np.convolve(chances, step)
    return chances


def _cut(ranked: _Ranked, coverage: float) -> tuple[float, float]:
    """Return the shifts between which the interval lies; NaN if even the widest covers less."""
    below = np.cumsum(ranked.counts)
    place = int(np.searchsorted(below, (1 - coverage) / 2 * (1 + 1e-9), side="right"))
    if place == 0 or np.isnan(ranked.p_value):
        return np.nan, np.nan
    return float(ranked.shifts[place - 1]), float(ranked.shifts[-place])


def _least(found: list[_Ranked], *, paired: bool) -> tuple[str, ...]:
    least = [each.least_p for each in found if np.isfinite(each.least_p)]
    if not least or max(least) <= 0.05:
        return ()
    example = "" if paired else " (three against three: 0.1)"
    return (
        f"With so few replicates a test of ranks cannot give a p-value below {max(least):.3g}, however large the "
        f"effect{example}; more replicates or a t-test are needed to find anything.",
    )


def _omnibus(wide: Floats, *, paired: bool, size: float) -> str:
    """Return Kruskal and Wallis' test, in whole blocks Friedman's, in words; empty where neither can be made."""
    groups = [column[np.isfinite(column)] for column in wide.T]
    if len(groups) < 3 or is_constant(np.concatenate(groups), size):
        return ""
    if not paired:
        found = stats.kruskal(*groups)
        return f"Kruskal–Wallis test: H({len(groups) - 1}) = {found.statistic:.4g}, {p_text(float(found.pvalue))}"
    whole = wide[np.isfinite(wide).all(1)]
    if len(whole) < 2 or not (np.ptp(whole, axis=1) > 0).any():
        return ""
    found = stats.friedmanchisquare(*whole.T)
    return f"Friedman test: χ²({len(groups) - 1}) = {found.statistic:.4g}, {p_text(float(found.pvalue))}"
