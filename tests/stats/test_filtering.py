"""Filters remove what their conditions say, and their counts add up to what was removed."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cellmetry.core.columns import Column
from cellmetry.errors import ParameterError, UnknownName
from cellmetry.stats.filtering import FILTER_COLUMNS, filter_rows

CELLS = pd.DataFrame(
    {
        "condition": ["a", "a", "a", "b", "b", "b"],
        "area_um2": [10.0, 60, np.nan, 70, 80, 20],
        "flag_border": [True, False, False, True, False, True],
    }
)


def test_counts_by_hand() -> None:
    found = filter_rows(CELLS, ["area_um2 >= 50", "not flag_border", "area_um2 >= 50"])
    assert found.table.index.tolist() == [1, 4]
    assert found.counts.to_numpy().tolist() == [["area_um2 >= 50", 6, 3, 3, 1], ["not flag_border", 6, 3, 1, 0]]
    assert list(found.counts.columns) == [column.name for column in FILTER_COLUMNS]
    assert found.counts.attrs["columns"] == FILTER_COLUMNS


def test_counts_of_each_group() -> None:
    counts = filter_rows(CELLS, ["area_um2 >= 50", "not flag_border"], by=["condition"]).counts
    assert counts.to_numpy().tolist() == [
        ["a", "area_um2 >= 50", 3, 2, 2, 1],
        ["b", "area_um2 >= 50", 3, 1, 1, 0],
        ["a", "not flag_border", 3, 1, 0, 0],
        ["b", "not flag_border", 3, 2, 1, 0],
    ]
    assert [column.name for column in counts.attrs["columns"]] == list(counts.columns)


def test_nothing_asked_removes_nothing() -> None:
    found = filter_rows(CELLS, [])
    assert found.table is CELLS
    assert found.counts.empty
    assert list(found.counts.columns) == [column.name for column in FILTER_COLUMNS]
    assert filter_rows(CELLS, [], by=["condition"]).counts.columns[0] == "condition"
    assert filter_rows(CELLS[:0], ["area_um2 > 3"]).counts["n_tested"].tolist() == [0]


def test_descriptions_stay_and_the_table_is_not_changed() -> None:
    table = CELLS.copy()
    table.attrs["columns"] = (Column("area_um2", "um2", "Area.", "Cellmetry"),)
    found = filter_rows(table, ["area_um2 > 50"])
    assert found.table.attrs == table.attrs
    pd.testing.assert_frame_equal(table, CELLS)


@pytest.mark.parametrize(
    ("condition", "error", "words"),
    [
        ("area_um >= 50", UnknownName, "Did you mean 'area_um2'"),
        ("area_um2", ParameterError, "not a column of yes and no"),
        ("area_um2 > ", ParameterError, "it ends"),
        ("area_um2 > 5000", ParameterError, "nothing is left to compare"),
    ],
)
def test_what_cannot_be_used_is_refused(condition: str, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        filter_rows(CELLS, [condition])


@given(
    st.lists(st.tuples(st.one_of(st.none(), st.integers(0, 9)), st.booleans()), min_size=1, max_size=40),
    st.permutations(["area > 2", "not flag", "area < 8", "area > 2 or flag"]),
)
def test_what_is_removed_adds_up(cells: list[tuple[int | None, bool]], conditions: list[str]) -> None:
    cells = [*cells, (5, False)]  # One row meets all.
    table = pd.DataFrame({"area": pd.Series([area for area, _ in cells], dtype=float), "flag": [f for _, f in cells]})
    table["group"] = np.arange(len(table)) % 3
    found = filter_rows(table, conditions)
    counts = found.counts
    assert counts["n_removed_first"].sum() == len(table) - len(found.table)
    assert (counts["n_removed_first"] <= counts["n_failed"]).all()
    assert (counts["n_missing"] <= counts["n_failed"]).all()
    parts = filter_rows(table, conditions, by=["group"]).counts.groupby("filter", sort=False).sum()
    assert (parts[["n_failed", "n_removed_first"]].to_numpy() == counts[["n_failed", "n_removed_first"]]).all(axis=None)
