"""What plots need of a long table without its rows: counts of a column's values, some columns whole, a row's place."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
from pydantic import Field

from cellmetry.errors import ParameterError
from cellmetry.study.tables.query import (
    Condition,
    Conditions,
    Name,
    StoredTable,
    column_values,
    places_in_order,
    plain_values,
    refuse_unknown,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "RowKey",
    "SummaryGroup",
    "SummaryQuery",
    "TableSummary",
    "ValuesQuery",
    "place_of_row",
    "summarise_table",
    "table_values",
]

_MOST_GROUPS = 500
_REMEMBERED = 4


class SummaryQuery(Conditions):
    """Of which column counts are wanted, of which rows."""

    column: Name
    """A column of numbers, or of yes and no."""
    by: Name | None = None
    """Column whose values are groups, as condition; all rows are one group if left out."""
    bins: int = Field(default=40, ge=1, le=400)
    """Equal parts between the ends."""
    low: float | None = None
    """Lower end of the first part; the least finite value of all rows if left out."""
    high: float | None = None
    """Upper end of the last part; the largest finite value of all rows if left out."""


class SummaryGroup(NamedTuple):
    """The rows of one group that meet the conditions.

    Attributes
    ----------
    value
        What the column of groups says; None where it says nothing.
    rows
        How many they are.
    counts
        How many of their values lie in each part; the upper end belongs to the last.
    mean, median
        Of their finite values; None where there is none.
    """

    value: Any
    rows: int
    counts: list[int]
    mean: float | None
    median: float | None


class TableSummary(NamedTuple):
    """Counts of a column's values in equal parts from `low` to `high`; both None where no value is finite."""

    total: int
    low: float | None
    high: float | None
    groups: list[SummaryGroup]


class ValuesQuery(Conditions):
    """Which columns are wanted whole, of which rows."""

    columns: tuple[Name, ...] = Field(min_length=1, max_length=12)
    most: int = Field(default=100_000, ge=1, le=1_000_000)
    """Rows at most; where more meet the conditions, ones at equal distances are taken."""


class RowKey(Conditions):
    """A row, and the order in which its place is wanted."""

    key: dict[Name, bool | int | float | str] = Field(min_length=1, max_length=8)
    """Values of columns by which the row is known: ``{"image": "a", "label": 7}``."""
    sort: tuple[Condition, ...] = Field(default=(), max_length=8)
    """As in a query."""


def summarise_table(table: StoredTable, query: SummaryQuery) -> TableSummary:
    """Return how the values of a column are spread, by groups.

    Raises
    ------
    UnknownName
        If the table has no such column.
    ParameterError
        If it is no column of numbers, there are too many groups, or the ends are no range.
    """
    names = [query.column] if query.by is None else [query.column, query.by]
    refuse_unknown(table, names)
    everything = _numbers(table, query.column)
    places = places_in_order(table, query.where, ())
    ends = _ends(everything, query.low, query.high)
    values = everything[places]
    if query.by is None:
        return TableSummary(len(places), *ends, [_group(None, values, ends, query.bins)])
    codes, names_of = pd.factorize(pd.Series(column_values(table, query.by)[places]), sort=True, use_na_sentinel=False)
    if len(names_of) > _MOST_GROUPS:
        raise ParameterError(
            f"by: {query.by} has {len(names_of)} values, more than {_MOST_GROUPS}; take another column."
        )
    groups = [_group(name, values[codes == k], ends, query.bins) for k, name in enumerate(names_of)]
    return TableSummary(len(places), *ends, groups)


def table_values(table: StoredTable, query: ValuesQuery) -> tuple[int, dict[str, list[Any]]]:
    """Return how many rows meet the conditions, and columns of them (of some, where they are too many).

    Raises
    ------
    UnknownName
        If the table has no such column.
    """
    names = tuple(dict.fromkeys(query.columns))
    refuse_unknown(table, names)
    places = places_in_order(table, query.where, ())
    total = len(places)
    if total > query.most:
        places = places[np.arange(query.most) * total // query.most]
    return total, {name: plain_values(pd.Series(column_values(table, name)[places])) for name in names}


def place_of_row(table: StoredTable, asked: RowKey) -> int | None:
    """Return where a row stands among those that meet the conditions, in their order; None if it does not.

    Raises
    ------
    UnknownName
        If the table has no such column.
    """
    refuse_unknown(table, asked.key)
    rows = np.arange(table.rows)
    for name, value in sorted(asked.key.items(), key=lambda item: isinstance(item[1], str)):
        # texts, slow to compare, come last, where few rows are left
        rows = rows[np.asarray(column_values(table, name)[rows] == value, bool)]
    if not len(rows):
        return None
    if not asked.where and not asked.sort:
        return int(rows[0])
    at = np.flatnonzero(places_in_order(table, asked.where, asked.sort) == rows[0])
    return int(at[0]) if len(at) else None


@lru_cache(maxsize=_REMEMBERED)
def _numbers(table: StoredTable, name: str) -> NDArray[np.float64]:
    values = pd.Series(column_values(table, name))
    if not (pd.api.types.is_numeric_dtype(values.dtype) or pd.api.types.is_bool_dtype(values.dtype)):
        raise ParameterError(f"column: {name} has no numbers; take a column that was measured.")
    return values.to_numpy(np.float64, na_value=np.nan)


def _ends(values: NDArray[np.float64], low: float | None, high: float | None) -> tuple[float | None, float | None]:
    finite = values[np.isfinite(values)]
    if not len(finite) and (low is None or high is None):
        return None, None
    first, last = float(finite.min() if low is None else low), float(finite.max() if high is None else high)
    if first > last:
        raise ParameterError(f"low: {first:g} lies above {last:g}, the upper end.")
    return first, last


def _group(value: Any, values: NDArray[np.float64], ends: tuple[float | None, float | None], bins: int) -> SummaryGroup:
    finite = values[np.isfinite(values)]
    name = None if pd.isna(value) else value.item() if isinstance(value, np.generic) else value
    counts = [0] * bins if ends[0] is None else _counts(finite, ends, bins)
    middle = [float(finite.mean()), float(np.median(finite))] if len(finite) else [None, None]
    return SummaryGroup(name, len(values), counts, *middle)


def _counts(finite: NDArray[np.float64], ends: tuple[Any, Any], bins: int) -> list[int]:
    low, high = ends
    if low == high:
        return [int((finite == low).sum()), *([0] * (bins - 1))]
    found: list[int] = np.histogram(finite, bins, (low, high))[0].tolist()
    return found
