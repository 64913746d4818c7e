"""Sheets of Excel mean what their CSV would; what a sheet hides from a reader of cells is refused in words."""

from __future__ import annotations

import datetime
import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING

import openpyxl
import pandas as pd
import pytest

from cellmetry.errors import DamagedFile, LimitExceeded, MissingInput, UnknownName, UnsupportedFormat
from cellmetry.io.tables import read_columns, read_header, read_table, table_file

if TYPE_CHECKING:
    from pathlib import Path

ROWS = [["well", "dose", "code"], ["A01", 0, "007"], ["A02", 1.5, "8"], ["A03", None, None]]


def book(path: Path, *sheets: tuple[str, list[list[object]]]) -> Path:
    made = openpyxl.Workbook()
    made.remove(made.active)
    for name, rows in sheets:
        sheet = made.create_sheet(name)
        for row in rows:
            sheet.append(row)
    made.save(path)
    return path


def test_a_sheet_is_the_table_that_its_csv_is(tmp_path: Path) -> None:
    path = book(tmp_path / "plate.xlsx", ("Layout", ROWS))
    (tmp_path / "plate.csv").write_text("well,dose,code\nA01,0,007\nA02,1.5,8\nA03,,\n")
    pd.testing.assert_frame_equal(read_table(path), read_table(tmp_path / "plate.csv"))
    pd.testing.assert_frame_equal(
        read_table(path, text=["dose", "code"]), read_table(tmp_path / "plate.csv", text=["dose", "code"])
    )
    assert read_header(path) == ("well", "dose", "code")
    assert list(read_table(path, columns=["code", "well"]).columns) == ["code", "well"]
    with pytest.raises(UnknownName, match="Did you mean 'dose'"):
        read_table(path, columns=["doze"])


def test_a_sheet_by_its_name(tmp_path: Path) -> None:
    path = book(tmp_path / "plate.xlsx", ("first", [["a"], [1]]), ("Plate #2", ROWS))
    assert list(read_table(path)["a"]) == [1]
    assert read_header(f"{path}#Plate #2") == ("well", "dose", "code")
    assert len(read_table(f"{path}#Plate #2")) == 3
    assert table_file(f"{path}#Plate #2") == path == table_file(path)
    assert read_columns(f"{path}#first") == ()
    with pytest.raises(UnknownName, match="sheet of plate.xlsx called 'Plate 2'. Did you mean 'Plate #2'"):
        read_table(f"{path}#Plate 2")
    with pytest.raises(MissingInput, match="none.xlsx does not exist"):
        read_table(tmp_path / "none.xlsx#first")


def test_kinds_of_cells(tmp_path: Path) -> None:
    day, hour = datetime.date(2026, 5, 31), datetime.datetime(2026, 5, 31, 14, 30)
    rows = [["n", "flag", "day", "time", "mixed", 3], [1, True, day, hour, 1, 5], [], [2, False, day, hour, "B", 6]]
    path = book(tmp_path / "t.xlsx", ("t", [[*row, None] for row in rows]))
    table = read_table(path)
    assert {name: str(dtype) for name, dtype in table.dtypes.items()}["n"] == "int64"
    assert list(table["flag"]) == [True, False]
    assert list(table["day"]) == ["2026-05-31"] * 2
    assert list(table["time"]) == ["2026-05-31T14:30:00"] * 2
    assert list(table["mixed"]) == ["1", "B"]
    assert list(table["3"]) == [5, 6]


def test_case_58_text_that_looks_like_a_formula_stays_text(tmp_path: Path) -> None:
    path = tmp_path / "t.xlsx"
    made = openpyxl.Workbook()
    made.active.append(["name", "value"])
    made.active.append(["x", -1.5])
    made.active["A2"].value, made.active["A2"].data_type = "=HYPERLINK(1)", "s"
    made.save(path)
    assert read_table(path).to_numpy().tolist() == [["=HYPERLINK(1)", -1.5]]


REFUSED = {
    "twice": ([["a", "b", "a"], [1, 2, 3]], "row 1: the column 'a' stands twice"),
    "nameless": ([["a", None, "c"], [1, 2, 3]], "row 1: the column B has no name"),
    "beyond": ([["a", "b"], [1, 2], [1, 2, 3]], "row 3: the cell C3 has a value"),
    "blank first row": ([[], ["a"], [1]], "row 1 is empty"),
    "no rows": ([], "row 1 is empty"),
    "formula": ([["a"], ["=1+1"]], "the cell A2 holds a formula without its result"),
    "error": ([["a"], ["#DIV/0!"]], "row 2: the cell A2 holds the error #DIV/0!"),
}


@pytest.mark.parametrize("form", REFUSED)
def test_case_59_odd_sheets_are_refused_with_the_row(tmp_path: Path, form: str) -> None:
    rows, sentence = REFUSED[form]
    path = book(tmp_path / "t.xlsx", ("odd", rows))
    with pytest.raises(DamagedFile, match=sentence) as caught:
        read_table(path)
    assert "t.xlsx sheet 'odd'" in str(caught.value)


def test_merged_cells_are_refused(tmp_path: Path) -> None:
    path = book(tmp_path / "t.xlsx", ("s", [["condition", "n"], ["DMSO", 1], [None, 2]]))
    made = openpyxl.load_workbook(path)
    made.active.merge_cells("A2:A3")
    made.save(path)
    with pytest.raises(DamagedFile, match="the cells A2:A3 are merged"):
        read_table(path)


def test_a_formula_with_its_result_is_read(tmp_path: Path) -> None:
    path = book(tmp_path / "t.xlsx", ("s", [["a"], ["=1+1"]]))
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    sheet = "xl/worksheets/sheet1.xml"
    assert b"<v />" in parts[sheet] or b"<v></v>" in parts[sheet] or b"<v/>" in parts[sheet]
    for empty in (b"<v />", b"<v></v>", b"<v/>"):
        parts[sheet] = parts[sheet].replace(empty, b"<v>2</v>")
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    assert list(read_table(path)["a"]) == [2]


def test_what_is_no_workbook_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "old.xls").write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600))
    with pytest.raises(UnsupportedFormat, match="save it as .xlsx"):
        read_table(tmp_path / "old.xls")
    with zipfile.ZipFile(tmp_path / "other.xlsx", "w") as archive:
        archive.writestr("a.txt", "hello")
    with pytest.raises(DamagedFile, match="no Excel workbook"):
        read_table(tmp_path / "other.xlsx")
    path = book(tmp_path / "t.xlsx", ("s", ROWS))
    whole = path.read_bytes()
    for size in (8, 200, len(whole) // 2, len(whole) - 4):
        path.write_bytes(whole[:size])
        with pytest.raises(DamagedFile, match="t.xlsx"):
            read_table(path)
    monkeypatch.setattr("cellmetry.io.excel_reading._SMALL", 1)
    monkeypatch.setenv("CELLMETRY_MAX_COMPRESSION_RATIO", "1")
    path.write_bytes(whole)
    with pytest.raises(LimitExceeded, match="unpacks to more than 1 times"):
        read_table(path)


def test_openpyxl_is_loaded_only_for_a_workbook() -> None:
    code = "import sys, cellmetry.io.tables; sys.exit('openpyxl' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
