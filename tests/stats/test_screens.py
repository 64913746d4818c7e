"""Quality of screens against numbers worked out by hand, and their intervals."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from cellmetry.stats.screens import (
    SCREEN_MEASURES,
    ScreenOptions,
    robust_z_prime,
    screen_quality,
    signal_window,
    ssmd,
    z_prime,
)

HIGH, LOW = np.array([10.0, 11.0, 12.0]), np.array([1.0, 2.0, 3.0, 2.0])


def test_by_hand() -> None:
    spread = 1 + np.sqrt(2 / 3)
    assert z_prime(HIGH, LOW) == pytest.approx(1 - 3 * spread / 9)
    assert ssmd(HIGH, LOW) == pytest.approx(9 / np.sqrt(1 + 2 / 3))
    assert ssmd(LOW, HIGH) == pytest.approx(-9 / np.sqrt(1 + 2 / 3))
    assert signal_window(HIGH, LOW) == pytest.approx(9 - 3 * spread)
    mads = [stats.median_abs_deviation(values, scale="normal") for values in (HIGH, LOW)]
    assert robust_z_prime(HIGH, LOW) == pytest.approx(1 - 3 * sum(mads) / 9)


def test_one_odd_well_changes_the_robust_one_little() -> None:
    wells = np.linspace(9, 11, 21)
    odd = np.append(wells, 40.0)
    low = np.linspace(0, 2, 21)
    assert z_prime(odd, low) < z_prime(wells, low) - 0.5
    assert abs(robust_z_prime(odd, low) - robust_z_prime(wells, low)) < 0.1


def test_controls_that_are_alike_have_no_z_prime() -> None:
    assert np.isnan(z_prime(LOW, LOW))
    assert np.isnan(robust_z_prime(LOW, LOW))
    assert ssmd(LOW, LOW) == 0
    assert signal_window(LOW, LOW) == pytest.approx(-6)


@pytest.mark.parametrize(("positive", "negative"), [([0.0] * 4, [0.0] * 4), ([0.1] * 3, [0.1] * 4)])
def test_identical_controls_are_not_perfect(positive, negative) -> None:
    table = screen_quality(positive, negative).set_index("measure")
    for name, words in (("z_prime", "means"), ("robust_z_prime", "medians")):
        assert table.loc[name, ["value", "low", "high"]].isna().all()
        assert table.loc[name, "reason"] == f"the {words} of both controls are the same"
    assert (table.loc["ssmd", ["value", "low", "high"]] == 0).all()
    assert table.loc["ssmd", "reason"] == ""


def test_a_signal_window_of_nothing_over_nothing_is_missing() -> None:
    row = screen_quality([0.0] * 4, [0.0] * 4).set_index("measure").loc["signal_window"]
    assert np.isnan(row["value"])
    assert "no spread" in row["reason"]
    assert signal_window(np.full(3, 7.0), LOW) == np.inf
    assert signal_window(np.full(3, 3.0), LOW) == -np.inf


def test_medians_that_are_the_same_tell_nothing_apart() -> None:
    table = screen_quality([5, 5, 5, 9], [5, 5, 5, 1]).set_index("measure")
    assert np.isnan(table.loc["robust_z_prime", "value"])
    assert "medians" in table.loc["robust_z_prime", "reason"]
    assert table.loc["z_prime", "value"] == pytest.approx(-5)
    assert table.loc["z_prime", "low"] == -np.inf
    assert table.loc["z_prime", "reason"] == ""


def test_samples_without_a_gap_do_not_raise_the_interval() -> None:
    table = screen_quality([5, 5, 5, 5, 9], [5, 5, 5, 5, 5]).set_index("measure")
    assert table.loc["z_prime", "low"] == -np.inf
    assert table.loc["z_prime", "high"] < 0


def test_controls_without_spread_that_differ_are_perfect() -> None:
    table = screen_quality([9.0] * 3, [1.0] * 3).set_index("measure")
    assert (table.loc[["z_prime", "robust_z_prime"], ["value", "low", "high"]] == 1).all(axis=None)
    assert table.loc["ssmd", "value"] == np.inf


@given(st.floats(0.1, 100), st.floats(-50, 50))
def test_units_do_not_matter(factor, offset) -> None:
    for name, measure in SCREEN_MEASURES.items():
        moved = measure(HIGH * factor + offset, LOW * factor + offset)
        np.testing.assert_allclose(moved, measure(HIGH, LOW), rtol=1e-6, err_msg=name)


def test_the_table_has_intervals_and_counts() -> None:
    random = np.random.default_rng(0)
    table = screen_quality(random.normal(10, 1, 20), [*random.normal(0, 1, 30), np.nan]).set_index("measure")
    assert list(table.index) == ["z_prime", "robust_z_prime", "ssmd", "signal_window"]
    assert (table["n_positive"] == 20).all()
    assert (table["n_negative"] == 30).all()
    assert (table["low"] <= table["value"]).all()
    assert (table["value"] <= table["high"]).all()
    assert table.loc["z_prime", "low"] < 0.4 < table.loc["z_prime", "high"]


def test_the_same_seed_gives_the_same_interval() -> None:
    first, second, other = (screen_quality(HIGH, LOW, ScreenOptions(seed=seed)) for seed in (1, 1, 2))
    assert first.equals(second)
    assert not first.equals(other)


def test_one_well_has_no_spread() -> None:
    table = screen_quality([10.0], LOW)
    assert table["value"].isna().all()
    assert (
        table["reason"] == "1 positive and 4 negative control units have a value; at least 2 of each are needed"
    ).all()
