"""Reading CSV as the world writes it: any delimiter, decimal commas, byte-order marks; refused where ambiguous."""

from __future__ import annotations

import codecs
import csv
import io
import re
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cellmetry.errors import DamagedFile

if TYPE_CHECKING:
    from collections.abc import Container, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["read_csv"]

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_DELIMITERS = (",", ";", "\t")
_COMMA_NUMBER = re.compile(r"[+-]?(\d+,\d*|,\d+)([eE][+-]?\d+)?")
_POINT_NUMBER = re.compile(r"[+-]?(\d+\.\d*|\.\d+)([eE][+-]?\d+)?")
_WHOLE = set("0123456789+- \n")
_LEADING_ZERO = re.compile(r"^[+-]?0\d", re.MULTILINE)
_SURE_DIGITS = 18
_HEADER = 1 << 20
_NO_VALUE = {"", "nan", "NaN", "NAN"}


def read_csv(path: Path, *, text: Container[str] = ()) -> pd.DataFrame:
    """Return the table of a CSV file; empty cells and ``NaN`` are missing values, other text is kept as it stands.

    Parameters
    ----------
    text
        Columns whose cells are text even where they look like numbers (``007``, ``1.10``); empty ones are ``""``.

    Raises
    ------
    DamagedFile
        If the file is empty, not text, ragged, has a column twice or mixes decimal points and commas; names the line.
    """
    skipped, body = _without_separator_line(_decode(path))
    delimiter = _delimiter(path, body)
    header, rows = _rows(path, body, delimiter, skipped)
    comma = delimiter != "," and _decimal_comma(path, rows)
    cells = zip(*(row for _, row in rows), strict=True) if rows else [()] * len(header)
    columns = [
        pd.Series(column, dtype="str") if name in text else _values(column, comma=comma)
        for name, column in zip(header, cells, strict=True)
    ]
    return pd.DataFrame(dict(zip(header, columns, strict=True)))


def _decode(path: Path) -> str:
    raw = path.read_bytes()
    if not raw:
        raise DamagedFile(f"{path} is empty; expected a table with a line of column names.")
    encoding = next((name for mark, name in _MARKS if raw.startswith(mark)), "utf-8")
    if encoding == "utf-8" and b"\0" in raw[:4096]:
        encoding = "utf-16-le" if raw[1:2] == b"\0" else "utf-16-be"
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise DamagedFile(
            f"{path} line {line}: a character is not valid {encoding.upper()}; save the table as CSV UTF-8."
        ) from error


def _without_separator_line(text: str) -> tuple[int, str]:
    first, newline, rest = text.partition("\n")
    if re.fullmatch(r"sep=.\r?", first):
        return 1, rest
    return 0, first + newline + rest


def _delimiter(path: Path, text: str) -> str:
    if not text.strip():
        raise DamagedFile(f"{path} holds no table; expected a line of column names.")
    start = text[:_HEADER]
    counts = {each: len(next(csv.reader(io.StringIO(start), delimiter=each))) for each in _DELIMITERS}
    return max(_DELIMITERS, key=lambda each: counts[each])


def _rows(path: Path, text: str, delimiter: str, skipped: int) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Return the names of the columns, and the rows with the number of the line in which each begins."""
    reader = csv.reader(io.StringIO(text), delimiter=delimiter, strict=True)
    rows: list[tuple[int, list[str]]] = []
    try:
        header = _header(path, next(reader), skipped + 1)
        line = skipped + reader.line_num + 1
        for row in reader:
            if row and len(row) != len(header):
                raise DamagedFile(
                    f"{path} line {line}: {len(row)} values where the header names {len(header)} columns."
                )
            if row:
                rows.append((line, row))
            line = skipped + reader.line_num + 1
    except csv.Error as error:
        raise DamagedFile(f"{path} line {skipped + reader.line_num}: {error}.") from error
    return header, rows


def _header(path: Path, names: list[str], line: int) -> list[str]:
    names = [name.strip() for name in names]
    twice = next((name for name in names if name and names.count(name) > 1), None)
    if twice is not None:
        raise DamagedFile(f"{path} line {line}: the column {twice!r} stands twice; rename one of them.")
    return [name or f"column_{place}" for place, name in enumerate(names, start=1)]


def _decimal_comma(path: Path, rows: list[tuple[int, list[str]]]) -> bool:
    seen: dict[str, int] = {}
    for line, row in rows:
        for cell in row:
            if "," in cell and _COMMA_NUMBER.fullmatch(cell.strip()):
                seen.setdefault("comma", line)
            elif "." in cell and _POINT_NUMBER.fullmatch(cell.strip()):
                seen.setdefault("point", line)
    if len(seen) == 2:
        (first, before), (second, line) = sorted(seen.items(), key=lambda item: item[1])
        raise DamagedFile(
            f"{path} line {line}: a number with a decimal {second}, but line {before} has a decimal {first}; "
            f"use one of them throughout."
        )
    return "comma" in seen


def _values(cells: tuple[str, ...], *, comma: bool) -> pd.Series[Any]:
    """Return a column as truth values, whole numbers, numbers or text, whichever all its cells are."""
    if cells and cells[0] in {"True", "False"} and set(cells) <= {"True", "False"}:
        return pd.Series([cell == "True" for cell in cells], dtype=bool)
    numbers = _numbers([cell.replace(",", ".") for cell in cells] if comma else cells)
    if numbers is not None:
        return pd.Series(numbers)
    return pd.Series([None if cell in _NO_VALUE else cell for cell in cells], dtype="str")


def _numbers(cells: Sequence[str]) -> NDArray[Any] | None:
    """Return the numbers if all cells are one or missing; a leading zero or underscore makes them text."""
    joined = "\n".join(cells)
    if "_" in joined or not joined.isascii() or _LEADING_ZERO.search(joined):
        return None
    if any(cell in cells for cell in _NO_VALUE):
        return _parsed(["nan" if cell in _NO_VALUE else cell for cell in cells], np.dtype(np.float64))
    if cells and not set(joined) - _WHOLE:
        return _parsed(cells, np.dtype(np.int64))
    return _parsed(cells, np.dtype(np.float64))


def _parsed(cells: Sequence[str], dtype: np.dtype[Any]) -> NDArray[Any] | None:
    """Return each cell as a number, correctly rounded, None if one is not or does not fit 64 bits."""
    try:
        if max(map(len, cells), default=0) <= _SURE_DIGITS or dtype.kind == "f":
            with warnings.catch_warnings(action="error", category=DeprecationWarning):
                values = np.fromstring("\n".join(cells), dtype, sep="\n")
            if len(values) == len(cells):
                return values
        parsed = np.array([float(cell) if dtype.kind == "f" else int(cell) for cell in cells], None)
    except (DeprecationWarning, ValueError, OverflowError):
        return None
    return parsed if parsed.dtype.kind in "iuf" else None
