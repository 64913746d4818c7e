"""Wells of plates for figures: places, extent, one value a well."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from cellmetry.errors import ParameterError, UnknownName
from cellmetry.io.discover import natural_key
from cellmetry.report.comparison.figures.data import plain_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["FORMATS", "Plate", "excluded_rows", "plates_of", "row_name", "row_number", "well_values"]

FORMATS = {6: (2, 3), 12: (3, 4), 24: (4, 6), 48: (6, 8), 96: (8, 12), 384: (16, 24), 1536: (32, 48)}
"""Rows and columns of plates by the number of their wells."""
_GUESSED = (96, 384)


class Plate(NamedTuple):
    """A plate with its wells.

    Parameters
    ----------
    name
        Empty where the table names no plates.
    rows, columns
        Size of the plate.
    wells
        One row a well: ``row`` and ``column`` from 0, ``excluded``, and the columns that were asked for.
    """

    name: str
    rows: int
    columns: int
    wells: pd.DataFrame

    def grid(self, column: str) -> NDArray[np.float64]:
        """Return a value of the wells that are not excluded, shape (rows, columns), NaN where none is."""
        grid = np.full((self.rows, self.columns), np.nan)
        kept = self.wells[~self.wells["excluded"]]
        grid[kept["row"], kept["column"]] = kept[column].to_numpy(np.float64)
        return grid


def row_number(name: str) -> int:
    """Return the place of a row of a plate from 0: A is 0, Z 25, AA 26; numbers count from 1."""
    text = plain_name(name).strip().upper()
    if text.isascii() and text.isdigit() and int(text) > 0:
        return int(text) - 1
    if not text.isascii() or not text.isalpha() or len(text) > 2:
        raise ParameterError(f"{text!r} is no row of a plate; rows are letters: A, B, …, AA.")
    place = 0
    for letter in text:
        place = 26 * place + ord(letter) - ord("A") + 1
    return place - 1


def row_name(place: int) -> str:
    """Return the letters of a row of a plate."""
    first, last = divmod(place, 26)
    return (chr(ord("A") + first - 1) if first else "") + chr(ord("A") + last)


def plates_of(table: pd.DataFrame, columns: Sequence[str], wells: int | None = None) -> list[Plate]:
    """Return the plates of a table in natural order, with one row a well.

    Where a well has several rows (fields), numbers are averaged over those that are not excluded, and of words all
    different ones are kept, joined by commas. A well is excluded if all its rows are.

    Parameters
    ----------
    table
        With ``row`` and ``column``, and where there are several, ``plate``; ``excluded`` marks what is left out.
    wells
        Number of wells of a plate; if left out the smaller of 96 and 384 that holds all, else the extent of the wells.
    """
    for name in ("row", "column", *columns):
        if name not in table.columns:
            raise UnknownName("column of the plates called", name, map(str, table.columns))
    if table.empty:
        raise ParameterError("There are no wells to draw.")
    placed = _placed(table, columns)
    size = _size(int(placed["row"].max()) + 1, int(placed["column"].max()) + 1, wells)
    names = sorted(placed["plate"].unique(), key=natural_key)
    return [Plate(name, *size, _merged(placed[placed["plate"] == name], columns)) for name in names]


def _placed(table: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    numbers = pd.to_numeric(table["column"], errors="coerce")
    wrong = table["column"][~((numbers >= 1) & (numbers == numbers.round()))]
    if len(wrong):
        raise ParameterError(f"{plain_name(wrong.iloc[0])!r} is no column of a plate; columns are numbers from 1.")
    rows = {name: row_number(name) for name in table["row"].unique()}
    plates = table["plate"].map(plain_name) if "plate" in table.columns else pd.Series("", table.index)
    places = {"plate": plates, "row": table["row"].map(rows), "column": numbers.astype(np.intp) - 1}
    return table[[name for name in columns if name not in places]].assign(**places, excluded=excluded_rows(table))


def excluded_rows(table: pd.DataFrame) -> pd.Series[bool]:
    """Return which rows are left out of the analysis; none where the table does not say."""
    if "excluded" not in table.columns:
        return pd.Series(data=False, index=table.index)
    return table["excluded"].astype("boolean").fillna(value=False).astype(bool)


def _size(rows: int, columns: int, wells: int | None) -> tuple[int, int]:
    if wells is not None and wells not in FORMATS:
        raise ParameterError(f"There is no plate of {wells} wells; choose one of {', '.join(map(str, FORMATS))}.")
    asked = _GUESSED if wells is None else (wells,)
    holding = [FORMATS[each] for each in asked if FORMATS[each][0] >= rows and FORMATS[each][1] >= columns]
    if not holding and wells is not None:
        raise ParameterError(
            f"A plate of {wells} wells has no well {row_name(rows - 1)}{columns}; give another format."
        )
    return holding[0] if holding else (rows, columns)


def _merged(placed: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Return one row a well, from the rows that are not excluded where there are such."""
    grouped = placed.groupby(["row", "column"])
    all_out = grouped["excluded"].transform("all")
    kept = placed[~placed["excluded"] | all_out].groupby(["row", "column"])
    merged = {name: kept[name].mean() if _numeric(placed[name]) else kept[name].agg(_words) for name in columns}
    return pd.DataFrame({**merged, "excluded": grouped["excluded"].all()}).reset_index()


def _numeric(column: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)


def _words(column: pd.Series) -> str:
    return ", ".join(sorted({plain_name(each) for each in column.dropna()}, key=natural_key))


def well_values(plates: Sequence[Plate], value: str) -> pd.DataFrame:
    """Return one row for each well that is not excluded and has a value: plate, row, column, value, distance.

    ``distance`` counts wells from the plate's edge: 0 for the outermost.
    """
    parts = []
    for plate in plates:
        wells = plate.wells[~plate.wells["excluded"]]
        values = pd.to_numeric(wells[value], errors="coerce")
        row, column = wells["row"], wells["column"]
        edges = [row, plate.rows - 1 - row, column, plate.columns - 1 - column]
        distance = np.minimum.reduce([edge.to_numpy() for edge in edges])
        named = {"plate": plate.name, "row": row, "column": column, "value": values, "distance": distance}
        parts.append(pd.DataFrame(named))
    table = pd.concat(parts, ignore_index=True)
    known: pd.DataFrame = table.loc[np.isfinite(table["value"].to_numpy(np.float64))]
    return known.reset_index(drop=True)
