"""Reading a sheet of an Excel workbook as a table, by the rules of CSV; what a sheet hides is refused in words.

A merged cell holds its value in one corner only, a formula that no program worked out holds none, and an error is no
value: each would be read as something else than the screen shows.
"""

from __future__ import annotations

import datetime
import warnings
import zipfile
import zlib
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple
from xml.etree.ElementTree import ParseError

import pandas as pd
from defusedxml.ElementTree import iterparse
from openpyxl import load_workbook
from openpyxl.utils import get_column_letter
from openpyxl.utils.exceptions import InvalidFileException

from cellmetry.errors import CellmetryError, DamagedFile, LimitExceeded, UnknownName, UnsupportedFormat
from cellmetry.io.column_values import TextColumn, column_values
from cellmetry.settings import current_settings

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Sequence
    from pathlib import Path

__all__ = ["read_sheet", "sheet_header"]

_ZIP = b"PK\x03\x04"
_SMALL = 64_000_000
_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    InvalidFileException,
    ParseError,
    EOFError,
    KeyError,
    IndexError,
    ValueError,
    TypeError,
    AttributeError,
    OSError,
)
"""What openpyxl raises for files that are no workbooks or broken ones."""


class _Sheet(NamedTuple):
    """A sheet of a workbook with how it is called in messages."""

    sheet: Any
    named: str


def read_sheet(
    path: Path, name: str | None = None, *, text: Container[str] = (), columns: Sequence[str] | None = None
) -> pd.DataFrame:
    """Return the table of a sheet: its first row names the columns; blank rows are skipped, hidden ones are not.

    Cells mean what they would in a CSV: a column is of numbers if all its cells are. Dates become text (2026-05-31).

    Parameters
    ----------
    name
        The sheet; the first if left out.
    text
        Columns whose cells are text even where they are numbers; empty ones are ``""``.
    columns
        The only columns that are kept, in this order.

    Raises
    ------
    UnsupportedFormat, DamagedFile, LimitExceeded
        If the file is an old or protected workbook; broken, or its sheet no plain table, with the row; too large.
    UnknownName
        If the sheet or a column of `columns` is not there.
    """
    with _opened(path, name) as found:
        _refuse_hidden(found)
        rows = found.sheet.iter_rows()
        header = _header(found, next(rows, ()))
        wanted = list(header if columns is None else dict.fromkeys(columns))
        for each in wanted:
            if each not in header:
                raise UnknownName(f"column of {found.named} called", each, header)
        places = {each: header.index(each) for each in wanted}
        cells: dict[str, TextColumn] = {each: TextColumn() for each in wanted}
        for number, row in enumerate(rows, start=2):
            texts = _texts(found, row, number, len(header))
            if any(texts):
                for each, place in places.items():
                    cells[each].add(texts[place : place + 1] or ("",))
    return pd.DataFrame(
        {each: column.series() if each in text else column_values(column.cells) for each, column in cells.items()}
    )


def sheet_header(path: Path, name: str | None = None) -> tuple[str, ...]:
    """Return the names of the columns of a sheet (the first if left out); errors are those of `read_sheet`."""
    with _opened(path, name) as found:
        return _header(found, next(found.sheet.iter_rows(), ()))


@contextmanager
def _opened(path: Path, name: str | None) -> Iterator[_Sheet]:
    _refuse_unreadable(path)
    with path.open("rb") as file, warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # Of openpyxl, about looks of cells that it does not know.
        try:
            book = load_workbook(file, read_only=True, data_only=True, keep_links=False)
            yield _sheet(book, path, name)
        except CellmetryError:
            raise
        except _BROKEN as error:
            raise DamagedFile(f"{path} is no Excel workbook that can be read ({error}); save it as .xlsx.") from error


def _refuse_unreadable(path: Path) -> None:
    with path.open("rb") as file:
        start = file.read(4)
    if start != _ZIP:
        raise UnsupportedFormat(
            f"{path} is an old Excel workbook (.xls) or one with a password; save it as .xlsx without one."
        )
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
    except zipfile.BadZipFile as error:
        raise DamagedFile(f"{path} starts as .xlsx and then breaks ({error}); save it again.") from error
    most = current_settings().max_compression_ratio
    if size > max(_SMALL, most * path.stat().st_size):
        raise LimitExceeded(
            f"{path} unpacks to more than {most} times its size; if you trust it, raise "
            f"CELLMETRY_MAX_COMPRESSION_RATIO."
        )


def _sheet(book: Any, path: Path, name: str | None) -> _Sheet:
    known = {sheet.title: sheet for sheet in book.worksheets}
    if not known:
        raise DamagedFile(f"{path} holds no sheet with cells.")
    if name is None:
        name = next(iter(known))
    if name not in known:
        raise UnknownName(f"sheet of {path.name} called", name, known)
    known[name].reset_dimensions()  # What a file says of its size may be wrong.
    return _Sheet(known[name], f"{path} sheet {name!r}")


def _refuse_hidden(found: _Sheet) -> None:
    """Refuse merged cells, and formulas whose result is not stored; both would be read as empty cells."""
    with found.sheet._get_source() as source:
        for _, element in iterparse(source, events=("end",)):
            kind = element.tag.rpartition("}")[2]
            if kind == "mergeCell":
                raise DamagedFile(
                    f"{found.named}: the cells {element.get('ref')} are merged, so that only one of them has a value; "
                    f"unmerge them and fill each."
                )
            if kind == "c":
                inside = {child.tag.rpartition("}")[2]: child for child in element}
                if "f" in inside and ("v" not in inside or inside["v"].text is None) and element.get("t") != "str":
                    raise DamagedFile(
                        f"{found.named}: the cell {element.get('r')} holds a formula without its result; open and "
                        f"save the workbook in Excel or LibreOffice, or put in the value."
                    )
            if kind == "row":
                element.clear()


def _header(found: _Sheet, row: Sequence[Any]) -> tuple[str, ...]:
    names = [name.strip() for name in _texts(found, row, 1, len(row))]
    while names and not names[-1]:
        names.pop()
    if not names:
        raise DamagedFile(f"{found.named} row 1 is empty; it must hold the names of the columns.")
    for place, name in enumerate(names, start=1):
        if not name:
            raise DamagedFile(
                f"{found.named} row 1: the column {get_column_letter(place)} has no name; give it one or delete it."
            )
        if names.index(name) != place - 1:
            raise DamagedFile(f"{found.named} row 1: the column {name!r} stands twice; rename one of them.")
    return tuple(names)


def _texts(found: _Sheet, row: Sequence[Any], number: int, width: int) -> list[str]:
    """Return the cells of a row as a CSV would have them, as many as there are columns."""
    for place, cell in enumerate(row, start=1):
        where = f"{found.named} row {number}: the cell {get_column_letter(place)}{number}"
        if cell.data_type == "e":
            raise DamagedFile(f"{where} holds the error {cell.value}; mend or empty it.")
        if place > width and cell.value not in (None, ""):
            raise DamagedFile(f"{where} has a value, but its column has no name in row 1.")
    return [_text(cell.value) for cell in row[:width]] + [""] * (width - len(row))


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime.datetime) and value.time() == datetime.time():
        return value.date().isoformat()
    if isinstance(value, (datetime.datetime, datetime.date, datetime.time)):
        return value.isoformat()
    return str(value)
