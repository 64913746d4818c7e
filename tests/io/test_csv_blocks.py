"""A CSV that is read block by block is the same table as one that is read at once; columns are chosen by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellmetry.core.columns import Column
from cellmetry.errors import DamagedFile, UnknownName
from cellmetry.io import csv_reading
from cellmetry.io.column_values import ColumnValues, TextColumn, column_values
from cellmetry.io.tables import read_header, read_table, write_table

if TYPE_CHECKING:
    from pathlib import Path

CELLS = [
    *(
        "",
        "nan",
        "NaN",
        "1",
        "-2",
        "+3",
        "007",
        "1.50",
        ".5",
        "1e3",
        "inf",
        "True",
        "False",
        "x",
        "NA",
        "1_0",
        " 4",
        "5 ",
    ),
    *("1 2", " ", "9" * 19, "18446744073709551615", "1" * 25, "ü", "-", "1-2", "2;5", "1,5", "0", "-0", "nan "),
]


@settings(max_examples=400)
@given(st.lists(st.lists(st.sampled_from(CELLS), max_size=6), max_size=5), st.booleans())
def test_blocks_make_the_column_that_all_cells_make(blocks: list[list[str]], comma: bool) -> None:
    column, text = ColumnValues(comma=comma), TextColumn()
    for block in blocks:
        column.add(block)
        text.add(block)
    cells = [cell for block in blocks for cell in block]
    whole = column_values(cells, comma=comma)
    if not column.open:
        pd.testing.assert_series_equal(column.series(), whole)
    else:
        assert len({str(column_values(block, comma=comma).dtype) for block in blocks if block}) > 1 or any(
            len(cell) > 18 for cell in cells
        )
    assert list(text.series()) == cells


def test_cells_with_a_space_within_are_text() -> None:
    assert list(column_values(["1 2", " "])) == ["1 2", " "]
    assert list(column_values([" 1", "2 "])) == [1, 2]


@pytest.mark.parametrize("late", ["x", "", "True", "1.5", "9" * 20])
def test_a_late_cell_decides_what_a_column_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, late: str) -> None:
    cells = [*map(str, range(100)), late]
    (tmp_path / "t.csv").write_text("\n".join(["a,b", *(f"{cell},0" for cell in cells)]))
    monkeypatch.setattr(csv_reading, "_BLOCK_CELLS", 20)
    pd.testing.assert_series_equal(read_table(tmp_path / "t.csv")["a"], column_values(cells), check_names=False)


@pytest.mark.parametrize(
    ("last", "sentence"),
    [("1,2,3", "line 105: 3 values"), ('"1,2', "line 105"), ("1", "line 105: 1 values")],
)
def test_lines_are_counted_through_blocks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, last: str, sentence: str
) -> None:
    monkeypatch.setattr(csv_reading, "_BLOCK_CELLS", 20)
    lines = ["a,b", *(f"{k},0" for k in range(50)), "", '"one\ntwo",0', *(f"{k},0" for k in range(50)), last]
    (tmp_path / "t.csv").write_text("\n".join(lines))
    with pytest.raises(DamagedFile, match=sentence):
        read_table(tmp_path / "t.csv", columns=["b"])


def test_a_character_that_is_none_is_told_with_its_line_deep_in_a_file(tmp_path: Path) -> None:
    body = b"a,b\n" + b"1,2\n" * 400_000
    (tmp_path / "t.csv").write_bytes(body + b"\xb5,2\n")
    with pytest.raises(DamagedFile, match="line 400002: a character is not valid UTF-8"):
        read_table(tmp_path / "t.csv")


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_only_the_columns_that_are_asked_for(tmp_path: Path, suffix: str) -> None:
    table = pd.DataFrame({"image": ["a", "b"], "=x": [1.5, np.nan], "label": [1, 2], "ok": [True, False]})
    path = tmp_path / f"t{suffix}"
    write_table(table, path, [Column("label", "1", "Id.", "Cellmetry"), Column("ok", "", "Fine.", "Cellmetry")])
    assert read_header(path) == ("image", "=x", "label", "ok")
    some = read_table(path, columns=["label", "=x", "label"])
    pd.testing.assert_frame_equal(some, table[["label", "=x"]])
    assert [column.name for column in some.attrs["columns"]] == ["label"]
    assert read_table(path, columns=[]).shape[1] == 0
    with pytest.raises(UnknownName, match="column of t.* called 'lable'. Did you mean 'label'"):
        read_table(path, columns=["lable"])


def test_columns_that_are_not_asked_for_are_still_checked(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a;b\n1;1,5\n2;1.5\n")
    with pytest.raises(DamagedFile, match="line 3: a number with a decimal point, but line 2"):
        read_table(tmp_path / "t.csv", columns=["a"])


def test_equal_texts_are_kept_once(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("\n".join(["a,b", *["condition,0"] * 50]))
    column = read_table(tmp_path / "t.csv")["a"]
    assert len({id(cell) for cell in column.to_numpy(object)}) == 1
