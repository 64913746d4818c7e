"""Excel workbooks: text that is never a formula, numbers as they are, names and sizes that Excel allows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellmetry.core.columns import Column
from cellmetry.errors import LimitExceeded, ParameterError
from cellmetry.export import workbook
from cellmetry.export.workbook import count_cells, result_sheets, sheet_names, write_workbook

HOSTILE = ["=1+1", "+1", "-2", "@SUM(A1)", "\tx", "=", '=HYPERLINK("http://x","y")', "-1.5", "#N/A", "\n=1"]


def opened(path: Path) -> openpyxl.Workbook:
    return openpyxl.load_workbook(path)


def rows_of(sheet) -> list[list[object]]:
    return [[cell.value for cell in row] for row in sheet.iter_rows(min_row=2)]


def test_hostile_text_is_quoted_text_and_numbers_are_numbers(tmp_path: Path) -> None:
    table = pd.DataFrame({"=name": HOSTILE, "number": np.linspace(-1.5, 7.1, len(HOSTILE))})
    assert write_workbook(tmp_path / "a.xlsx", {"cells": table}) == ()
    sheet = opened(tmp_path / "a.xlsx")["cells"]
    for cell in sheet["A"]:
        assert (cell.data_type, cell.quotePrefix) == ("s", True)
    assert [cell.value for cell in sheet["A"]] == ["=name", *HOSTILE]
    assert {cell.data_type for cell in sheet["B"][1:]} == {"n"}
    np.testing.assert_allclose([cell.value for cell in sheet["B"][1:]], table["number"], rtol=5e-16)


def test_the_header_is_bold_frozen_and_filtered(tmp_path: Path) -> None:
    write_workbook(tmp_path / "a.xlsx", {"cells": pd.DataFrame({"a": [1, 2], "b": ["x", "y"]})})
    sheet = opened(tmp_path / "a.xlsx")["cells"]
    assert all(cell.font.bold for cell in sheet[1])
    assert not any(cell.font.bold for cell in sheet[2])
    assert (sheet.freeze_panes, sheet.auto_filter.ref) == ("A2", "A1:B3")


def test_every_type_of_column(tmp_path: Path) -> None:
    table = pd.DataFrame(
        {
            "float": [1.5, np.nan, -np.inf],
            "int": [1, -2, 2**53],
            "large": [2**53 + 1, 0, -(2**62)],
            "Int64": pd.array([1, None, 3], "Int64"),
            "Float64": pd.array([0.1, None, 2], "Float64"),
            "bool": [True, False, True],
            "boolean": pd.array([True, None, False], "boolean"),
            "text": ["a", None, ""],
            "category": pd.Categorical(["=x", "y", None]),
            "time": pd.to_datetime(["2024-01-02", None, "2024-01-03"]),
        }
    )
    notes = write_workbook(tmp_path / "a.xlsx", {"cells": table})
    columns = dict(zip(table, zip(*rows_of(opened(tmp_path / "a.xlsx")["cells"]), strict=True), strict=True))
    assert columns == {
        "float": (1.5, None, None),
        "int": (1, -2, 2**53),
        "large": (str(2**53 + 1), 0, str(-(2**62))),
        "Int64": (1, None, 3),
        "Float64": (0.1, None, 2),
        "bool": (True, False, True),
        "boolean": (True, None, False),
        "text": ("a", None, None),
        "category": ("=x", "y", None),
        "time": ("2024-01-02 00:00:00", None, "2024-01-03 00:00:00"),
    }
    assert notes == (
        "Cells that hold whole numbers beyond 2⁵³ as text, since Excel would round them: 2.",
        "Cells that are empty though the value is infinite: 1.",
    )


def test_what_excel_cannot_hold_is_said(tmp_path: Path) -> None:
    table = pd.DataFrame({"text": ["a\x00b", "x" * 40_000, "c\rd\r\ne", "\ud800"]})
    notes = write_workbook(tmp_path / "a.xlsx", {"a/b": table})
    book = opened(tmp_path / "a.xlsx")
    assert book.sheetnames == ["a_b"]
    assert [row[0] for row in rows_of(book["a_b"])] == ["a\ufffdb", "x" * 32_767, "c\nd\ne", "\ufffd"]
    assert len(notes) == 3
    assert "'a/b' is called 'a_b'" in notes[0]


def test_a_table_longer_than_a_sheet_goes_on_in_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook, "EXCEL_ROWS", 5)
    monkeypatch.setattr(workbook, "_BLOCK", 3)
    table = pd.DataFrame({"n": range(10)})
    (note,) = write_workbook(tmp_path / "a.xlsx", {"drug": table, "empty": table.head(0)})
    book = opened(tmp_path / "a.xlsx")
    assert book.sheetnames == ["drug", "drug (2)", "drug (3)", "empty"]
    assert [row[0] for name in book.sheetnames for row in rows_of(book[name])] == list(range(10))
    assert "10 rows and stands in 3 sheets: drug, drug (2), drug (3)" in note


def test_limits_are_refused_in_words(tmp_path: Path) -> None:
    table = pd.DataFrame(np.zeros((1, 16_385)))
    with pytest.raises(LimitExceeded, match="16,385 columns, but Excel knows 16,384"):
        write_workbook(tmp_path / "a.xlsx", {"cells": table})
    small = {"cells": pd.DataFrame({"a": range(10)})}
    assert count_cells(small) == 10
    with pytest.raises(LimitExceeded, match="10 cells, more than the 9"):
        write_workbook(tmp_path / "a.xlsx", small, most_cells=9)
    with pytest.raises(ParameterError, match="no sheet"):
        write_workbook(tmp_path / "a.xlsx", {})
    with pytest.raises(ParameterError, match=r"suffix \.xlsx"):
        write_workbook(tmp_path / "a.xls", small)
    assert list(tmp_path.iterdir()) == []


def test_sheets_of_a_result(tmp_path: Path) -> None:
    cells = pd.DataFrame({"condition": ["drug 10", "drug 2", "summary", None], "area": [1.0, 2.0, 3.0, 4.0]})
    columns = [Column("area", "px", "Number of pixels.", "Cellmetry")]
    first = {"summary": pd.DataFrame({"n": [4]}), "contrasts": pd.DataFrame({"p_value": [0.5]})}
    sheets = result_sheets(cells, "condition", first=first, columns=columns, order=["summary"])
    names = ["summary", "contrasts", "summary (2)", "drug 2", "drug 10", "no condition", "columns"]
    assert list(sheets) == names
    assert write_workbook(tmp_path / "a.xlsx", sheets) == ()
    book = opened(tmp_path / "a.xlsx")
    assert book.sheetnames == names
    assert rows_of(book["summary (2)"]) == [["summary", 3]]
    assert rows_of(book["columns"]) == [list(columns[0])]


@given(st.lists(st.text(max_size=60), max_size=12))
def test_names_of_sheets_are_legal_and_different(names: list[str]) -> None:
    legal = sheet_names(names)
    assert len(legal) == len(names)
    assert len({name.casefold() for name in legal}) == len(names)
    for name in legal:
        assert 1 <= len(name.encode("utf-16-le")) // 2 <= 31
        assert not set(name) & set("[]:*?/\\")
        assert name[0] != "'"
        assert name[-1] != "'"
        assert name.casefold() != "history"
        name.encode()


@settings(max_examples=30)
@given(st.lists(st.text(max_size=20), min_size=1, max_size=8))
def test_any_text_comes_back_or_is_said(tmp_path_factory: pytest.TempPathFactory, texts: list[str]) -> None:
    path = tmp_path_factory.mktemp("book") / "a.xlsx"
    notes = write_workbook(path, {"cells": pd.DataFrame({"text": texts, "n": -1.5})})
    sheet = opened(path)["cells"]
    read = [cell.value or "" for cell in sheet["A"][1:]]
    assert {cell.data_type for cell in sheet["A"][1:]} <= {"s", "n"}
    assert [cell.value for cell in sheet["B"][1:]] == [-1.5] * len(texts)
    plain = [text.replace("\r\n", "\n").replace("\r", "\n") for text in texts]
    assert read == plain or (notes and [len(each) for each in read] == [len(each) for each in plain])
