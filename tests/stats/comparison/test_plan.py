"""How replicates belong together where some are missing, and what that does to tests."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cellmetry.stats.comparison.compare import compare
from cellmetry.stats.comparison.fractions import gee_tests
from cellmetry.stats.comparison.inference import Pair
from cellmetry.stats.comparison.linear import pooled_tests
from cellmetry.stats.comparison.options import CompareOptions

STUDIES = 600


def six_by_three(seed: int = 0) -> pd.DataFrame:
    """Return one value for each of six conditions on three days; B on day 2 is missing."""
    rng = np.random.default_rng(seed)
    days = rng.normal(0, 1, 3)
    rows = [(name, f"d{day}", days[day] + rng.normal(0, 0.3)) for name in "ABCDEF" for day in range(3)]
    table = pd.DataFrame(rows, columns=["condition", "replicate", "y"])
    return table[(table["condition"] != "B") | (table["replicate"] != "d2")]


def test_a_missing_well_leaves_blocks() -> None:
    result = compare(six_by_three(), CompareOptions(value="y", control="A"))
    assert result.design.paired
    assert result.contrasts["method"].str.contains("replicate as block").all()
    assert any("B lacks replicate d2." in note for note in result.notes)
    assert any("not those of the means shown" in note for note in result.notes)
    means = result.groups.set_index("condition")["mean"]
    assert result.contrasts["estimate"][0] != pytest.approx(means["B"] - means["A"])
    whole = compare(six_by_three().query("condition != 'B'"), CompareOptions(value="y", control="A"))
    assert not any("means shown" in note for note in whole.notes)


def test_blocks_with_a_missing_well_find_no_more_than_they_should() -> None:
    rng = np.random.default_rng(1)
    found = []
    for _ in range(STUDIES):
        wide = rng.normal(0, 1, (3, 1)) + rng.normal(0, 0.5, (3, 6))
        wide[2, 1] = np.nan
        tests = pooled_tests(wide, [Pair(1, 0), Pair(2, 0)], "x", blocked=True, size=5.0)
        found.append(tests.p_value < 0.05)
    assert np.mean(found, axis=0) == pytest.approx([0.05, 0.05], abs=0.03)


@pytest.mark.parametrize("paired", [True, False])
def test_gee_of_all_conditions_finds_no_more_than_it_should(paired) -> None:
    rng = np.random.default_rng(2)
    found = []
    for _ in range(150):
        days, own = paired * rng.normal(0, 0.3, 5), rng.normal(0, 0.4, (3, 5))
        share = 1 / (1 + np.exp(-(days + own)))
        total = rng.integers(150, 250, share.shape)
        condition, day = np.indices(share.shape)
        counts = {
            "positive": rng.binomial(total, share).ravel(),
            "cells": total.ravel(),
            "condition": condition.ravel(),
        }
        replicate = day if paired else day + 5 * condition
        table = pd.DataFrame({**counts, "replicate": replicate.ravel()})
        words = gee_tests(table, [Pair(1, 0)], "cells", paired=paired, log=False).omnibus
        assert words.startswith("Wald test of the GEE: F(2, 3)" if paired else "Wald test of the GEE: F(2, 12)")
        found.append(float(words.rsplit("p = ", 1)[1]) < 0.05)
    assert np.mean(found) < 0.1


def test_gee_of_as_many_conditions_as_days_has_no_test_of_all(make_study) -> None:
    options = CompareOptions(value="positive", method="gee")
    assert compare(make_study(4, 3), options).omnibus == ""
    assert compare(make_study(3, 3), options).omnibus.startswith("Wald test of the GEE: F(2, 1)")
