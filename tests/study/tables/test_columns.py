"""Columns of stored tables that are kept in memory."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cellmetry.core.columns import Column
from cellmetry.io.table_parts import TableParts
from cellmetry.io.tables import write_table
from cellmetry.study.tables import columns
from cellmetry.study.tables.columns import read_columns_of
from cellmetry.study.tables.query import open_table


@pytest.fixture
def table(tmp_path):
    """A table of ten rows and three columns."""
    values = pd.DataFrame({"image": pd.array(["a"] * 10, "str"), "label": np.arange(10), "area": np.arange(10) / 2})
    write_table(values, tmp_path / "t.parquet", [Column(name, "", "", "") for name in values])
    return open_table(tmp_path / "t.parquet")


@pytest.fixture
def reads(monkeypatch):
    """The columns that were read from the disk."""
    seen = []
    read = TableParts.read

    def noted(table, group, names):
        seen.append(tuple(names))
        return read(table, group, names)

    monkeypatch.setattr(TableParts, "read", noted)
    return seen


def test_a_column_is_read_once_and_comes_in_the_order_asked_for(table, reads):
    first = read_columns_of(table, 0, ["area", "label"])
    again = read_columns_of(table, 0, ["label", "image", "area"])
    assert list(again) == ["label", "image", "area"]
    assert again["area"] is first["area"]
    assert reads == [("area", "label"), ("image",)]


def test_those_not_asked_for_longest_go_first(table, reads, monkeypatch):
    monkeypatch.setattr(columns, "_COLUMNS", columns._Columns(170))
    for name in ("area", "label", "area", "area"):
        read_columns_of(table, 0, [name])
    assert len(reads) == 2
    monkeypatch.setattr(columns, "_COLUMNS", columns._Columns(100))
    for name in ("area", "label", "area"):
        read_columns_of(table, 0, [name])
    assert len(reads) == 5


def test_a_page_that_is_too_wide_keeps_nothing(table, reads, monkeypatch):
    monkeypatch.setattr(columns, "_COLUMNS", columns._Columns(1000))
    monkeypatch.setattr(columns, "_MOST_BYTES", 100)
    for _ in range(2):
        read_columns_of(table, 0, ["area", "label"])
    assert len(reads) == 2
