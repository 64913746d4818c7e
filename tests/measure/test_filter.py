"""Conditions and filters: right rows, nothing evaluated, no row dropped in silence."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import cellmetry as cm
from cellmetry.core.image import image_from_array
from cellmetry.core.parameters import parse_parameters
from cellmetry.core.sample import Sample
from cellmetry.errors import ParameterError, UnknownName
from cellmetry.measure.conditions import check_condition, evaluate_condition
from cellmetry.measure.filter import FilterCells, filter_notes, filter_table
from cellmetry.measure.step import Measure

TABLE = pd.DataFrame(
    {
        "label": [1, 2, 3, 4],
        "area_um2": [10.0, 60.0, np.nan, 80.0],
        "solidity": [0.9, 0.7, 0.95, 0.85],
        "n": [1, 2, 3, 4],
        "flag_a": pd.array([True, False, None, False], dtype="boolean"),
        "flag_b": [False, True, False, False],
        "well": ["A1", "A2", "A1", "B1"],
        "Größe": [1, 2, 3, 4],
    }
)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("area_um2 > 50", [False, True, None, True]),
        ("area_um2>=60", [False, True, None, True]),
        ("50 < area_um2 <= 60", [False, True, None, False]),
        ("n > -1.5e0", [True, True, True, True]),
        ("area_um2 >= n", [True, True, None, True]),
        ("not flag_a", [False, True, None, True]),
        ("flag_b", [False, True, False, False]),
        ("flag_a or flag_b", [True, True, None, False]),
        ("flag_a and flag_b", [False, False, False, False]),
        ("not (flag_a or solidity < 0.8)", [False, False, None, True]),
        ("flag_b or solidity > 0.8 and n != 4", [True, True, True, False]),
        ("not flag_b and not n == 1", [False, False, True, True]),
        ("well == 'A1'", [True, False, True, False]),
        ('well != "A1"', [False, True, False, True]),
        ("Größe <= 2", [True, True, False, False]),
    ],
)
def test_conditions(text: str, wanted: list[bool | None]) -> None:
    found = evaluate_condition(text, TABLE)
    assert [None if pd.isna(each) else bool(each) for each in found] == wanted


@given(st.lists(st.tuples(st.integers(-5, 5), st.integers(-5, 5)), min_size=1, max_size=20), st.integers(-5, 5))
def test_conditions_are_those_of_pandas(rows: list[tuple[int, int]], limit: int) -> None:
    table = pd.DataFrame(rows, columns=["a", "b"])
    for text in (f"a > {limit} and not b <= a", f"a == b or (a < {limit} and b != {limit})"):
        pd.testing.assert_series_equal(
            evaluate_condition(text, table).astype(bool), table.eval(text), check_names=False
        )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "area_um2",
        "area_um2 >",
        "> 5",
        "3 < 5",
        "(flag_a",
        "flag_a)",
        "flag_a flag_b",
        "flag_a == 1",
        "not",
        "area_um2 = 5",
        "area_um2 > 'big'",
        "well > 'A1'",
        "well == 5",
        "n > 5cells",
        "__import__('os').system('true')",
        "area_um2.max() > 3",
        "@x > 3",
        "n > " + "1" * 2000,
        "not " * 60 + "flag_a",
        "(" * 60 + "flag_a" + ")" * 60,
    ],
)
def test_what_is_no_condition_is_refused(text: str) -> None:
    with pytest.raises(ParameterError):
        evaluate_condition(text, TABLE)


def test_a_typo_gets_the_nearest_column_and_a_recipe_is_checked_before_it_runs() -> None:
    with pytest.raises(UnknownName, match="Did you mean 'solidity'"):
        evaluate_condition("solidty > 0.8", TABLE)
    check_condition("anything_yet_unmeasured > 0.8")
    with pytest.raises(ValueError, match="cannot be used"):
        FilterCells(keep=("area_um2 >> 3",))
    with pytest.raises(ParameterError, match=r"and, or, \( and \)\.$"):
        parse_parameters(FilterCells, {"keep": ["area_um2 >> 3"]}, where="here")


def test_every_dropped_row_is_listed_with_its_reasons() -> None:
    found = filter_table(TABLE, ["area_um2 > 50", "not flag_b"])
    assert found.kept["label"].tolist() == [3, 4]
    assert found.dropped.to_dict("list") == {"label": [1, 2], "condition": ["area_um2 > 50", "not flag_b"]}
    assert found.unmet == {"area_um2 > 50": 1, "not flag_b": 1}
    assert found.unknown == {"area_um2 > 50": 1, "not flag_b": 0}
    strict = filter_table(TABLE, ["area_um2 > 50", "n > 3"], missing="drop")
    assert strict.kept["label"].tolist() == [4]
    assert strict.dropped["condition"].tolist() == ["area_um2 > 50; n > 3", "n > 3", "area_um2 > 50; n > 3"]


def test_no_condition_and_no_row() -> None:
    assert len(filter_table(TABLE, []).kept) == len(TABLE)
    empty = filter_table(TABLE.iloc[:0], ["area_um2 > 50"])
    assert (len(empty.kept), len(empty.dropped)) == (0, 0)
    with pytest.raises(ParameterError, match="column label"):
        filter_table(TABLE.drop(columns="label"), ["n > 1"])


@pytest.fixture
def movie() -> Sample:
    labels = np.zeros((2, 12, 12), np.uint32)
    labels[:, 1:4, 1:4] = 1
    labels[0, 6:8, 6:8] = 2
    labels[1, 6:11, 6:11] = 2
    image = image_from_array(labels.astype(np.uint8), "TYX")
    return Measure(features=("size",))(Sample(image, {"cells": cm.labels_from_array(labels, "TYX")}))


def test_the_step_reports_and_leaves_labels_alone(movie: Sample) -> None:
    done = FilterCells(keep=("area_px > 5", "area_px < 20"))(movie)
    assert done.tables["cells"][["label", "t"]].to_numpy().tolist() == [[1, 0], [1, 1]]
    listed = done.tables["filtered"]
    assert listed[["label", "t"]].to_numpy().tolist() == [[2, 0], [2, 1]]
    assert listed["condition"].tolist() == ["area_px > 5", "area_px < 20"]
    assert [column.name for column in listed.attrs["columns"]] == list(listed.columns)
    assert done.warnings == ("2 of 4 rows of cells were filtered out (1 by area_px > 5; 1 by area_px < 20).",)
    assert done.labels["cells"] is movie.labels["cells"]
    again = FilterCells(keep=("t > 0",))(done)
    assert again.tables["filtered"]["label"].tolist() == [2, 2, 1]


def test_dropped_objects_leave_the_labels_of_their_frame_on_wish(movie: Sample) -> None:
    before = movie.labels["cells"].read().copy()
    done = FilterCells(keep=("area_px > 5",), keep_labels=False)(movie)
    after = done.labels["cells"].read()
    assert np.unique(after[0]).tolist() == [0, 1]
    np.testing.assert_array_equal(after[1], before[1])
    np.testing.assert_array_equal(movie.labels["cells"].read(), before)


def test_missing_values_are_reported(movie: Sample) -> None:
    table = movie.tables["cells"].assign(score=[1.0, np.nan, 3.0, 4.0])
    done = FilterCells(keep=("score > 2",))(movie.with_table("cells", table))
    assert (
        done.warnings[-1] == "1 of 4 rows of cells lacks a value for score > 2, which counts as met (missing is keep)."
    )
    with pytest.raises(ParameterError, match="No step before made a table"):
        FilterCells(table="nuclei")(movie)


@pytest.mark.parametrize(
    ("rows", "condition", "wanted"),
    [
        (4, "n < 4", "1 of 4 rows of cells was filtered out (1 by n < 4)."),
        (4, "n < 3", "2 of 4 rows of cells were filtered out (2 by n < 3)."),
        (1, "n > 1", "1 of 1 row of cells was filtered out (1 by n > 1)."),
    ],
)
def test_notes_count_in_good_english(rows: int, condition: str, wanted: str) -> None:
    assert filter_notes(filter_table(TABLE[:rows], [condition]), "cells", missing="keep") == [wanted]
