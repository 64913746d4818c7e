"""Gates: which cells are positive, by thresholds of all cells or of each part of them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cellmetry.core.parameters import parse_parameters
from cellmetry.errors import ParameterError
from cellmetry.stats.gates import Gate, apply_gate


def make_cells() -> pd.DataFrame:
    """Return two days of which the second is stained twice as bright; a tenth of the treated cells is positive."""
    random = np.random.default_rng(0)
    rows = []
    for day, light in (("monday", 1.0), ("friday", 2.0)):
        for drug, share in (("none", 0.0), ("drug", 0.1)):
            positive = np.arange(2000) < 2000 * share
            dark = random.normal(100, 5, 2000)
            rows.append(pd.DataFrame({"day": day, "drug": drug, "edu": light * np.where(positive, dark + 100, dark)}))
    return pd.concat(rows, ignore_index=True)


def test_a_threshold_for_each_day_finds_the_positive_cells_of_each():
    cells = make_cells()
    gated = apply_gate(cells, Gate(value="edu", control=("drug", "none"), within="day"))
    share = gated.table.groupby(["day", "drug"])["edu_positive"].mean()
    np.testing.assert_allclose(share[:, "drug"], 0.1 + 0.9 * 0.01, atol=0.006)
    assert gated.thresholds["within"].tolist() == ["friday", "monday"]
    assert gated.thresholds["n_positive"].tolist() == gated.table.groupby("day")["edu_positive"].sum().tolist()
    together = apply_gate(cells, Gate(value="edu", control=("drug", "none"))).table
    assert together.groupby(["day", "drug"])["edu_positive"].mean()["monday", "drug"] < 0.05


def test_a_cell_without_a_value_is_neither_positive_nor_negative():
    table = pd.DataFrame({"edu": [1.0, np.nan, 5.0, np.inf]})
    positive = apply_gate(table, Gate(value="edu", threshold=2)).table["edu_positive"]
    assert positive.isna().tolist() == [False, True, False, True]
    assert positive.dropna().tolist() == [False, True]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "in one way"),
        ({"threshold": 1, "mixture": True}, "in one way"),
        ({"threshold": 1, "rule": {"rule": "mean_sd"}}, "need a control"),
        ({"threshold": 1, "within": "day"}, "same everywhere"),
    ],
)
def test_a_gate_has_exactly_one_way_to_its_threshold(given, words):
    with pytest.raises(ParameterError, match=words):
        parse_parameters(Gate, {"value": "edu", **given}, where="gate")


def test_the_part_that_yields_no_threshold_is_named():
    cells = make_cells()
    cells = cells[(cells["day"] == "monday") | (cells["drug"] == "drug")]
    with pytest.raises(ParameterError, match="In day friday: No cell has drug = none"):
        apply_gate(cells, Gate(value="edu", control=("drug", "none"), within="day"))
    with pytest.raises(ParameterError, match="already"):
        apply_gate(cells, Gate(value="edu", threshold=1, positive="drug"))
    with pytest.raises(ParameterError, match="2 cells have no day"):
        apply_gate(cells.assign(day=[None, None, *cells["day"][2:]]), Gate(value="edu", mixture=True, within="day"))
