"""Advice on replicates against statsmodels' own search and against simulated studies."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.power import TTestIndPower, TTestPower

from cellmetry.stats.comparison.compare import compare
from cellmetry.stats.comparison.options import CompareOptions

GROUPS = {"a": [10.0, 11.0, 9.0, 10.5], "b": [10.4, 11.9, 9.3, 11.6]}


@pytest.mark.parametrize("names", [["p", "q", "r", "s"], None])
def test_power_of_statsmodels(make_table, names) -> None:
    row = compare(make_table(GROUPS, names), CompareOptions(value="y", detect=1.0)).power.iloc[0]
    one, other = (np.array(each) for each in GROUPS.values())
    if names:
        sd = (other - one).std(ddof=1)
        model, power = TTestPower(), TTestPower().power(1 / sd, 4, 0.05)
        needed = model.solve_power(1 / sd, None, 0.05, 0.8)
    else:
        sd = np.sqrt((one.var(ddof=1) + other.var(ddof=1)) / 2)
        power = TTestIndPower().power(1 / sd, 4, 0.05)
        needed = TTestIndPower().solve_power(1 / sd, None, 0.05, 0.8)
    assert row["sd"] == pytest.approx(sd)
    assert row["effect"] == 1.0
    assert row["power_now"] == pytest.approx(power, abs=1e-6)
    assert row["n_replicates"] == np.ceil(needed)
    again = compare(make_table(GROUPS, names), CompareOptions(value="y", detect=row["detectable_now"])).power.iloc[0]
    assert again["power_now"] == pytest.approx(0.8, abs=1e-6)


def test_so_many_replicates_find_it(make_table) -> None:
    row = compare(make_table(GROUPS), CompareOptions(value="y", detect=1.5)).power.iloc[0]
    n, rng = int(row["n_replicates"]), np.random.default_rng(0)
    draws = rng.normal([[[0.0], [1.5]]], row["sd"], (4000, 2, n))
    found = stats.ttest_ind(draws[:, 0], draws[:, 1], axis=1).pvalue < 0.05
    assert found.mean() > 0.78


def test_a_fifth_of_the_control_if_nothing_is_named(make_table) -> None:
    table = make_table(GROUPS)
    assert compare(table, CompareOptions(value="y", control="b")).power["effect"][0] == pytest.approx(0.2 * 10.8)
    assert compare(table, CompareOptions(value="y")).power["effect"][0] == pytest.approx(0.2 * 10.125)
    ratio = compare(table, CompareOptions(value="y", scale="log")).power.iloc[0]
    assert ratio["effect"] == pytest.approx(1.2)
    assert ratio["detectable_now"] > 1


def test_ten_percentage_points_of_fractions_if_nothing_is_named(make_table) -> None:
    counts = make_table({"a": [8, 12, 10, 9], "b": [30, 41, 33, 36]}).assign(n=100)
    asked = {"value": "y", "total": "n", "control": "a"}
    power = compare(counts, CompareOptions(**asked)).power
    assert power["effect"][0] == pytest.approx(0.1)
    (effect,) = (column for column in power.attrs["columns"] if column.name == "effect")
    assert effect.definition == "Difference that is to be found: 10 percentage points, as none was named."
    assert compare(counts, CompareOptions(**asked, detect=0.02)).power["effect"][0] == pytest.approx(0.02)
    none = counts.assign(y=counts["y"].where(counts["condition"] == "b", 0))
    assert compare(none, CompareOptions(**asked)).power["effect"][0] == pytest.approx(0.1)
    ratio = compare(counts, CompareOptions(**asked, scale="log")).power["effect"][0]
    share = np.exp(np.log([0.08, 0.12, 0.1, 0.09]).mean())
    assert ratio == pytest.approx((share + 0.1) / share)


@pytest.mark.parametrize("effect", [1e-6, 1e6])
def test_far_ends(make_table, effect) -> None:
    row = compare(make_table(GROUPS), CompareOptions(value="y", detect=effect)).power.iloc[0]
    if effect < 1:
        assert np.isnan(row["n_replicates"])
        assert row["power_now"] == pytest.approx(0.05, abs=1e-4)
    else:
        assert row["n_replicates"] == 2
        assert row["power_now"] == pytest.approx(1)


def test_one_replicate_says_nothing(make_table) -> None:
    row = compare(make_table({"a": [1.0], "b": [2.0]}), CompareOptions(value="y")).power.iloc[0]
    assert row[["sd", "n_replicates", "power_now", "detectable_now"]].isna().all()
