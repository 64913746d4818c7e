"""Fractions positive: thresholds of each kind, Wilson's intervals, and refusals where there are no two populations."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from cellmetry.errors import ParameterError
from cellmetry.stats.mixture import MixtureOptions, fit_mixture, mixture_threshold
from cellmetry.stats.positive import (
    ControlRule,
    control_threshold,
    count_positive,
    fixed_threshold,
    population_threshold,
    wilson_interval,
)


@given(st.integers(0, 400), st.integers(1, 400), st.sampled_from([0.8, 0.95, 0.99]))
def test_wilson_is_scipys(hits, count, confidence) -> None:
    hits = min(hits, count)
    low, high = wilson_interval([hits], [count], confidence)
    theirs = stats.binomtest(hits, count).proportion_ci(confidence, method="wilson")
    assert (low[0], high[0]) == pytest.approx((theirs.low, theirs.high), abs=1e-9)


def test_fractions_of_wells() -> None:
    table = pd.DataFrame({"well": ["A1"] * 4 + ["A2"] * 3, "gfp": [1, 2, 3, np.nan, 3, 2.5, 2]})
    found = count_positive(table, "gfp", fixed_threshold(2), by=["well"]).set_index("well")
    assert found["n"].tolist() == [3, 3]
    assert found["n_missing"].tolist() == [1, 0]
    assert found["n_positive"].tolist() == [1, 2]  # a cell at the threshold is not above it
    np.testing.assert_allclose(found["fraction"], [1 / 3, 2 / 3])
    whole = count_positive(table, "gfp", fixed_threshold(2))
    assert whole.loc[0, ["n", "n_positive"]].tolist() == [6, 3]


def test_a_well_without_cells_has_no_fraction() -> None:
    table = pd.DataFrame({"well": ["A1", "A2"], "gfp": [1.0, np.nan]})
    found = count_positive(table, "gfp", fixed_threshold(0), by=["well"])
    assert found["n"].tolist() == [1, 0]
    assert found.loc[1, ["fraction", "low", "high"]].isna().all()


def test_an_infinite_value_is_a_missing_one() -> None:
    found = count_positive(pd.DataFrame({"gfp": [1.0, 3.0, np.inf, -np.inf]}), "gfp", fixed_threshold(2))
    assert found.loc[0, ["n", "n_missing", "n_positive"]].tolist() == [2, 2, 1]


def test_thresholds_of_the_control() -> None:
    cells = np.arange(101.0)
    assert control_threshold([*cells, np.nan]).value == pytest.approx(99)
    assert control_threshold(cells, ControlRule(percentile=50)).value == pytest.approx(50)
    rule = ControlRule(rule="mean_sd", k=2)
    assert control_threshold(cells, rule).value == pytest.approx(cells.mean() + 2 * cells.std(ddof=1))
    with pytest.raises(ParameterError, match="1 cells of the control"):
        control_threshold([3.0])


def two(share: float, gap: float, n: int = 4000, seed: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    high = random.random(n) < share
    return np.where(high, random.normal(gap, 1, n), random.normal(0, 1, n))


@pytest.mark.parametrize("share", [0.05, 0.3, 0.5, 0.9])
def test_two_populations_are_found(share) -> None:
    threshold = population_threshold(two(share, 6))
    assert threshold.mixture is not None
    np.testing.assert_allclose(threshold.mixture.weights[1], share, atol=0.02)
    np.testing.assert_allclose(threshold.mixture.means, [0, 6], atol=0.25)
    np.testing.assert_allclose(threshold.mixture.sds, [1, 1], atol=0.2)
    low, high = threshold.mixture.density([threshold.value])[0]
    assert low == pytest.approx(high)
    assert (two(share, 6) > threshold.value).mean() == pytest.approx(share, abs=0.02)


@given(st.sampled_from([1e-6, 1.0, 1e5]), st.floats(-100, 100))
def test_the_threshold_moves_with_the_unit(factor, offset) -> None:
    cells = two(0.4, 5, 500)
    moved, _ = mixture_threshold((cells + offset) * factor)
    assert moved / factor - offset == pytest.approx(mixture_threshold(cells)[0], abs=1e-3)


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        (np.random.default_rng(0).normal(0, 1, 3000), "do not show two populations"),
        (two(0.5, 1.0), "apart"),
        (two(0.004, 8), "smaller one would hold"),
        (np.full(50, 2.0), "alike"),
        (np.arange(5.0), "too few"),
    ],
)
def test_one_population_is_refused(cells, words) -> None:
    with pytest.raises(ParameterError, match=words):
        mixture_threshold(cells)


def test_evenly_spread_cells_are_no_proof_of_two() -> None:
    cells = np.random.default_rng(3).uniform(0, 1, 3000)
    with pytest.raises(ParameterError, match="populations"):
        mixture_threshold(cells, MixtureOptions(least_separation=4))


def test_em_reaches_a_likelihood_that_the_truth_does_not_exceed() -> None:
    cells = two(0.3, 4)
    truth = np.log(0.7 * stats.norm.pdf(cells, 0, 1) + 0.3 * stats.norm.pdf(cells, 4, 1)).sum()
    assert fit_mixture(cells).log_likelihood >= truth
