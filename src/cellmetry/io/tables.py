"""Tables as CSV and Parquet, with the description of every column beside or inside them."""

from __future__ import annotations

import csv
import json
import re
import struct
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import fastparquet
import numpy as np
import pandas as pd
from fastparquet.util import ParquetException

from cellmetry.core.columns import Column
from cellmetry.errors import DamagedFile, MissingInput, OutputError, ParameterError
from cellmetry.io.atomic import atomic_write
from cellmetry.io.csv_reading import read_csv

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterator, Sequence

__all__ = ["columns_path", "read_columns", "read_table", "write_table"]

_KEY = "cellmetry.columns"
_DANGEROUS = re.compile(r"^'*[=+\-@\t\r]")
_QUOTED = re.compile(r"^'+[=+\-@\t\r]")
_FIELDS = ("name", "unit", "definition", "source")


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


def read_table(path: str | Path, *, text: Container[str] = ()) -> pd.DataFrame:
    """Return the table in a CSV or Parquet file; its descriptions, if any, are in ``attrs["columns"]``.

    CSV may use commas, semicolons or tabs, a decimal comma (with semicolons or tabs), a byte-order mark and UTF-16.

    Parameters
    ----------
    text
        Columns of a CSV whose cells are text even where they look like numbers; empty ones are ``""``.

    Raises
    ------
    MissingInput, DamagedFile
        If the file is missing; if it is broken, ragged or ambiguous, with the line.
    """
    path = Path(path)
    if not path.is_file():
        raise MissingInput(f"{path} does not exist; give the path of a .csv or .parquet table.")
    table = _read_parquet(path) if _is_parquet(path) else _with_text(read_csv(path, text=text), _unquoted)
    described = read_columns(path)
    if described:
        table.attrs["columns"] = described
    return table


def read_columns(path: str | Path) -> tuple[Column, ...]:
    """Return the descriptions that were written with the table at `path`; empty if there are none."""
    path = Path(path)
    if path.is_file() and _is_parquet(path):
        with _parquet(path) as file:
            text = file.key_value_metadata.get(_KEY, "[]")
        return tuple(Column(*entry) for entry in json.loads(text))
    beside = columns_path(path)
    if not beside.is_file():
        return ()
    rows = _with_text(read_csv(beside), _unquoted).astype(object)
    return tuple(Column(*map(str, row)) for row in rows.where(rows.notna(), "").itertuples(index=False))


def columns_path(path: Path) -> Path:
    """Return where the descriptions of the columns of a CSV stand: ``cells.csv`` → ``cells_columns.csv``."""
    return path.with_name(f"{path.stem}_columns.csv")


def _refuse_unwritable(table: pd.DataFrame, path: Path) -> None:
    names = [str(name) for name in table.columns]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise OutputError(f"{path} was not written: the column {twice[0]!r} stands twice in the table.")


def _write_csv(table: pd.DataFrame, path: Path) -> None:
    safe = _with_text(table, _quoted)
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
            str(temporary), bare, compression="ZSTD", write_index=False, stats=False, custom_metadata={_KEY: text}
        )


def _is_parquet(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) == b"PAR1"


@contextmanager
def _parquet(path: Path) -> Iterator[fastparquet.ParquetFile]:
    with path.open("rb") as file:
        try:
            yield fastparquet.ParquetFile(file)
        except (ParquetException, ValueError, OSError, IndexError, KeyError, struct.error) as error:
            raise DamagedFile(f"{path} starts as Parquet and then breaks ({error}); write the table again.") from error


def _read_parquet(path: Path) -> pd.DataFrame:
    with _parquet(path) as file:
        table: pd.DataFrame = file.to_pandas()
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


def _quoted(text: str) -> str:
    return f"'{text}" if _DANGEROUS.match(text) else text


def _unquoted(text: str) -> str:
    return text[1:] if _QUOTED.match(text) else text


def _with_text(table: pd.DataFrame, change: Callable[[str], str]) -> pd.DataFrame:
    """Return `table` with `change` made to every text, the names of columns included; numbers are never touched."""
    changed = table.set_axis([change(str(name)) for name in table.columns], axis="columns")
    for place in _text_columns(table):
        cells = [change(cell) if isinstance(cell, str) else cell for cell in table.iloc[:, place]]
        changed.isetitem(place, np.array(cells, dtype=object))
    return changed
