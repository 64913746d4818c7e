"""Tests of ranks and their shifts: the interval and the p-value say the same."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from cellmetry.stats.comparison.inference import Pair
from cellmetry.stats.comparison.ranks import rank_tests


@given(st.integers(2, 8), st.integers(2, 8), st.booleans(), st.integers(0, 10**6))
def test_interval_holds_0_where_p_is_large(n, m, paired, seed) -> None:
    rng = np.random.default_rng(seed)
    wide = np.full((8, 2), np.nan)
    wide[:n, 0], wide[: n if paired else m, 1] = rng.normal(0, 1, n), rng.normal(1.5, 1, n if paired else m)
    tests = rank_tests(wide, [Pair(1, 0)], "replicate means", paired=paired, size=5.0)
    (low,), (high,) = tests.bounds(0.95)
    if np.isnan(low):
        assert tests.p_value[0] > 0.05
    else:
        assert (low <= 0 <= high) == (tests.p_value[0] > 0.05)
        assert low <= tests.estimate[0] <= high


def test_ties_are_tried_in_all_orders() -> None:
    wide = np.array([[1.0, 2], [2, 3], [2, 4], [3, 5], [1, 5]])
    found = rank_tests(wide, [Pair(1, 0)], "x", paired=False, size=5.0).p_value[0]
    exact = stats.permutation_test(
        (wide[:, 1], wide[:, 0]), lambda one, other: stats.mannwhitneyu(one, other).statistic, n_resamples=np.inf
    )
    assert found == pytest.approx(exact.pvalue)


def test_friedman_of_scipy() -> None:
    wide = np.random.default_rng(0).normal(size=(5, 3))
    omnibus = rank_tests(wide, [Pair(1, 0)], "x", paired=True, size=5.0).omnibus
    expected = stats.friedmanchisquare(*wide.T)
    assert f"{expected.statistic:.4g}, p = {expected.pvalue:.3g}" in omnibus
