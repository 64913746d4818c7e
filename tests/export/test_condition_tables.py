"""A CSV for each condition: every row once, names that every file system takes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cellmetry.core.columns import Column
from cellmetry.errors import UnknownName
from cellmetry.export.condition_tables import file_stems, write_condition_tables
from cellmetry.export.conditions import NO_CONDITION, as_text, condition_names, split_conditions
from cellmetry.io.tables import read_table

HOSTILE = ["control", "Control", "a/b", "a\\b", "CON", "lpt1.txt", "../../evil", "columns", "control_columns", "", "…"]


def test_every_row_is_in_the_table_of_its_condition(tmp_path: Path) -> None:
    names = np.array([*HOSTILE, "10 µM 薬", "=1+1", None], object)
    cells = pd.DataFrame({"condition": np.tile(names, 5), "n": range(5 * len(names))}, index=[7] * 5 * len(names))
    columns = (Column("n", "1", "Number.", "Cellmetry"),)
    written = write_condition_tables(tmp_path / "out", cells, "condition", columns=columns)
    assert {each.condition for each in written} == {*names[:-1], NO_CONDITION}
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(
        [*(each.path.name for each in written), "columns.csv"]
    )
    assert list(tmp_path.iterdir()) == [tmp_path / "out"]
    rows = []
    for each in written:
        table = read_table(each.path, text=["condition"])
        assert len(table) == each.n_cells == 5
        assert set(table["condition"]) == {"" if each.condition == NO_CONDITION else each.condition}
        rows += table["n"].tolist()
    assert sorted(rows) == cells["n"].tolist()
    assert read_table(tmp_path / "out" / "columns.csv")["name"].tolist() == ["n"]
    assert "10 µM 薬.csv" in {each.path.name for each in written}


def test_the_order_is_the_one_asked_for_then_the_natural_one() -> None:
    column = pd.Series(["d10", "d2", "z", "control"])
    assert condition_names(column, ["control", "absent", "z"]) == ["control", "z", "d2", "d10"]
    assert [name for name, _ in split_conditions(column.to_frame("by"), "by")] == ["control", "d2", "d10", "z"]
    with pytest.raises(UnknownName, match="condition"):
        list(split_conditions(column.to_frame("by"), "condition"))


@pytest.mark.parametrize("dtype", ["object", "float64", "Float64", "category"])
def test_numbers_are_named_without_needless_digits(dtype: str) -> None:
    column = pd.Series([2.0, 0.1, None, 2.0], dtype=dtype)
    assert as_text(column).tolist() == ["2", "0.1", NO_CONDITION, "2"]


@given(st.lists(st.text(max_size=300), max_size=10))
def test_names_of_files_are_safe_and_different(names: list[str]) -> None:
    stems = file_stems(names)
    assert len({stem.casefold() for stem in stems}) == len(names)
    for stem in stems:
        assert 1 <= len(stem.encode()) <= 200
        assert not set(stem) & set('<>:"/\\|?*')
        assert min(map(ord, stem)) >= 32
        assert stem.strip(" .") == stem
        assert not stem.casefold().endswith("columns")


@pytest.mark.parametrize(("name", "stem"), [("CON", "CON_"), ("com1.x", "com1.x_"), ("é", "é"), ("e\u0301", "é")])
def test_names_that_windows_keeps_to_itself(name: str, stem: str) -> None:
    assert file_stems([name]) == [stem]
