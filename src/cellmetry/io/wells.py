"""Wells in the words of all makers (``A1``, ``a01``, ``A - 1``, ``r01c01``) as one: ``A01``."""

from __future__ import annotations

import re
from typing import NamedTuple

__all__ = ["PLATES", "Plate", "Well", "parse_row", "parse_well", "plate_of", "row_name", "well_at"]

_LETTERS = re.compile(r"(?P<row>[A-Za-z]{1,2})\s*[-_:/ ]?\s*(?P<column>\d{1,2})")
_NUMBERS = re.compile(r"r(?:ow)?[ _-]*(?P<row>\d{1,2})[ _-]*c(?:ol(?:umn)?)?[ _-]*(?P<column>\d{1,2})", re.IGNORECASE)
_ALPHABET = 26


class Plate(NamedTuple):
    """Rows and columns of a plate."""

    rows: int
    columns: int

    @property
    def wells(self) -> int:
        """Number of wells."""
        return self.rows * self.columns


PLATES = {plate.wells: plate for plate in (Plate(2, 3), Plate(3, 4), Plate(4, 6), Plate(6, 8))} | {
    plate.wells: plate for plate in (Plate(8, 12), Plate(16, 24), Plate(32, 48))
}
"""The usual plates by their number of wells: 6, 12, 24, 48, 96, 384 and 1536."""
_USUAL = (96, 384, 1536)


class Well(NamedTuple):
    """A place on a plate; row and column are counted from 0."""

    row: int
    column: int

    @property
    def name(self) -> str:
        """Row as letters and column from 1 with two digits: ``B03``."""
        return f"{row_name(self.row)}{self.column + 1:02d}"

    def on_edge(self, plate: Plate) -> bool:
        """Return whether it is in the outermost rows or columns of a plate."""
        return self.row in {0, plate.rows - 1} or self.column in {0, plate.columns - 1}


def row_name(row: int) -> str:
    """Return the letters of a row counted from 0: A to Z, then AA, AB and so on."""
    letter = chr(ord("A") + row % _ALPHABET)
    return letter if row < _ALPHABET else row_name(row // _ALPHABET - 1) + letter


def parse_row(text: str) -> int | None:
    """Return a row, counted from 0, of its letters or its number from 1; None if the text is neither."""
    word = text.strip().upper()
    if re.fullmatch(r"\d{1,2}", word):
        return int(word) - 1 if int(word) > 0 else None
    if not re.fullmatch(r"[A-Z]{1,2}", word):
        return None
    number = 0
    for letter in word:
        number = number * _ALPHABET + ord(letter) - ord("A") + 1
    return number - 1


def parse_well(text: str) -> Well | None:
    """Return the well that a word means; None if it is no well of a plate of up to 1536 wells."""
    word = text.strip()
    found = _NUMBERS.fullmatch(word) or _LETTERS.fullmatch(word)
    return well_at(found["row"], found["column"]) if found else None


def well_at(row: str, column: str) -> Well | None:
    """Return the well of a row and a column in words; None if there is none on a plate of up to 1536 wells."""
    place = parse_row(row)
    if place is None or not re.fullmatch(r"\d{1,2}", column.strip()):
        return None
    well = Well(place, int(column) - 1)
    largest = PLATES[max(PLATES)]
    return well if well.row < largest.rows and 0 <= well.column < largest.columns else None


def plate_of(wells: list[Well]) -> Plate:
    """Return the smallest plate of 96, 384 or 1536 wells that holds all of these."""
    rows, columns = max(well.row for well in wells), max(well.column for well in wells)
    return next(PLATES[size] for size in _USUAL if rows < PLATES[size].rows and columns < PLATES[size].columns)
