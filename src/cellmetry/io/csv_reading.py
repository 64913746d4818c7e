"""Reading CSV as the world writes it: any delimiter, decimal commas, byte-order marks; refused where ambiguous.

A file is read in blocks of rows, so that a table of a million rows needs the memory of its columns, not of its text.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple, NoReturn, Protocol

import pandas as pd

from cellmetry.errors import DamagedFile, UnknownName
from cellmetry.io.column_values import ColumnValues, TextColumn, column_values

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Mapping, Sequence
    from pathlib import Path
    from typing import TextIO

__all__ = ["csv_header", "read_csv"]

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
_HEADER = 1 << 20
_BLOCK_CELLS = 1 << 19


class _Reader(Protocol):
    """What is used of a reader of the module csv."""

    line_num: int

    def __iter__(self) -> Iterator[list[str]]: ...
    def __next__(self) -> list[str]: ...


class _Source(NamedTuple):
    """How a file is written: encoding, lines before the header (``sep=;``), delimiter and names of the columns."""

    path: Path
    encoding: str
    skipped: int
    delimiter: str
    header: tuple[str, ...]


def read_csv(path: Path, *, text: Container[str] = (), columns: Sequence[str] | None = None) -> pd.DataFrame:
    """Return the table of a CSV file; empty cells and ``NaN`` are missing values, other text is kept as it stands.

    Parameters
    ----------
    text
        Columns whose cells are text even where they look like numbers (``007``, ``1.10``); empty ones are ``""``.
    columns
        The only columns that are kept, in this order; the others are still checked for form.

    Raises
    ------
    DamagedFile
        If the file is empty, not text, ragged, has a column twice or mixes decimal points and commas; names the line.
    UnknownName
        If a column of `columns` is not there.
    """
    source = _source(path)
    names = list(source.header if columns is None else dict.fromkeys(columns))
    for name in names:
        if name not in source.header:
            raise UnknownName(f"column of {path.name} called", name, source.header)
    comma = source.delimiter != "," and _decimal_comma(source)
    texts = {name: TextColumn() for name in names if name in text}
    values = {name: ColumnValues(comma=comma) for name in names if name not in text}
    whole: dict[str, TextColumn | ColumnValues] = {**texts, **values}
    _fill(source, whole)
    unclear = {name: TextColumn() for name, column in values.items() if column.open}
    if unclear:
        _fill(source, unclear)
    found = {name: column_values(column.cells, comma=comma) for name, column in unclear.items()}
    return pd.DataFrame({name: found[name] if name in found else whole[name].series() for name in names})


def csv_header(path: Path) -> tuple[str, ...]:
    """Return the names of the columns of a CSV file.

    Raises
    ------
    DamagedFile
        If the file is empty, not text, or has a column twice.
    """
    return _source(path).header


def _source(path: Path) -> _Source:
    encoding = _encoding(path)
    with _opened(path, encoding) as file:
        skipped = 1 if re.fullmatch(r"sep=.\r?\n?", file.readline()) else 0
        if not skipped:
            file.seek(0)
        start = file.read(_HEADER)
    if not start.strip():
        raise DamagedFile(f"{path} holds no table; expected a line of column names.")
    try:
        firsts = {each: next(csv.reader(io.StringIO(start), delimiter=each)) for each in _DELIMITERS}
        delimiter = max(_DELIMITERS, key=lambda each: len(firsts[each]))
        names = next(csv.reader(io.StringIO(start), delimiter=delimiter, strict=len(start) < _HEADER))
    except csv.Error as error:
        raise DamagedFile(f"{path} line {skipped + 1}: {error}.") from error
    return _Source(path, encoding, skipped, delimiter, _header(path, names, skipped + 1))


def _encoding(path: Path) -> str:
    with path.open("rb") as file:
        raw = file.read(4096)
    if not raw:
        raise DamagedFile(f"{path} is empty; expected a table with a line of column names.")
    encoding = next((name for mark, name in _MARKS if raw.startswith(mark)), "utf-8")
    if encoding == "utf-8" and b"\0" in raw:
        return "utf-16-le" if raw[1:2] == b"\0" else "utf-16-be"
    return encoding


@contextmanager
def _opened(path: Path, encoding: str) -> Iterator[TextIO]:
    """Yield the text of a file, lines ended by LF alone; what is no text is refused with its line."""
    with path.open(encoding=encoding, newline="\n") as file:
        try:
            yield file
        except UnicodeDecodeError as error:
            raise DamagedFile(
                f"{path} line {_undecoded_line(path, encoding)}: a character is not valid "
                f"{encoding.removesuffix('-sig').upper()}; save the table as CSV UTF-8."
            ) from error


def _undecoded_line(path: Path, encoding: str) -> int:
    decoder, line = codecs.getincrementaldecoder(encoding)(), 1
    with path.open("rb") as file:
        while block := file.read(_HEADER):
            try:
                decoder.decode(block)
            except UnicodeDecodeError as error:
                return line + bytes(error.object).count(b"\n", 0, error.start)
            line += block.count(b"\n")
    return line


def _header(path: Path, names: list[str], line: int) -> tuple[str, ...]:
    names = [name.strip() for name in names]
    twice = next((name for name in names if name and names.count(name) > 1), None)
    if twice is not None:
        raise DamagedFile(f"{path} line {line}: the column {twice!r} stands twice; rename one of them.")
    return tuple(name or f"column_{place}" for place, name in enumerate(names, start=1))


@contextmanager
def _below_header(source: _Source) -> Iterator[_Reader]:
    """Yield a reader that stands below the header; what is no CSV is refused with its line."""
    with _opened(source.path, source.encoding) as file:
        for _ in range(source.skipped):
            file.readline()
        reader: _Reader = csv.reader(file, delimiter=source.delimiter, strict=True)
        try:
            next(reader)
            yield reader
        except csv.Error as error:
            raise DamagedFile(f"{source.path} line {source.skipped + reader.line_num}: {error}.") from error


def _fill(source: _Source, columns: Mapping[str, TextColumn | ColumnValues]) -> None:
    """Give each column its cells, block by block; of several faults of a file, the first is told."""
    places = [(source.header.index(name), column) for name, column in columns.items()]
    try:
        for rows in _blocks(source):
            for place, column in places:
                column.add([row[place] for row in rows])
    except DamagedFile:
        for _ in _numbered(source):
            pass
        raise


def _blocks(source: _Source) -> Iterator[list[list[str]]]:
    """Yield rows in blocks, without blank lines."""
    width = len(source.header)
    with _below_header(source) as reader:
        while rows := list(islice(reader, max(1, _BLOCK_CELLS // max(width, 1)))):
            if set(map(len, rows)) != {width}:
                rows = [row for row in rows if row]
                if any(len(row) != width for row in rows):
                    raise DamagedFile(f"{source.path} has a row that has not {width} values.")
            yield rows


def _numbered(source: _Source) -> Iterator[tuple[int, list[str]]]:
    """Yield rows with the number of the line in which each begins, without blank lines."""
    width = len(source.header)
    with _below_header(source) as reader:
        line = source.skipped + reader.line_num + 1
        for row in reader:
            if row and len(row) != width:
                raise DamagedFile(
                    f"{source.path} line {line}: {len(row)} values where the header names {width} columns."
                )
            if row:
                yield line, row
            line = source.skipped + reader.line_num + 1


def _decimal_comma(source: _Source) -> bool:
    """Return whether numbers have a decimal comma; a file with both commas and points is refused."""
    seen: dict[str, int] = {}
    for line, row in _numbered(source):
        for cell in row:
            if "," in cell and _COMMA_NUMBER.fullmatch(cell.strip()):
                seen.setdefault("comma", line)
            elif "." in cell and _POINT_NUMBER.fullmatch(cell.strip()):
                seen.setdefault("point", line)
        if len(seen) == 2:
            _refuse_both(source.path, seen)
    return "comma" in seen


def _refuse_both(path: Path, seen: dict[str, int]) -> NoReturn:
    (first, before), (second, line) = sorted(seen.items(), key=lambda item: item[1])
    raise DamagedFile(
        f"{path} line {line}: a number with a decimal {second}, but line {before} has a decimal {first}; use one of "
        f"them throughout."
    )
