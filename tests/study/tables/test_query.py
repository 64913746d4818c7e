"""Pages of a table against the same question asked of the whole table."""

from __future__ import annotations

import nanoarrow
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from cellmetry.core.columns import Column
from cellmetry.errors import DamagedFile, MissingInput, ParameterError, UnknownName
from cellmetry.io import tables
from cellmetry.io.table_parts import TableParts
from cellmetry.io.tables import write_table
from cellmetry.study.tables.arrow import arrow_bytes
from cellmetry.study.tables.query import TableQuery, open_table, query_table

ROWS = 700


def whole():
    rng = np.random.default_rng(0)
    area = rng.integers(1, 60, ROWS).astype(float)
    area[::41] = np.nan
    return pd.DataFrame(
        {
            "image": np.array([f"a{place // 100}" for place in range(ROWS)], object),
            "label": np.arange(1, ROWS + 1),
            "area_um2": area,
            "n": pd.array([None if place % 7 == 0 else place % 5 for place in range(ROWS)], "Int64"),
            "flag_edge": rng.random(ROWS) < 0.5,
        }
    )


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    path = tmp_path_factory.mktemp("tables") / "cells.parquet"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tables, "_ROWS_A_GROUP", 64)
        write_table(whole(), path, [Column("area_um2", "um2", "Area.", "Cellmetry")])
    return open_table(path)


def test_the_file_says_what_it_holds_before_a_row_is_read(table):
    assert table.rows == ROWS
    assert len(table.groups) == 11
    assert table.names == ("image", "label", "area_um2", "n", "flag_edge")
    assert table.columns[2].unit == "um2"


def test_a_page_reads_only_its_groups_and_columns(table, monkeypatch):
    read, asked = TableParts.read, []
    monkeypatch.setattr(
        TableParts, "read", lambda self, group, names: asked.append((group, tuple(names))) or read(self, group, names)
    )
    page = query_table(table, TableQuery(columns=("label",), offset=120, limit=20))
    assert page.frame["label"].tolist() == list(range(121, 141))
    assert asked == [(1, ("label",)), (2, ("label",))]
    assert page.total == ROWS


@settings(max_examples=40)
@given(
    where=st.sampled_from([(), ("area_um2 > 30",), ("flag_edge", 'image == "a3" or area_um2 <= 4'), ("label < 0",)]),
    sort=st.lists(st.sampled_from(["area_um2", "-area_um2", "-label", "image", "-n", "flag_edge"]), max_size=3),
    offset=st.integers(0, 800),
    limit=st.integers(1, 200),
)
def test_pages_are_those_of_the_whole_table(table, where, sort, offset, limit):
    page = query_table(table, TableQuery(where=where, sort=tuple(sort), offset=offset, limit=limit))
    truth = whole()
    if where == ("area_um2 > 30",):
        truth = truth[truth["area_um2"] > 30]
    elif where == ("label < 0",):
        truth = truth[:0]
    elif where:
        truth = truth[truth["flag_edge"] & ((truth["image"] == "a3") | (truth["area_um2"] <= 4))]
    if sort:
        by, up = [name.lstrip("-") for name in sort], [not name.startswith("-") for name in sort]
        truth = truth.sort_values(by, ascending=up, kind="stable", na_position="last")
    assert page.total == len(truth)
    assert page.frame["label"].tolist() == truth["label"].tolist()[offset : offset + limit]
    assert page.frame["area_um2"].tolist() == pytest.approx(
        truth["area_um2"].tolist()[offset : offset + limit], nan_ok=True
    )


def test_arrow_and_json_say_the_same(table):
    page = query_table(table, TableQuery(limit=50))
    read = nanoarrow.ArrayStream.from_readable(arrow_bytes(page.frame)).read_all().to_pylist()
    assert read == page.records()
    assert read[0] == {
        "image": "a0",
        "label": 1,
        "area_um2": None,
        "n": None,
        "flag_edge": bool(whole()["flag_edge"][0]),
    }
    assert isinstance(read[1]["n"], int)


def test_an_empty_table_and_an_empty_page_keep_their_columns(tmp_path, table):
    assert list(query_table(table, TableQuery(offset=10_000)).frame) == list(table.names)
    write_table(whole()[:0], tmp_path / "none.parquet")
    none = open_table(tmp_path / "none.parquet")
    page = query_table(none, TableQuery(sort=("label",), where=("area_um2 > 1",)))
    assert (page.total, list(page.frame), page.records()) == (0, list(none.names), [])
    assert nanoarrow.ArrayStream.from_readable(arrow_bytes(page.frame)).read_all().to_pylist() == []


@pytest.mark.parametrize("question", [{"columns": ("are_um2",)}, {"sort": ("-are_um2",)}, {"where": ("are_um2 > 1",)}])
def test_an_unknown_column_is_told_with_the_nearest(table, question):
    with pytest.raises(UnknownName, match="Did you mean 'area_um2'"):
        query_table(table, TableQuery(**question))


def test_what_cannot_be_compared_is_refused(table):
    with pytest.raises(ParameterError, match="no such relation"):
        query_table(table, TableQuery(where=('area_um2 > "a"',)))


@pytest.mark.parametrize(
    "question",
    [
        {"where": ("__import__('os')",)},
        {"where": ("label > 1",) * 21},
        {"columns": ("a" * 301,)},
        {"limit": 10_001},
        {"offset": -1},
        {"sort": ("label",) * 9},
        {"more": 1},
    ],
)
def test_limits_of_a_question(question):
    with pytest.raises(ValidationError):
        TableQuery(**question)


def test_a_file_that_is_no_table_is_refused(tmp_path):
    with pytest.raises(MissingInput):
        open_table(tmp_path / "none.parquet")
    (tmp_path / "a.parquet").write_bytes(b"PAR1 and nothing")
    (tmp_path / "b.parquet").write_bytes(b"label\n1\n")
    for name in ("a", "b"):
        with pytest.raises(DamagedFile):
            open_table(tmp_path / f"{name}.parquet")
