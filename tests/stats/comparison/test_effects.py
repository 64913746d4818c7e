"""Effect sizes against definitions, and their intervals against simulated replicates."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from cellmetry.stats.comparison.effects import cliffs_delta, delta_of_sorted, hedges_g

ONE, OTHER = np.array([5.1, 6.2, 7.7, 8.0, 6.6]), np.array([4.0, 5.9, 5.2, 3.3])


def test_hedges_g_by_hand() -> None:
    g = hedges_g(ONE, OTHER, paired=False, confidence=0.95, size=8.0)
    pooled = np.sqrt((4 * ONE.var(ddof=1) + 3 * OTHER.var(ddof=1)) / 7)
    assert g.value == pytest.approx((ONE.mean() - OTHER.mean()) / pooled * (1 - 3 / (4 * 7 - 1)), rel=1e-3)
    t, root = stats.ttest_ind(ONE, OTHER).statistic, np.sqrt(1 / 5 + 1 / 4)
    assert stats.nct.cdf(t, 7, g.low / root) == pytest.approx(0.975, abs=1e-4)
    assert stats.nct.cdf(t, 7, g.high / root) == pytest.approx(0.025, abs=1e-4)


def test_hedges_g_says_what_the_t_test_says() -> None:
    rng = np.random.default_rng(0)
    for paired, n in ((True, 4), (False, 5)):
        for _ in range(50):
            one, other = rng.normal(1, 1, n), rng.normal(0, 1, n)
            g = hedges_g(one, other, paired=paired, confidence=0.95, size=5.0)
            p_value = (stats.ttest_rel if paired else stats.ttest_ind)(one, other).pvalue
            assert (g.low > 0 or g.high < 0) == (p_value < 0.05)


def test_intervals_hold_the_truth() -> None:
    rng = np.random.default_rng(1)
    held = np.zeros(2)
    for _ in range(600):
        one, other = rng.normal(1, 1, 5), rng.normal(0, 1, 5)
        g = hedges_g(one, other, paired=False, confidence=0.95, size=5.0)
        delta = cliffs_delta(one, other, paired=False, confidence=0.95)
        true = 2 * stats.norm.cdf(1 / np.sqrt(2)) - 1
        held += [g.low <= 1 <= g.high, delta.low <= true <= delta.high]
    assert held[0] / 600 == pytest.approx(0.95, abs=0.03)
    assert held[1] / 600 > 0.9


@pytest.mark.parametrize("paired", [True, False])
def test_g_of_three_replicates_is_right_and_its_interval_holds(paired) -> None:
    """True effect 1; pairs correlate by 0.5."""
    rng = np.random.default_rng(7)
    shared = rng.normal(0, np.sqrt(0.5), (2000, 3)) if paired else 0.0
    own = np.sqrt(0.5) if paired else 1.0
    ones, others = (shared + rng.normal(0, own, (2, 2000, 3))) + np.array([1.0, 0.0])[:, None, None]
    found = np.array(
        [hedges_g(*both, paired=paired, confidence=0.95, size=5.0) for both in zip(ones, others, strict=True)]
    )
    assert np.mean((found[:, 1] <= 1) & (found[:, 2] >= 1)) == pytest.approx(0.95, abs=0.025)
    assert np.mean(found[:, 0]) == pytest.approx(1.0, abs=0.12)


@pytest.mark.parametrize("paired", [True, False])
def test_effects_too_large_for_an_interval_have_none(paired) -> None:
    g = hedges_g(1e5 * ONE.mean() + ONE[:4], OTHER, paired=paired, confidence=0.95, size=1e6)
    assert g.value > 1e4
    assert np.isnan([g.low, g.high]).all()


def test_too_few_or_no_spread_is_missing() -> None:
    flat = np.full(4, 2.0)
    for paired in (True, False):
        assert np.isnan(hedges_g(flat, flat, paired=paired, confidence=0.95, size=2.0)).all()
        assert np.isnan(hedges_g(ONE[:1], OTHER[:1], paired=paired, confidence=0.95, size=8.0)).all()
        assert np.isnan(cliffs_delta(ONE[:1], OTHER[:1], paired=paired, confidence=0.95)).all()


def test_cliffs_delta_by_hand() -> None:
    found = cliffs_delta(ONE, OTHER, paired=False, confidence=0.95)
    signs = np.sign(np.subtract.outer(ONE, OTHER))
    assert found.value == pytest.approx(signs.mean())
    assert -1 <= found.low < found.value < found.high <= 1
    apart = cliffs_delta(ONE + 10, OTHER, paired=False, confidence=0.95)
    z2 = stats.norm.ppf(0.975) ** 2
    assert apart == pytest.approx((1, (4 - z2) / (4 + z2), 1))
    pairs = cliffs_delta(ONE[:4], np.add(OTHER, [0, 5, 0, 0]), paired=True, confidence=0.95)
    assert pairs.value == 0.5
    wilson = stats.binomtest(3, 4).proportion_ci(0.95, method="wilson")
    assert (pairs.low, pairs.high) == pytest.approx((2 * wilson.low - 1, 2 * wilson.high - 1))


@given(st.lists(st.integers(-5, 5), min_size=1, max_size=30), st.lists(st.integers(-5, 5), min_size=1, max_size=30))
def test_delta_by_places_is_that_of_all_pairs(one, other) -> None:
    first, second = np.sort(np.array(one, float)), np.sort(np.array(other, float))
    assert delta_of_sorted(first, second) == pytest.approx(np.sign(np.subtract.outer(first, second)).mean())
