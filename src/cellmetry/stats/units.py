"""From cells to units of analysis (wells): plate maps joined, groups named, one row a unit."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from cellmetry.errors import ParameterError, UnknownName

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = [
    "SUMMARY",
    "Assignment",
    "assign",
    "join_plate_map",
    "matched_rows",
    "matches",
    "need_columns",
    "summarise_units",
]

_SHOWN = 3
SUMMARY = ("n_cells", "mean_of_cells", "median_of_cells", "sd_of_cells")
"""Columns of a summary: number of cells with a value, their mean, median and standard deviation (n - 1)."""


class Assignment(NamedTuple):
    """A value of a column for the rows in which another has one of some values: drug = wortmannin in rows A to D."""

    column: str
    label: str
    where: str
    values: tuple[str, ...]


def need_columns(table: pd.DataFrame, names: Sequence[str], what: str = "table") -> None:
    """Raise `UnknownName` for the first of `names` that is no column of the table."""
    for name in names:
        if name not in table.columns:
            raise UnknownName(f"column of the {what} called", name, map(str, table.columns))


def matches(column: pd.Series, value: str) -> pd.Series:
    """Return which entries equal `value`: as numbers where both are numbers (``01`` is 1), else as text."""
    texts = column.astype("string").str.strip()
    same = texts == value.strip()
    number = pd.to_numeric(pd.Series([value]), errors="coerce")[0]
    if pd.notna(number):
        same = same | (pd.to_numeric(column, errors="coerce") == number)
    return same.fillna(value=False).astype(bool)


def join_plate_map(
    table: pd.DataFrame, plate_map: pd.DataFrame, columns: Mapping[str, str] | None = None
) -> pd.DataFrame:
    """Return the table with the columns of the plate map added to each row.

    Parameters
    ----------
    columns
        Column of the plate map → column of the table that says the same; all that both have if left out. Entries
        are compared as numbers where all are numbers (``01`` is 1), else as text.

    Raises
    ------
    ParameterError
        If nothing can be joined on, a well stands twice in the map, wells of the table are not in it, or both have a
        column of one name.
    """
    pairs = dict(columns or {str(name): str(name) for name in plate_map.columns if name in table.columns})
    if not pairs:
        raise ParameterError(
            f"The plate map ({', '.join(map(str, plate_map.columns))}) and the table have no column in common; say "
            f"which belong together, as in --join Row=row,Column=column."
        )
    need_columns(plate_map, list(pairs), "plate map")
    need_columns(table, list(pairs.values()))
    added = [str(name) for name in plate_map.columns if name not in pairs]
    both = [name for name in added if name in table.columns]
    if both:
        raise ParameterError(f"Table and plate map both have a column {both[0]!r}; rename one, or join on it.")
    left, right = _keys(table, plate_map, pairs)
    if right.duplicated().any():
        raise ParameterError(f"The plate map has {_place(plate_map, right.duplicated(), pairs)} twice.")
    places = right.reset_index(drop=True).reset_index(names="_place")
    found = left.merge(places, on=list(left.columns), how="left")["_place"].to_numpy()
    missing = np.isnan(found.astype(float))
    if missing.any():
        where = _place(table, pd.Series(missing, table.index), {name: name for name in pairs.values()})
        other = ~matched_rows(table, plate_map, pairs)
        idle = f"; it has {_place(plate_map, other, pairs)}, of which there are none" if other.any() else ""
        raise ParameterError(f"The plate map does not have {where}, of which there are images{idle}.")
    rows = plate_map[added].iloc[found.astype(int)].set_axis(table.index)
    return pd.concat([table, rows], axis=1)


def matched_rows(table: pd.DataFrame, plate_map: pd.DataFrame, columns: Mapping[str, str]) -> pd.Series:
    """Return which rows of the plate map a row of the table belongs to, compared as `join_plate_map` does."""
    left, right = _keys(table, plate_map, columns)
    there = right.merge(left.drop_duplicates(), on=list(left.columns), how="left", indicator=True)["_merge"] == "both"
    return pd.Series(there.to_numpy(), plate_map.index)


def _keys(table: pd.DataFrame, plate_map: pd.DataFrame, pairs: Mapping[str, str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the columns to join on of both, in a form in which equal entries are equal."""
    left, right = {}, {}
    for place, (theirs, ours) in enumerate(pairs.items()):
        sides = [table[ours], plate_map[theirs]]
        numbers = [pd.to_numeric(side, errors="coerce") for side in sides]
        whole = all(number.notna().all() for number in numbers)
        chosen = numbers if whole else [side.astype("string").str.strip() for side in sides]
        left[f"k{place}"], right[f"k{place}"] = chosen
    return pd.DataFrame(left), pd.DataFrame(right)


def _place(table: pd.DataFrame, rows: pd.Series, pairs: Mapping[str, str]) -> str:
    """Return the first few of some rows in words: ``Row A, Column 01``."""
    some = table.loc[rows.to_numpy(), list(pairs)].drop_duplicates()
    said = [", ".join(f"{name} {row[name]}" for name in pairs) for _, row in some.head(_SHOWN).iterrows()]
    more = f" and {len(some) - _SHOWN} more" if len(some) > _SHOWN else ""
    return "; ".join(said) + more


def assign(table: pd.DataFrame, assignments: Sequence[Assignment]) -> pd.DataFrame:
    """Return the table with a column for each name that is assigned.

    Raises
    ------
    ParameterError
        If a column is there already, an assignment meets no row, or two meet the same one.
    """
    out = table.copy(deep=False)
    for name in dict.fromkeys(each.column for each in assignments):
        if name in table.columns:
            raise ParameterError(f"The table has a column {name!r} already; assign another name.")
        labels = pd.Series(pd.NA, table.index, dtype="string")
        for each in (each for each in assignments if each.column == name):
            need_columns(table, [each.where])
            met = pd.concat([matches(table[each.where], value) for value in each.values], axis=1).any(axis=1)
            if not met.any():
                raise ParameterError(f"No row has {each.where} = {', '.join(each.values)}, so none is {each.label!r}.")
            if labels[met].notna().any():
                raise ParameterError(f"{name} = {each.label!r} meets rows that are {labels[met].dropna().iloc[0]!r}.")
            labels[met] = each.label
        out[name] = labels.astype(object).where(labels.notna(), None)
    return out


def summarise_units(
    table: pd.DataFrame, value: str, units: Sequence[str], constants: Sequence[str] = ()
) -> pd.DataFrame:
    """Return one row for each unit (well) with what its cells have in a column, as `SUMMARY` names it.

    Values that are not finite count as missing.

    Parameters
    ----------
    units
        Columns that together name a unit; without any, each row of the table is a unit (column ``unit``, from 1).
    constants
        Columns that are the same for all cells of a unit (dose, drug, …), which are kept.

    Raises
    ------
    ParameterError
        If a column is missing or holds no numbers, or a constant differs within a unit.
    """
    need_columns(table, [value, *units, *constants])
    if not pd.api.types.is_numeric_dtype(table[value]):
        raise ParameterError(f"The column {value!r} does not hold numbers; choose one that does with --value.")
    kept = [name for name in dict.fromkeys(constants) if name not in units]
    finite = np.isfinite(table[value].to_numpy(np.float64, na_value=np.nan))
    numbered = table.assign(**{value: table[value].where(finite)})
    if not units:
        numbered["unit"] = np.arange(1, len(table) + 1)
    groups = numbered.groupby(list(units) or ["unit"], sort=True, dropna=False)
    for name in kept:
        varying = groups[name].nunique(dropna=False)
        if (varying > 1).any():
            unit = varying.index[varying > 1][0]
            raise ParameterError(f"{name} differs within the unit {unit}; a unit of analysis has one {name}.")
    values = groups[value].agg(["count", "mean", "median", "std"]).set_axis(list(SUMMARY), axis="columns")
    values.insert(1, "n_missing", groups.size() - values["n_cells"])
    return pd.concat([groups[kept].first(), values], axis=1).reset_index()
