"""Tables as CSV and Parquet (Excel is read, too), with the description of every column beside or inside them."""

from __future__ import annotations

import csv
import json
import re
import struct
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import fastparquet
import numpy as np
import pandas as pd
from fastparquet.util import ParquetException

from cellmetry.core.columns import Column
from cellmetry.errors import CellmetryError, DamagedFile, MissingInput, OutputError, ParameterError, UnknownName
from cellmetry.io.atomic import atomic_write
from cellmetry.io.csv_reading import csv_header, read_csv

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Iterator, Sequence

__all__ = [
    "columns_path",
    "formula_safe",
    "open_parquet",
    "plain_types",
    "read_columns",
    "read_header",
    "read_table",
    "table_file",
    "write_table",
]

_KEY = "cellmetry.columns"
_DANGEROUS = re.compile(r"^'*[=+\-@\t\r]")
_QUOTED = re.compile(r"^'+[=+\-@\t\r]")
_SHEET = re.compile(r"(?P<file>.+?\.xls[xm]?)#(?P<sheet>.+)", re.IGNORECASE)
_PARQUET, _ZIP, _OLE = b"PAR1", b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_FIELDS = ("name", "unit", "definition", "source")
_ROWS_A_GROUP = 1 << 16
"""Rows of a Parquet file that are read at once, so that a page of a long table needs only its part."""


def write_table(table: pd.DataFrame, path: str | Path, columns: Sequence[Column] = ()) -> None:
    """Write `table` without its index as the suffix of `path` says: ``.csv`` or ``.parquet``.

    Parameters
    ----------
    columns
        What the columns mean. Beside a CSV they are ``<stem>_columns.csv``; in Parquet they are the key-value
        metadata ``cellmetry.columns`` (JSON).

    Notes
    -----
    Numbers are written with the fewest digits that give the same number when read. Text that a spreadsheet would
    take for a formula (it starts with ``=``, ``+``, ``-``, ``@``, TAB or CR) gets a leading ``'``, which
    `read_table` takes off again; numbers never do.
    """
    path = Path(path)
    _refuse_unwritable(table, path)
    if path.suffix.lower() == ".csv":
        _write_csv(table, path)
        if columns:
            _write_csv(pd.DataFrame(columns, columns=list(_FIELDS)), columns_path(path))
    elif path.suffix.lower() == ".parquet":
        _write_parquet(table, path, columns)
    else:
        raise ParameterError(f"A table cannot be written as {path.name!r}; use the suffix .csv or .parquet.")


def read_table(path: str | Path, *, text: Container[str] = (), columns: Sequence[str] | None = None) -> pd.DataFrame:
    """Return the table in a CSV, Parquet or Excel file; its descriptions, if any, are in ``attrs["columns"]``.

    CSV may use commas, semicolons or tabs, a decimal comma (with semicolons or tabs), a byte-order mark and UTF-16. Of
    an Excel workbook (.xlsx) the first sheet is read, or the one that is named behind the file: ``plate.xlsx#Layout``.

    Parameters
    ----------
    text
        Columns of a CSV or sheet whose cells are text even where they look like numbers; empty ones are ``""``.
    columns
        The only columns that are read, in this order; all if left out.

    Raises
    ------
    MissingInput, DamagedFile
        If the file is missing; if it is broken, ragged or ambiguous, with the line.
    UnknownName
        If a column of `columns`, or the sheet, is not there.
    """
    path = Path(path)
    form = _form(path)
    if form == "parquet":
        table = _read_parquet(path, columns)
    elif form == "excel":
        table = _excel().read_sheet(*_file_and_sheet(path), text=text, columns=columns)
    else:
        table = _read_text(path, text, columns)
    described = read_columns(path)
    if described:
        table.attrs["columns"] = tuple(column for column in described if columns is None or column.name in columns)
    return table


def read_header(path: str | Path) -> tuple[str, ...]:
    """Return the names of the columns of a table without reading its rows.

    Raises
    ------
    MissingInput, DamagedFile
        If the file is missing; if it is broken, or has a column twice.
    """
    path = Path(path)
    form = _form(path)
    if form == "parquet":
        with open_parquet(path) as file:
            return tuple(map(str, file.columns))
    if form == "excel":
        names: tuple[str, ...] = _excel().sheet_header(*_file_and_sheet(path))
        return names
    return tuple(map(_unquoted, csv_header(path)))


def read_columns(path: str | Path) -> tuple[Column, ...]:
    """Return the descriptions that were written with the table at `path`; empty if there are none."""
    path = Path(path)
    form = _form(path) if table_file(path).is_file() else "csv"
    if form == "parquet":
        with open_parquet(path) as file:
            text = file.key_value_metadata.get(_KEY, "[]")
        return tuple(Column(*entry) for entry in json.loads(text))
    beside = columns_path(path)
    if form == "excel" or not beside.is_file():
        return ()
    rows = _with_text(read_csv(beside), _unquoted).astype(object)
    return tuple(Column(*map(str, row)) for row in rows.where(rows.notna(), "").itertuples(index=False))


def table_file(path: str | Path) -> Path:
    """Return the file of a table: `path` itself, or the workbook of ``plate.xlsx#Layout``."""
    return _file_and_sheet(Path(path))[0]


def columns_path(path: Path) -> Path:
    """Return where the descriptions of the columns of a CSV stand: ``cells.csv`` → ``cells_columns.csv``."""
    return path.with_name(f"{path.stem}_columns.csv")


def formula_safe(text: str) -> str:
    """Return text as it stands in a CSV: with a leading ``'`` where a spreadsheet would take it for a formula."""
    return f"'{text}" if _DANGEROUS.match(text) else text


def _refuse_unwritable(table: pd.DataFrame, path: Path) -> None:
    names = [str(name) for name in table.columns]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise OutputError(f"{path} was not written: the column {twice[0]!r} stands twice in the table.")


def _write_csv(table: pd.DataFrame, path: Path) -> None:
    safe = _with_text(table, formula_safe)
    returns = any(
        "\r" in cell for place in _text_columns(safe) for cell in safe.iloc[:, place] if isinstance(cell, str)
    )
    quoting: Literal[0, 2] = (
        csv.QUOTE_NONNUMERIC if returns else csv.QUOTE_MINIMAL
    )  # Python < 3.13 leaves a lone CR unquoted.
    with atomic_write(path) as temporary:
        safe.to_csv(temporary, index=False, encoding="utf-8", lineterminator="\n", quoting=quoting)


def _write_parquet(table: pd.DataFrame, path: Path, columns: Sequence[Column]) -> None:
    bare = table.copy(deep=False)
    bare.attrs = {}
    text = json.dumps([list(column) for column in columns], ensure_ascii=False)
    with atomic_write(path) as temporary:
        fastparquet.write(
            str(temporary),
            bare,
            compression="ZSTD",
            write_index=False,
            stats=False,
            custom_metadata={_KEY: text},
            row_group_offsets=_ROWS_A_GROUP,
        )


def _form(path: Path) -> Literal["csv", "parquet", "excel"]:
    """Return what a table's file holds, by its first bytes."""
    file = table_file(path)
    if not file.is_file():
        raise MissingInput(f"{file} does not exist; give the path of a .csv, .parquet or .xlsx table.")
    with file.open("rb") as opened:
        start = opened.read(8)
    if start.startswith(_PARQUET):
        return "parquet"
    return "excel" if start.startswith((_ZIP, _OLE)) else "csv"


def _file_and_sheet(path: Path) -> tuple[Path, str | None]:
    """Return the file of a table, and the name of the sheet that is asked for, if one is."""
    found = None if path.is_file() else _SHEET.fullmatch(path.name)
    return (path, None) if found is None else (path.with_name(found["file"]), found["sheet"])


def _excel() -> Any:
    """Return the module that reads workbooks; openpyxl, slow to import, is loaded only for one."""
    return import_module("cellmetry.io.excel_reading")


def _read_text(path: Path, text: Container[str], columns: Sequence[str] | None) -> pd.DataFrame:
    if columns is None:
        return _with_text(read_csv(path, text=text), _unquoted)
    written = {_unquoted(name): name for name in csv_header(path)}
    _refuse_unknown(path, columns, written)
    return _with_text(read_csv(path, text=text, columns=[written[name] for name in columns]), _unquoted)


def _refuse_unknown(path: Path, columns: Sequence[str], known: Iterable[str]) -> None:
    known = tuple(known)
    for name in columns:
        if name not in known:
            raise UnknownName(f"column of {path.name} called", name, known)


@contextmanager
def open_parquet(path: Path) -> Iterator[fastparquet.ParquetFile]:
    """Yield a Parquet file; what breaks while it is read is told in words.

    Raises
    ------
    DamagedFile
        If it is broken.
    """
    with path.open("rb") as file:
        try:
            yield fastparquet.ParquetFile(file)
        except CellmetryError:
            raise
        except (ParquetException, ValueError, OSError, IndexError, KeyError, struct.error) as error:
            raise DamagedFile(f"{path} starts as Parquet and then breaks ({error}); write the table again.") from error


def _read_parquet(path: Path, columns: Sequence[str] | None) -> pd.DataFrame:
    with open_parquet(path) as file:
        if columns is not None:
            _refuse_unknown(path, columns, file.columns)
        wanted = None if columns is None else list(dict.fromkeys(columns))
        table: pd.DataFrame = file.to_pandas(columns=wanted)
    table = table if wanted is None else table[wanted]
    return plain_types(table)


def plain_types(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table as it came from Parquet with its text as text, and without the attributes of its file."""
    table.attrs = {}
    text = {name: "str" for name, dtype in table.dtypes.items() if pd.api.types.is_object_dtype(dtype)}
    return table.astype(text)


def _text_columns(table: pd.DataFrame) -> list[int]:
    return [
        place
        for place, dtype in enumerate(table.dtypes)
        if pd.api.types.is_object_dtype(dtype)
        or pd.api.types.is_string_dtype(dtype)
        or isinstance(dtype, pd.CategoricalDtype)
    ]


def _unquoted(text: str) -> str:
    return text[1:] if _QUOTED.match(text) else text


def _with_text(table: pd.DataFrame, change: Callable[[str], str]) -> pd.DataFrame:
    """Return `table` with `change` made to every text, the names of columns included; numbers are never touched."""
    change = cache(change)
    changed = table.set_axis([change(str(name)) for name in table.columns], axis="columns")
    for place in _text_columns(table):
        cells = [change(cell) if isinstance(cell, str) else cell for cell in table.iloc[:, place]]
        changed.isetitem(place, np.array(cells, dtype=object))
    return changed
