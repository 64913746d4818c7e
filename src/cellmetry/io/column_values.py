"""From the texts of a table's cells to columns of numbers, truth values or text, by one set of rules for all files.

A column is of truth values if all its cells are ``True`` or ``False``, of numbers if all are numbers or missing, else
of text. Cells come in blocks, so that a large file never lies in memory as text.
"""

from __future__ import annotations

import re
import warnings
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["ColumnValues", "TextColumn", "column_values"]

_NOT_WHOLE = re.compile(r"[^0-9+\- \n]")
_LONE_SIGN = re.compile(r"[+\-](?!\d)")
_INNER_SPACE = re.compile(r"[ \t\r\f\v]")
_LEADING_ZERO = re.compile(r"^[+-]?0\d", re.MULTILINE)
_SURE_DIGITS = 18
_NO_VALUE = {"", "nan", "NaN", "NAN"}
_TRUTH = {"True", "False"}


class _Block(NamedTuple):
    """Values of some cells; ``large`` are whole numbers that may not fit 64 bits, of which nothing is kept."""

    kind: Literal["truth", "whole", "number", "missing", "text", "large"]
    values: NDArray[Any]


class ColumnValues:
    """Cells of one column, block by block, as values; a block is turned into numbers as soon as it comes."""

    def __init__(self, *, comma: bool = False) -> None:
        self.comma = comma
        self.blocks: list[_Block] = []
        self.known: dict[str, str] = {}

    def add(self, cells: Sequence[str]) -> None:
        """Take the next cells."""
        if cells:
            self.blocks.append(_block(cells, self.known, comma=self.comma))

    @property
    def open(self) -> bool:
        """Whether blocks disagree so that only the texts of all cells tell what the column is."""
        kinds = {block.kind for block in self.blocks}
        return "large" in kinds or bool(kinds & {"whole", "number"} and kinds & {"truth", "text"})

    def series(self) -> pd.Series[Any]:
        """Return the column, once, and give up the blocks; only where it is not `open`."""
        blocks, self.blocks = self.blocks, []
        kinds = {block.kind for block in blocks}
        if kinds == {"truth"}:
            return pd.Series(np.concatenate([block.values for block in blocks]))
        if kinds <= {"whole", "number", "missing"}:
            start = np.empty(0, np.int64 if kinds == {"whole"} else np.float64)
            return pd.Series(np.concatenate([start, *(block.values for block in blocks)]))
        return pd.Series(np.concatenate([_texts(block) for block in blocks]), dtype="str")


class TextColumn:
    """Cells of one column, block by block, as they stand; equal ones are kept once."""

    def __init__(self) -> None:
        self.cells: list[str] = []
        self.known: dict[str, str] = {}

    def add(self, cells: Sequence[str]) -> None:
        """Take the next cells."""
        self.cells += [self.known.setdefault(cell, cell) for cell in cells]

    def series(self) -> pd.Series[Any]:
        """Return the column as text; empty cells are ``""``."""
        return pd.Series(self.cells, dtype="str")


def column_values(cells: Sequence[str], *, comma: bool = False) -> pd.Series[Any]:
    """Return a column as truth values, whole numbers, numbers or text, whichever all its cells are.

    Parameters
    ----------
    comma
        Whether numbers have a decimal comma.
    """
    if cells and set(cells) <= _TRUTH:
        return pd.Series([cell == "True" for cell in cells], dtype=bool)
    numbers = _numbers([cell.replace(",", ".") for cell in cells] if comma else cells)
    if numbers is not None:
        return pd.Series(numbers)
    return pd.Series([None if cell in _NO_VALUE else cell for cell in cells], dtype="str")


def _block(cells: Sequence[str], known: dict[str, str], *, comma: bool) -> _Block:
    if cells[0] in _TRUTH and set(cells) <= _TRUTH:
        return _Block("truth", np.array([cell == "True" for cell in cells]))
    if cells[0] in _NO_VALUE and set(cells) <= _NO_VALUE:
        return _Block("missing", np.full(len(cells), np.nan))
    if max(map(len, cells)) > _SURE_DIGITS and not _NOT_WHOLE.search("\n".join(cells)):
        return _Block("large", np.empty(0))
    numbers = _numbers([cell.replace(",", ".") for cell in cells] if comma else cells)
    if numbers is None:
        kept = [None if cell in _NO_VALUE else known.setdefault(cell, cell) for cell in cells]
        return _Block("text", np.array(kept, dtype=object))
    return _Block("whole" if numbers.dtype.kind == "i" else "number", numbers)


def _texts(block: _Block) -> NDArray[Any]:
    if block.kind == "missing":
        return np.full(len(block.values), None, dtype=object)
    if block.kind == "truth":
        return np.where(block.values, "True", "False").astype(object)
    return block.values


def _numbers(cells: Sequence[str]) -> NDArray[Any] | None:
    """Return the numbers if all cells are one or missing; a leading zero or underscore makes them text."""
    joined = "\n".join(cells)
    if "_" in joined or not joined.isascii() or _LEADING_ZERO.search(joined):
        return None
    if _INNER_SPACE.search(joined) and any(len(cell.split()) != 1 for cell in cells if cell not in _NO_VALUE):
        return None
    if not _NO_VALUE.isdisjoint(cells):
        return _parsed(["nan" if cell in _NO_VALUE else cell for cell in cells], np.dtype(np.float64))
    if cells and not _NOT_WHOLE.search(joined):
        return None if _LONE_SIGN.search(joined) else _parsed(cells, np.dtype(np.int64))
    return _parsed(cells, np.dtype(np.float64))


def _parsed(cells: Sequence[str], dtype: np.dtype[Any]) -> NDArray[Any] | None:
    """Return each cell as a number, correctly rounded, None if one is not or does not fit 64 bits."""
    try:
        if dtype.kind == "f" or max(map(len, cells), default=0) <= _SURE_DIGITS:
            with warnings.catch_warnings(action="error", category=DeprecationWarning):
                values = np.fromstring("\n".join(cells), dtype, sep="\n")
            if len(values) == len(cells):
                return values
        parsed = np.array([float(cell) if dtype.kind == "f" else int(cell) for cell in cells], None)
    except (DeprecationWarning, ValueError, OverflowError):
        return None
    return parsed if parsed.dtype.kind in "iuf" else None
