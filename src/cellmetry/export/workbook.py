"""Tables as one Excel workbook: a sheet per condition, text that is never a formula, numbers as they are."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ERROR_CODES
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

from cellmetry.core.columns import Column
from cellmetry.errors import LimitExceeded, ParameterError
from cellmetry.export.conditions import split_conditions
from cellmetry.io.atomic import atomic_write

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

__all__ = ["EXCEL_COLUMNS", "EXCEL_ROWS", "count_cells", "result_sheets", "sheet_names", "write_workbook"]

EXCEL_ROWS, EXCEL_COLUMNS = 1_048_576, 16_384
"""The largest sheet that Excel opens; the first row holds the names of the columns."""

_LONGEST_NAME, _LONGEST_TEXT, _EXACT = 31, 32_767, 2**53
_RESERVED = {"history"}
_FORBIDDEN = re.compile(r"[\[\]:*?/\\\x00-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_ILLEGAL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_FORMULA_LIKE = re.compile(r"[=+\-@\t\r\n]")
_BLOCK = 10_000
_WIDEST, _NARROWEST = 40, 9


def result_sheets(
    cells: pd.DataFrame,
    by: str,
    *,
    first: Mapping[str, pd.DataFrame] | None = None,
    columns: Sequence[Column] = (),
    order: Sequence[str] = (),
) -> dict[str, pd.DataFrame]:
    """Return the sheets of a workbook: `first`, then one for each condition, then ``columns`` with descriptions.

    A condition whose name is taken (``summary``) gets a number behind it.

    Parameters
    ----------
    by
        Column of conditions.
    first
        ``summary`` and ``contrasts``, say.
    columns
        What the columns mean.
    order
        Conditions in the order of their sheets; those not named follow in natural order.
    """
    described = {"columns": pd.DataFrame(columns, columns=list(Column._fields))} if columns else {}
    parts = dict(split_conditions(cells, by, order))
    fixed = [*(first or {}), *described]
    legal = sheet_names([*fixed, *parts])
    conditions = dict(zip(legal[len(fixed) :], parts.values(), strict=True))
    return {**(first or {}), **conditions, **described}


def count_cells(sheets: Mapping[str, pd.DataFrame]) -> int:
    """Return how many cells a workbook of these sheets has; 1,000,000 take about seven seconds to write."""
    return sum(table.size for table in sheets.values())


def sheet_names(names: Iterable[str]) -> list[str]:
    r"""Return a name that Excel allows for each of `names`, all different also where case does not count.

    At most 31 UTF-16 units, without ``[ ] : * ? / \``, control characters, and ``'`` at either end.
    """
    out: list[str] = []
    taken = set(_RESERVED)
    for name in names:
        plain = _cut(_FORBIDDEN.sub("_", name).strip("'"), _LONGEST_NAME).rstrip("'") or "sheet"
        unique, number = plain, 2
        while unique.casefold() in taken:
            tail = f" ({number})"
            unique, number = _cut(plain, _LONGEST_NAME - len(tail)) + tail, number + 1
        taken.add(unique.casefold())
        out.append(unique)
    return out


def write_workbook(
    path: str | Path, sheets: Mapping[str, pd.DataFrame], *, most_cells: int | None = None
) -> tuple[str, ...]:
    """Return sentences about what is not in Excel as it is in the tables, after writing an ``.xlsx``.

    Numbers stay numbers, with 16 digits (openpyxl; Excel shows 15). Those that are missing or not finite are empty
    cells; whole numbers beyond 2⁵³, which Excel would round, are text. Text is of type string whatever it begins with;
    where it begins with ``= + - @``, TAB or a line end it is marked as quoted, so that it does not become a formula
    when someone edits it. A lone CR becomes a line end. A table of more rows than a sheet holds goes on in a second
    sheet.

    Parameters
    ----------
    sheets
        Name → table, in the order of the workbook; `sheet_names` makes the names legal.
    most_cells
        Refuse a larger workbook.

    Raises
    ------
    ParameterError
        If there is no sheet, or the suffix is another.
    LimitExceeded
        If a table has more columns than Excel knows, or there are more than `most_cells` cells.
    """
    path = Path(path)
    _refuse(path, sheets, most_cells)
    notes = _Notes()
    book = Workbook(write_only=True)
    for page in _pages(sheets, notes):
        _write_page(book, page, notes)
    with atomic_write(path) as temporary:
        book.save(temporary)
    return notes.sentences()


class _Page(NamedTuple):
    """One sheet: its name in the workbook, and its rows."""

    title: str
    table: pd.DataFrame


@dataclass
class _Notes:
    """What could not be written as it is: sentences, and counts of cells."""

    said: list[str] = field(default_factory=list)
    illegal: int = 0
    cut: int = 0
    large: int = 0
    infinite: int = 0

    def sentences(self) -> tuple[str, ...]:
        """Return all in words."""
        counted = (
            (self.illegal, "had characters that Excel files cannot hold, replaced by �"),
            (self.cut, f"had text of more than {_LONGEST_TEXT:,} characters, of which the rest is left out"),
            (self.large, "hold whole numbers beyond 2⁵³ as text, since Excel would round them"),
            (self.infinite, "are empty though the value is infinite"),
        )
        return (*self.said, *(f"Cells that {words}: {count:,}." for count, words in counted if count))


def _refuse(path: Path, sheets: Mapping[str, pd.DataFrame], most_cells: int | None) -> None:
    if path.suffix.lower() != ".xlsx":
        raise ParameterError(f"A workbook cannot be written as {path.name!r}; use the suffix .xlsx.")
    if not sheets:
        raise ParameterError(f"{path} would have no sheet; give at least one table.")
    for name, table in sheets.items():
        if table.shape[1] > EXCEL_COLUMNS:
            raise LimitExceeded(
                f"The sheet {name!r} would have {table.shape[1]:,} columns, but Excel knows {EXCEL_COLUMNS:,}; choose "
                f"fewer columns, or use CSV or Parquet."
            )
    cells = count_cells(sheets)
    if most_cells is not None and cells > most_cells:
        raise LimitExceeded(
            f"{path} would have {cells:,} cells, more than the {most_cells:,} that are allowed; use CSV or Parquet."
        )


def _pages(sheets: Mapping[str, pd.DataFrame], notes: _Notes) -> Iterator[_Page]:
    """Yield the sheets of each table, several of one that is longer than a sheet."""
    longest = EXCEL_ROWS - 1
    parts = [
        (name, table.iloc[start : start + longest])
        for name, table in sheets.items()
        for start in range(0, max(len(table), 1), longest)
    ]
    titles = sheet_names(name for name, _ in parts)
    for name, table in sheets.items():
        mine = [title for title, (part, _) in zip(titles, parts, strict=True) if part == name]
        if len(mine) > 1:
            notes.said.append(f"{name!r} has {len(table):,} rows and stands in {len(mine)} sheets: {', '.join(mine)}.")
        elif mine[0] != name:
            notes.said.append(f"The sheet of {name!r} is called {mine[0]!r}, since Excel does not allow its name.")
    yield from (_Page(title, table) for title, (_, table) in zip(titles, parts, strict=True))


def _write_page(book: Any, page: _Page, notes: _Notes) -> None:
    sheet = book.create_sheet(page.title)
    names = [str(name) for name in page.table.columns]
    sheet.freeze_panes = "A2"
    if names:
        sheet.auto_filter.ref = f"A1:{get_column_letter(len(names))}{len(page.table) + 1}"
    for place, name in enumerate(names, start=1):
        sheet.column_dimensions[get_column_letter(place)].width = min(max(len(name) + 3, _NARROWEST), _WIDEST)
    sheet.append([_bold(sheet, _clean(name, notes)) for name in names])
    for start in range(0, len(page.table), _BLOCK):
        block = page.table.iloc[start : start + _BLOCK]
        columns = [_values(sheet, block.iloc[:, place], notes) for place in range(len(names))]
        for row in zip(*columns, strict=True):
            sheet.append(row)


def _bold(sheet: Any, text: str) -> Any:
    cell = _text_cell(sheet, text)
    cell.font = Font(bold=True)
    return cell


def _text_cell(sheet: Any, text: str) -> Any:
    """Return a cell of type string; quoted as by a leading ``'`` where a spreadsheet would take it for more."""
    cell = WriteOnlyCell(sheet, text)
    cell.data_type = "s"
    if _FORMULA_LIKE.match(text) or text in ERROR_CODES:
        cell.quotePrefix = True
    return cell


def _values(sheet: Any, column: pd.Series, notes: _Notes) -> list[Any]:
    """Return what stands in the cells of a column."""
    if pd.api.types.is_float_dtype(column.dtype):
        numbers = column.to_numpy(np.float64, na_value=np.nan)
        notes.infinite += int(np.isinf(numbers).sum())
        values = numbers.astype(object)
        values[~np.isfinite(numbers)] = None
        return list(values.tolist())
    if isinstance(column.dtype, np.dtype) and column.dtype.kind == "b":
        return list(column.tolist())
    if isinstance(column.dtype, np.dtype) and column.dtype.kind in "iu" and _all_exact(column):
        return list(column.tolist())
    return [_value(sheet, each, notes) for each in column.astype(object)]


def _all_exact(column: pd.Series) -> bool:
    return not len(column) or (int(column.min()) >= -_EXACT and int(column.max()) <= _EXACT)


def _value(sheet: Any, value: Any, notes: _Notes) -> Any:
    """Return one value of a column of mixed type as it stands in a cell; None for a missing one."""
    if isinstance(value, str):
        return _safe_text(sheet, value, notes)
    if value is None or (pd.api.types.is_scalar(value) and pd.isna(value)):
        return None
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, int | np.integer):
        large = abs(int(value)) > _EXACT
        notes.large += large
        return str(int(value)) if large else int(value)
    if isinstance(value, float | np.floating):
        notes.infinite += not np.isfinite(value)
        return float(value) if np.isfinite(value) else None
    return _safe_text(sheet, str(value), notes)


def _safe_text(sheet: Any, text: str, notes: _Notes) -> Any:
    clean = _clean(text, notes)
    special = _FORMULA_LIKE.match(clean) or clean in ERROR_CODES
    return _text_cell(sheet, clean) if special else clean or None


def _clean(text: str, notes: _Notes) -> str:
    """Return text that an Excel file can hold."""
    clean, replaced = _ILLEGAL.subn("\ufffd", text.replace("\r\n", "\n").replace("\r", "\n"))
    short = _cut(clean, _LONGEST_TEXT)
    notes.illegal += bool(replaced)
    notes.cut += len(short) < len(clean)
    return short


def _cut(text: str, units: int) -> str:
    """Return the start of a text that has at most so many UTF-16 units, in which Excel counts, no character halved."""
    if len(text) * 2 <= units:
        return text
    return text.encode("utf-16-le", "surrogatepass")[: 2 * units].decode("utf-16-le", "ignore")
