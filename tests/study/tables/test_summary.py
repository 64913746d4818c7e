"""Counts of a column, whole columns and places of rows, against pandas."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cellmetry.errors import ParameterError, UnknownName
from cellmetry.io.tables import write_table
from cellmetry.study.tables.query import open_table
from cellmetry.study.tables.summary import (
    RowKey,
    SummaryQuery,
    ValuesQuery,
    place_of_row,
    summarise_table,
    table_values,
)


@pytest.fixture
def frame():
    rng = np.random.default_rng(0)
    area = rng.normal(50, 10, 400)
    area[3] = np.nan
    return pd.DataFrame(
        {
            "image": [f"i{k // 100}" for k in range(400)],
            "label": [k % 100 + 1 for k in range(400)],
            "area": area,
            "flag": rng.random(400) < 0.2,
        }
    )


@pytest.fixture
def table(frame, tmp_path):
    path = tmp_path / "t.parquet"
    write_table(frame, path)
    return open_table(path)


def test_summary_counts_every_finite_value(table, frame):
    found = summarise_table(table, SummaryQuery(column="area", bins=8))
    counts, edges = np.histogram(frame.area.dropna(), 8)
    assert found.groups[0].counts == counts.tolist()
    assert (found.low, found.high) == (edges[0], edges[-1])
    assert found.groups[0].median == pytest.approx(frame.area.median())


def test_summary_by_groups_of_some_rows(table, frame):
    found = summarise_table(
        table, SummaryQuery(column="area", by="image", bins=4, where=("not flag",), low=0, high=100)
    )
    kept = frame[~frame.flag]
    assert found.total == len(kept)
    assert [(group.value, group.rows) for group in found.groups] == list(kept.groupby("image").size().items())
    assert sum(sum(group.counts) for group in found.groups) == kept.area.notna().sum()


def test_ends_are_those_of_all_rows_so_that_filters_do_not_move_them(table, frame):
    found = summarise_table(table, SummaryQuery(column="area", where=("area > 60",)))
    assert found.low == frame.area.min()


def test_values_are_thinned_evenly(table):
    total, values = table_values(table, ValuesQuery(columns=("label", "area"), most=100))
    assert total == 400
    assert values["label"] == list(range(1, 101, 4)) * 4
    assert len(values["area"]) == 100


def test_missing_values_are_null(table):
    assert table_values(table, ValuesQuery(columns=("area",)))[1]["area"][3] is None


def test_place_of_a_row_in_an_order(table, frame):
    ordered = frame[frame.area > 45].sort_values("area", ascending=False, kind="stable").reset_index(drop=True)
    at = ordered.index[(ordered.image == "i2") & (ordered.label == ordered.label[ordered.image == "i2"].iloc[5])][0]
    key = {"image": "i2", "label": int(ordered.label[at])}
    assert place_of_row(table, RowKey(key=key, where=("area > 45",), sort=("-area",))) == at
    assert place_of_row(table, RowKey(key={"image": "i2", "label": 1})) == 200


def test_a_row_that_does_not_meet_the_conditions_has_no_place(table):
    assert place_of_row(table, RowKey(key={"image": "i0", "label": 1}, where=('image == "i1"',))) is None
    assert place_of_row(table, RowKey(key={"image": "i9", "label": 1})) is None


def test_what_cannot_be_counted_is_refused(table):
    with pytest.raises(ParameterError, match="no numbers"):
        summarise_table(table, SummaryQuery(column="image"))
    with pytest.raises(UnknownName, match="diameter"):
        summarise_table(table, SummaryQuery(column="diameter"))
    with pytest.raises(ParameterError, match="above"):
        summarise_table(table, SummaryQuery(column="area", low=3, high=2))
