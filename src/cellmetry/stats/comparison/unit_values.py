"""What a replicate, a field or a batch's control amounts to: cells made into one number as a comparison is asked to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cellmetry.errors import ParameterError
from cellmetry.stats.units import need_columns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from cellmetry.stats.comparison.options import CompareOptions

    Floats = NDArray[np.float64]

__all__ = ["names_of", "summarise_levels", "unit_values"]


def unit_values(table: pd.DataFrame, options: CompareOptions, further: Sequence[str] = ()) -> pd.Series:
    """Return what enters a test, on its scale (logarithms on log scale), of each replicate of each condition.

    Each cell of a replicate weighs the same; with nested levels each unit of a level does. A column of true and false,
    or of counts with a column of totals, gives fractions. Rows without a value or a name are left out.

    Parameters
    ----------
    further
        Columns within the replicate (image) for each of whose values there is a number of its own.

    Returns
    -------
    pandas.Series
        With a level ``condition``, one ``replicate``, and one for each of `further`.

    Raises
    ------
    UnknownName
        If a column is missing.
    ParameterError
        If values are no numbers, or have no logarithm on log scale.
    """
    nested = [name for name in options.nested if name not in further]
    totals = [options.total] if options.total is not None else []
    need_columns(table, [options.value, options.by, options.replicate, *nested, *further, *totals])
    keys = {"condition": options.by, "replicate": options.replicate, **{name: name for name in further}}
    rows = pd.DataFrame({key: names_of(table[column]) for key, column in keys.items()})
    rows = rows.assign(**{f"level_{name}": names_of(table[name]) for name in nested})
    rows["number"] = _numbers(table, options.value)
    rows["weight"] = _numbers(table, options.total) if options.total is not None else 1.0
    rows = rows[np.isfinite(rows["number"]) & (rows["weight"] > 0)].dropna()
    fraction = options.total is not None or pd.api.types.is_bool_dtype(table[options.value])
    if options.scale == "log" and not fraction:
        rows["number"] = _logarithms(rows["number"], "values")
    levels = [f"level_{name}" for name in nested]
    found = summarise_levels(rows, list(keys), levels, "fraction" if fraction else options.summary)
    return _logarithms(found, "fractions") if options.scale == "log" and fraction else found


def summarise_levels(rows: pd.DataFrame, keys: Sequence[str], levels: Sequence[str], how: str) -> pd.Series:
    """Return mean, median or fraction (`how`) of ``number`` of the innermost units, averaged outwards to `keys`.

    Parameters
    ----------
    rows
        A row for each cell: ``number``, for fractions ``weight`` (cells that a row is), and columns of keys and levels.
    levels
        Columns within the keys, outermost first.
    """
    groups = rows.groupby([*keys, *levels], sort=True, observed=True)
    if how == "fraction":
        sums = groups[["number", "weight"]].sum()
        found = sums["number"] / sums["weight"]
    else:
        found = groups["number"].agg(how)
    for depth in range(len(levels) - 1, -1, -1):
        found = found.groupby(level=[*keys, *levels[:depth]]).mean()
    return found


def names_of(column: pd.Series) -> pd.Series:
    """Return labels as text, missing where they are missing or blank; 1.0 is 1, as whole numbers with gaps are held."""
    codes, found = pd.factorize(column)
    texts = [*(_text(each) for each in found), ""]
    return pd.Series(np.array([text or None for text in texts], object)[codes], index=column.index)


def _text(label: Any) -> str:
    if isinstance(label, float) and label.is_integer():
        return str(int(label))
    return str(label).strip()


def _numbers(table: pd.DataFrame, name: str) -> Floats:
    if not pd.api.types.is_numeric_dtype(table[name]):
        raise ParameterError(f"The column {name!r} does not hold numbers; choose one that does.")
    return table[name].to_numpy(np.float64, na_value=np.nan)


def _logarithms(values: pd.Series, what: str) -> pd.Series:
    none = int((values <= 0).sum())
    if none:
        raise ParameterError(f"{none} of {len(values)} {what} are not above 0 and have no logarithm; use scale linear.")
    logs: pd.Series = np.log(values)
    return logs
