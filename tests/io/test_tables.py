"""Tables survive writing and reading; text never becomes a formula; odd CSV is read or refused with its line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cellmetry.core.columns import Column
from cellmetry.errors import DamagedFile, MissingInput, OutputError, ParameterError
from cellmetry.io.tables import columns_path, read_columns, read_table, write_table

if TYPE_CHECKING:
    from pathlib import Path

COLUMNS = (
    Column("label", "1", "Id of the object, as in the label image.", "Cellmetry"),
    Column("area_um2", "um2", "Number of pixels × area of a pixel in µm².", "ImageJ"),
)


@pytest.fixture
def table() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "label": np.array([1, 70_000], np.uint32),
            "area_um2": [0.1 + 0.2, np.nan],
            "ratio": np.array([0.1, -1.5], np.float32),
            "touches": [True, False],
            "well": ["B02", "NA"],
        }
    )


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_round_trip_with_descriptions(tmp_path: Path, table: pd.DataFrame, suffix: str) -> None:
    path = tmp_path / f"cells{suffix}"
    write_table(table, path, COLUMNS)
    back = read_table(path)
    assert list(back["label"]) == [1, 70_000]
    assert back["area_um2"].iloc[0] == 0.1 + 0.2
    assert np.isnan(back["area_um2"].iloc[1])
    assert list(back["well"]) == ["B02", "NA"]
    assert back["touches"].dtype == bool
    assert np.float32(back["ratio"].iloc[0]) == np.float32(0.1)
    assert back.attrs["columns"] == read_columns(path) == COLUMNS


def test_descriptions_of_csv_stand_beside_it(tmp_path: Path, table: pd.DataFrame) -> None:
    write_table(table, tmp_path / "cells.csv", COLUMNS)
    assert columns_path(tmp_path / "cells.csv").read_text("utf-8").splitlines()[0] == "name,unit,definition,source"


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_case_57_table_without_rows_keeps_its_header(tmp_path: Path, table: pd.DataFrame, suffix: str) -> None:
    write_table(table.iloc[:0], tmp_path / f"t{suffix}")
    back = read_table(tmp_path / f"t{suffix}")
    assert list(back.columns) == list(table.columns)
    assert len(back) == 0


FORMULAS = ["=HYPERLINK(1)", "+1", "-x", "@SUM", "\tx", "\rx", "'=x", "'text", "plain", "a=b"]


def test_case_58_formulas_are_quoted_and_numbers_never(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    write_table(pd.DataFrame({"=name": FORMULAS, "value": [-1.5] * len(FORMULAS)}), path)
    text = path.read_text("utf-8")
    assert text.startswith('"\'=name","value"\n"\'=HYPERLINK(1)",-1.5\n"\'+1",-1.5\n"\'-x",-1.5\n"\'@SUM",-1.5\n')
    back = read_table(path)
    assert list(back["=name"]) == FORMULAS
    assert list(back["value"]) == [-1.5] * len(FORMULAS)


def test_case_58_mixed_column_quotes_only_text(tmp_path: Path) -> None:
    write_table(pd.DataFrame({"a": pd.Series([-1.5, "-1.5"], dtype=object)}), tmp_path / "t.csv")
    assert (tmp_path / "t.csv").read_text().splitlines() == ["a", "-1.5", "'-1.5"]


@given(st.lists(st.floats(allow_nan=False, allow_infinity=True), min_size=1, max_size=20))
def test_floats_round_trip_exactly(tmp_path_factory: pytest.TempPathFactory, values: list[float]) -> None:
    path = tmp_path_factory.mktemp("floats") / "t.csv"
    write_table(pd.DataFrame({"v": values}, dtype=float), path)
    np.testing.assert_array_equal(read_table(path)["v"].astype(float), values)


TWO = pd.DataFrame({"name": ["a", "ü"], "value": [1.5, -2.25]})
PARSED = {
    "semicolon, decimal comma": "name;value\na;1,5\nü;-2,25\n".encode(),
    "semicolon, decimal point": "name;value\na;1.5\nü;-2.25\n".encode(),
    "tab": "name\tvalue\na\t1.5\nü\t-2.25\n".encode(),
    "UTF-8 mark": "name,value\na,1.5\nü,-2.25\n".encode("utf-8-sig"),
    "UTF-16": "name,value\na,1.5\nü,-2.25\n".encode("utf-16"),
    "UTF-16 big-endian without mark": "name,value\na,1.5\nü,-2.25\n".encode("utf-16-be"),
    "Excel's separator line": "sep=;\r\nname;value\r\na;1,5\r\nü;-2,25\r\n".encode(),
    "blank lines": "name,value\n\na,1.5\n\nü,-2.25\n\n".encode(),
    "quoted": '"name","value"\n"a",1.5\n"ü",-2.25\n'.encode(),
}


@pytest.mark.parametrize("form", PARSED)
def test_case_59_csv_of_other_programs_is_parsed(tmp_path: Path, form: str) -> None:
    (tmp_path / "t.csv").write_bytes(PARSED[form])
    back = read_table(tmp_path / "t.csv")
    assert list(back["name"]) == ["a", "ü"]
    assert list(back["value"]) == [1.5, -2.25]


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["1", "2"], [1, 2]),
        (["1", ""], [1.0, np.nan]),
        (["1e-3", "-.5"], [0.001, -0.5]),
        (["inf", "NaN"], [np.inf, np.nan]),
        (["007", "1"], ["007", "1"]),
        (["5", "-"], ["5", "-"]),
        (["1_000", "1"], ["1_000", "1"]),
        (["1", "x"], ["1", "x"]),
        (["NA", "None"], ["NA", "None"]),
        (["99999999999999999999999"], ["99999999999999999999999"]),
        (["18446744073709551615"], [18446744073709551615]),
        (["True", "False"], [True, False]),
    ],
)
def test_cells_are_numbers_only_if_all_are(tmp_path: Path, cells: list[str], expected: list[object]) -> None:
    (tmp_path / "t.csv").write_text("\n".join(["a,b", *(f"{cell},0" for cell in cells)]))
    column = read_table(tmp_path / "t.csv")["a"]
    assert [str(cell) for cell in column] == [str(value) for value in expected]


REFUSED = {
    "duplicate": (b"a,b,a\n1,2,3\n", "line 1: the column 'a'"),
    "duplicate after mark": (b"sep=;\na;a\n", "line 2: the column 'a'"),
    "short": (b"a,b\n1,2\n3\n", "line 3: 1 values"),
    "long": (b'a,b\n"1\n1",2\n3,4,5\n', "line 4: 3 values"),
    "latin": ("a,b\n1,2\nµ,2\n".encode("latin-1"), "line 3: a character"),
    "mixed decimals": (b"a;b\n1,5;2\n1.5;2\n", "line 3: a number with a decimal point, but line 2"),
    "open quote": (b'a,b\n1,2\n"3,4\n', "line 3"),
    "empty": (b"", "is empty"),
    "blank": (b"\n\n", "no table"),
}


@pytest.mark.parametrize("form", REFUSED)
def test_case_59_ambiguous_csv_is_refused_with_its_line(tmp_path: Path, form: str) -> None:
    content, sentence = REFUSED[form]
    (tmp_path / "t.csv").write_bytes(content)
    with pytest.raises(DamagedFile, match=sentence) as caught:
        read_table(tmp_path / "t.csv")
    assert "t.csv" in str(caught.value)


def test_damaged_parquet_is_refused(tmp_path: Path, table: pd.DataFrame) -> None:
    write_table(table, tmp_path / "t.parquet")
    whole = (tmp_path / "t.parquet").read_bytes()
    for size in (4, 20, len(whole) - 4):
        (tmp_path / "t.parquet").write_bytes(whole[:size])
        with pytest.raises(DamagedFile, match=r"t\.parquet"):
            read_table(tmp_path / "t.parquet")


def test_what_cannot_be_written_is_refused(tmp_path: Path, table: pd.DataFrame) -> None:
    with pytest.raises(ParameterError, match=r"\.csv or \.parquet"):
        write_table(table, tmp_path / "t.xlsx")
    twice = pd.concat([table, table[["label"]]], axis=1)
    with pytest.raises(OutputError, match="'label' stands twice"):
        write_table(twice, tmp_path / "t.csv")
    with pytest.raises(MissingInput, match=r"none\.csv"):
        read_table(tmp_path / "none.csv")
    assert not list(tmp_path.iterdir())
