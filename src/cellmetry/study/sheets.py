"""Sheets: tables of what is in the wells, joined to the images; and the empty one that a user fills in."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pandas as pd

from cellmetry.errors import ParameterError
from cellmetry.io.tables import read_table
from cellmetry.io.wells import Well, parse_row, parse_well, row_name, well_at
from cellmetry.stats.units import join_plate_map, matched_rows
from cellmetry.study.file import sources
from cellmetry.study.words import listed

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["Joined", "as_text", "empty_sheet", "join_sheet", "well_words", "with_wells"]

TO_FILL = ("condition", "dose", "replicate", "batch", "excluded", "reason")
"""Columns of the sheet that a user fills in."""
YES = frozenset({"yes", "y", "x", "1", "true"})
"""Words in the column ``excluded`` for an image that is left out."""
_TEXT = frozenset({"plate", "well", "row", "field", "time", "condition", "replicate", "batch", "excluded", "reason"})


class _Words:
    """The columns whose cells are text even where they look like numbers, whatever their capitals."""

    def __init__(self, words: Mapping[str, str]) -> None:
        parts = [part for word, name in words.items() if word in _TEXT for part in sources(name)]
        self.names = _TEXT | {part.casefold() for part in parts}

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.strip().casefold() in self.names


def as_text(column: pd.Series) -> pd.Series:
    """Return a column as text: 1.0 as ``1``, blanks at the ends taken off, nothing and empty as None."""
    words = {value: _word(value) for value in column.dropna().unique()}
    return pd.Series([words.get(value) for value in column], column.index, dtype=object, name=column.name)


def _word(value: object) -> str | None:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip() or None


def well_words(column: pd.Series, word: str) -> pd.Series:
    """Return wells as ``A01``, rows as letters and columns without leading zeros; other columns and words as text."""
    told = as_text(column)
    words = {value: _place(value, word) for value in told.dropna().unique()}
    return told.map(words).astype(object).where(told.notna(), None)


def _place(value: str, word: str) -> str:
    if word == "well":
        well = parse_well(value)
        return value if well is None else well.name
    if word == "row":
        row = parse_row(value)
        return value if row is None else row_name(row)
    return str(int(value)) if word == "column" and value.isdecimal() else value


def with_wells(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table with well, row and column in one form, each made of the others where it can be."""
    out = table.copy(deep=False)
    for word in ("well", "row", "column"):
        if word in out.columns:
            out[word] = well_words(out[word], word)
    if "well" in out.columns:
        wells = {value: parse_well(value) for value in out["well"].dropna().unique()}
        for word in (word for word in ("row", "column") if word not in out.columns):
            words = {value: _part_of(well, word) for value, well in wells.items() if well is not None}
            out[word] = [words.get(value) for value in out["well"]]
    elif {"row", "column"} <= set(out.columns):
        out["well"] = [_well_of(row, column) for row, column in zip(out["row"], out["column"], strict=True)]
    return out


def _part_of(well: Well, word: str) -> str:
    return row_name(well.row) if word == "row" else str(well.column + 1)


def _well_of(row: str | None, column: str | None) -> str | None:
    well = None if row is None or column is None else well_at(row, column)
    return None if well is None else well.name


class Joined(NamedTuple):
    """The images with the columns of a sheet, and a sentence on the rows without an image; empty if there are none."""

    table: pd.DataFrame
    idle: str


def join_sheet(
    table: pd.DataFrame,
    path: Path,
    join: Mapping[str, str],
    words: Mapping[str, str],
    made: Mapping[str, str] | None = None,
) -> Joined:
    """Return the table of images with the columns of a sheet; columns without a single entry are left out.

    Parameters
    ----------
    join
        Column of the sheet → column of the table; all that are called alike but for capitals if empty.
    words
        What words of the design are called in this study, if not by themselves: ``{"well": "position"}``.
    made
        Columns of the table that the study makes by other means, each with a word for these.

    Raises
    ------
    ParameterError
        If nothing can be joined on, a place stands twice in the sheet, an image is not in it, or it says what the
        study makes by other means.
    """
    sheet = read_table(path, text=_Words(words))
    sheet = sheet.loc[:, [as_text(sheet[name]).notna().any() for name in sheet.columns]]
    pairs = dict(join) or _alike(sheet, table)
    if not pairs:
        raise ParameterError(
            f"{path} ({', '.join(map(str, sheet.columns))}) has no column in common with the images "
            f"({', '.join(map(str, table.columns))}); say with join which belong together."
        )
    _refuse_twice(sheet, pairs, made or {}, path)
    sheet = sheet.rename(columns={name: _word_of(name, sheet) for name in sheet.columns if name not in pairs})
    places = {words.get(word, word): word for word in ("well", "row", "column")}
    for theirs, ours in pairs.items():
        if theirs in sheet.columns and ours in table.columns:
            sheet[theirs] = well_words(sheet[theirs], places.get(ours, ours))
    try:
        joined = join_plate_map(table, sheet, pairs)
    except ParameterError as error:
        raise ParameterError(f"{path}: {str(error).replace('The plate map', 'the sheet', 1)}") from error
    return Joined(joined, _idle(table, sheet, pairs, path.name))


def _idle(table: pd.DataFrame, sheet: pd.DataFrame, pairs: Mapping[str, str], name: str) -> str:
    """Return which wells or images a sheet says something of, though none is there; left out ones are not missed."""
    if not _of_places(pairs):
        return ""
    told = pd.DataFrame({each: as_text(sheet[each]) for each in sheet.columns if each not in pairs}, sheet.index)
    left_out = told["excluded"].str.casefold().isin(YES) if "excluded" in told.columns else False
    idle = sheet[~matched_rows(table, sheet, pairs) & told.notna().any(axis=1) & ~left_out]
    if idle.empty:
        return ""
    places = idle[list(pairs)].astype("string").fillna("?").agg(" ".join, axis=1)
    cure = "correct the names, or leave these rows out by excluded = yes with a reason"
    return f"The sheet {name} has {listed(places)}, of which there is no image; {cure}."


def _refuse_twice(sheet: pd.DataFrame, pairs: Mapping[str, str], made: Mapping[str, str], path: Path) -> None:
    """Refuse a sheet of places that says again what the study makes; a sheet of replicates is joined by theirs."""
    if not _of_places(pairs):
        return
    for name in (str(name) for name in sheet.columns if str(name).strip().casefold() in made):
        word = name.strip().casefold()
        raise ParameterError(
            f"{word} is given twice: by {made[word]} in study.toml, and by the column {name} of {path}. "
            f"Keep the one that is meant, and take the other out."
        )


def _of_places(pairs: Mapping[str, str]) -> bool:
    """Return whether the rows of a sheet are wells or images."""
    return bool({"well", "image"} & set(pairs.values())) or {"row", "column"} <= set(pairs.values())


def _alike(sheet: pd.DataFrame, table: pd.DataFrame) -> dict[str, str]:
    ours = {str(name).casefold(): str(name) for name in table.columns}
    return {str(name): ours[str(name).casefold()] for name in sheet.columns if str(name).casefold() in ours}


def _word_of(name: str, sheet: pd.DataFrame) -> str:
    """Return a word of the design that a column is called but for capitals, else its name."""
    word = name.strip().casefold()
    return word if word in {*_TEXT, "column", "dose"} and word not in sheet.columns else name


def empty_sheet(images: pd.DataFrame) -> pd.DataFrame:
    """Return a row for each well (each image where wells are not known) with empty columns to fill in."""
    known = [name for name in ("plate", "well") if name in images.columns and images[name].notna().all()]
    keys = known if "well" in known else ["image"]
    sheet = images[keys].drop_duplicates().reset_index(drop=True)
    return sheet.assign(**dict.fromkeys((name for name in TO_FILL if name not in images.columns), ""))
