"""What a replicate and its levels amount to, by hand, and what is read of a part of a study."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cellmetry.errors import ParameterError
from cellmetry.stats.comparison.cells import read_cells, read_part
from cellmetry.stats.comparison.options import CompareOptions
from cellmetry.stats.comparison.replicates import make_units, named_values

PLAIN = CompareOptions(value="v")
ONE = pd.DataFrame(
    {"condition": "a", "replicate": [1.0] * 5, "well": ["x", "x", "x", "y", "y"], "v": [1.0, 2, 3, 8, np.nan]}
)
COUNTS = pd.DataFrame({"condition": "a", "replicate": "r", "v": [1, 9], "n": [10, 10]})


def values_of(table: pd.DataFrame, level: str | None = None, **more: object) -> pd.Series:
    asked = PLAIN.model_copy(update=more)
    return named_values(read_part(table, asked), asked, level)


def test_values_of_units_by_hand() -> None:
    assert values_of(ONE).to_dict() == {("a", "1"): 3.5}
    assert values_of(ONE, nested=("well",))["a", "1"] == 5
    assert values_of(ONE, scale="log")["a", "1"] == pytest.approx(np.log(48) / 4)
    assert values_of(ONE, "well").to_dict() == {("a", "1", "x"): 2, ("a", "1", "y"): 8}
    assert values_of(ONE.replace({"well": {"x": " "}}), "well").to_dict() == {("a", "1", "y"): 8}
    assert values_of(COUNTS, total="n")["a", "r"] == 0.5
    assert values_of(ONE.assign(v=ONE["v"] > 2))["a", "1"] == 0.4


def test_values_by_name_are_those_of_units() -> None:
    table = pd.DataFrame({"condition": list("bbaa"), "replicate": [10, 2, 2, 2], "image": 1, "v": [1.0, 2, 4, 9]})
    units = make_units(read_cells(table, PLAIN), PLAIN).table(PLAIN).set_index(["condition", "replicate"])["value"]
    assert values_of(table).to_dict() == units.to_dict() == {("a", "2"): 6.5, ("b", "2"): 2, ("b", "10"): 1}


def test_without_a_logarithm_groups_are_counted() -> None:
    with pytest.raises(ParameterError, match="2 of 2 values of 'v' are 0 or below"):
        values_of(COUNTS.assign(v=[0, -1]), scale="log")
    truth = ONE.assign(v=["true", "False", "false", "false", ""])
    with pytest.raises(ParameterError, match="1 of 2 wells have no positive cells"):
        values_of(truth, "well", scale="log")


def test_a_part_of_a_study_may_lack_the_control_and_a_whole_may_not() -> None:
    asked = {"control": "DMSO", "order": ("DMSO", "a")}
    assert values_of(ONE, **asked).to_dict() == {("a", "1"): 3.5}
    with pytest.raises(LookupError, match="DMSO"):
        read_cells(ONE, PLAIN.model_copy(update=asked))
    lone = read_part(pd.concat([ONE, ONE.assign(condition="b", v=np.nan)]), PLAIN)
    assert (lone.conditions, lone.without) == (("a",), ("b",))
    assert lone.notes == ("Of b no cells with a value and a replicate are left.",)
