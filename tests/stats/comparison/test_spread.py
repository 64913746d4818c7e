"""Conditions that scatter unlike: which test is made, and what is said."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from cellmetry.stats.comparison.compare import compare
from cellmetry.stats.comparison.options import CompareOptions

SHAPE = np.array([-1.0, 0.2, 0.8])


def compared(table, **options):
    return compare(table, CompareOptions(**{"value": "y", **options}))


def about_spread(result) -> str:
    return " ".join(note for note in result.notes if "do not scatter alike" in note)


def test_unequal_numbers_of_two_conditions_take_welch(make_table) -> None:
    groups = {"a": [1.0, 5.0, 12.0], "b": [3.0, 3.4, 2.9, 3.6, 3.2, 3.1]}
    found = compared(make_table(groups)).contrasts.iloc[0]
    assert found["method"].startswith("Welch")
    assert found["p_value"] == pytest.approx(stats.ttest_ind(groups["b"], groups["a"], equal_var=False).pvalue)
    asked = compared(make_table(groups), method="t").contrasts.iloc[0]
    assert asked["p_value"] == pytest.approx(stats.ttest_ind(groups["b"], groups["a"]).pvalue)
    equal = compared(make_table({name: values[:3] for name, values in groups.items()})).contrasts.iloc[0]
    assert equal["method"].startswith("Student")


def test_unequal_conditions_find_no_more_than_they_should(make_table) -> None:
    rng = np.random.default_rng(0)
    draws = [{"a": rng.normal(0, 10, 3), "b": rng.normal(0, 1, 6)} for _ in range(200)]
    p_values = [compared(make_table(groups)).contrasts["p_value"][0] for groups in draws]
    assert np.mean(np.array(p_values) < 0.05) < 0.11


def test_unlike_spread_of_replicates_is_told(make_table) -> None:
    groups = {"a": 10 + SHAPE, "b": 11 + 0.9 * SHAPE, "c": 12 + 5 * SHAPE}
    said = about_spread(compared(make_table(groups)))
    assert "replicates of c have a standard deviation of 4.58, those of b of 0.825" in said
    assert "may be chance" in said
    assert "average spread" in said
    assert "--method welch" in said
    assert about_spread(compared(make_table(groups | {"c": 12 + 2 * SHAPE}))) == ""
    assert about_spread(compared(make_table(groups), method="welch")) == ""
    assert "--scale log" not in about_spread(
        compared(make_table({k: np.exp(v) for k, v in groups.items()}), scale="log")
    )


def test_unlike_spread_of_pairs_is_told(make_table) -> None:
    days = np.array([3.0, 8.0, 1.0])
    groups = {"a": days, "b": days + 1 + 0.2 * SHAPE, "c": days + 2 + 2 * SHAPE[::-1]}
    table = make_table(groups, ["p", "q", "r"])
    said = about_spread(compared(table, control="a"))
    assert "differences of c less a have a standard deviation of 1.83, those of b less a of 0.183" in said
    assert "paired t-test of each contrast" in said
    assert about_spread(compared(table, control="a", method="welch")) == ""
    assert about_spread(compared(table[table["condition"] != "c"])) == ""
