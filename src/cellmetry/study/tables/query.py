"""`query_table`: a page of a table in Parquet, of rows that meet conditions, in an order, with the columns asked for.

Of a long table only what the answer needs is read: the columns of conditions and order, then the rows of the page.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import numpy as np
import pandas as pd
from pydantic import Field, StringConstraints, field_validator

from cellmetry.core.step import Parameters
from cellmetry.errors import ParameterError, UnknownName
from cellmetry.io.table_parts import TableParts, open_parts
from cellmetry.measure.conditions import check_condition, columns_in, evaluate_condition
from cellmetry.study.tables.columns import read_columns_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from numpy.typing import NDArray

    from cellmetry.core.columns import Column

__all__ = [
    "Condition",
    "Conditions",
    "Name",
    "StoredTable",
    "TablePage",
    "TableQuery",
    "column_values",
    "open_table",
    "places_in_order",
    "plain_values",
    "query_table",
    "refuse_unknown",
]

_REMEMBERED = 8
"""Answers to questions for an order or conditions that are kept, so that the next page comes at once."""
_DOWN = "-"

StoredTable = TableParts

Name = Annotated[str, StringConstraints(min_length=1, max_length=300)]
Condition = Annotated[str, StringConstraints(min_length=1, max_length=1000)]


class Conditions(Parameters):
    """Which rows of a table are wanted."""

    where: tuple[Condition, ...] = Field(default=(), max_length=20)
    """Conditions that a row must meet, all of them: ``area_um2 > 50 and not flag_edge``."""

    @field_validator("where")
    @classmethod
    def _are_conditions(cls, texts: tuple[str, ...]) -> tuple[str, ...]:
        for text in texts:
            try:
                check_condition(text)
            except ParameterError as error:
                raise ValueError(str(error).removesuffix(".")) from error
        return texts


class TableQuery(Conditions):
    """Which rows and columns of a table are wanted, in which order."""

    columns: tuple[Name, ...] | None = Field(default=None, max_length=2000)
    """The only columns, in this order; all of them if left out."""
    sort: tuple[Name, ...] = Field(default=(), max_length=8)
    """Columns by which rows are ordered, the first first; ``-area_um2`` from large to small. Missing values last."""
    offset: int = Field(default=0, ge=0, le=1 << 40)
    """Rows that are left out before the page."""
    limit: int = Field(default=100, ge=1, le=10_000)
    """Rows of a page at most."""


class TablePage(NamedTuple):
    """A page of a table.

    Attributes
    ----------
    columns
        What its columns mean, in order.
    frame
        Its rows.
    total
        Rows that meet the conditions, on all pages.
    """

    columns: tuple[Column, ...]
    frame: pd.DataFrame
    total: int

    def records(self) -> list[dict[str, Any]]:
        """Return its rows as JSON values; None for what is missing or not finite."""
        plain = {str(name): plain_values(values) for name, values in self.frame.items()}
        return [dict(zip(plain, row, strict=True)) for row in zip(*plain.values(), strict=True)]


def open_table(path: Path) -> StoredTable:
    """Return a table in Parquet with what its columns mean; no row is read.

    Raises
    ------
    MissingInput, DamagedFile
        If it is not there, or no whole Parquet file.
    """
    return open_parts(path)


def query_table(table: StoredTable, query: TableQuery) -> TablePage:
    """Return the page of a table that a query asks for.

    Raises
    ------
    UnknownName
        If the table has no such column; says the nearest.
    ParameterError
        If a column is compared with a value of another kind.
    """
    names = table.names if query.columns is None else tuple(dict.fromkeys(query.columns))
    refuse_unknown(table, names)
    end = query.offset + query.limit
    if query.where or query.sort:
        found = _places(table, query.where, query.sort)
        total, places = len(found), found[query.offset : end].astype(np.int64)
    else:
        total, places = table.rows, np.arange(min(query.offset, table.rows), min(end, table.rows))
    described = {column.name: column for column in table.columns}
    return TablePage(tuple(described[name] for name in names), _rows(table, names, places), total)


def places_in_order(table: StoredTable, where: tuple[str, ...], sort: tuple[str, ...]) -> NDArray[np.uint32]:
    """Return the places in the table of the rows that meet conditions, in an order."""
    return _places(table, where, sort) if where or sort else np.arange(table.rows, dtype=np.uint32)


@lru_cache(maxsize=_REMEMBERED)
def column_values(table: StoredTable, name: str) -> pd.api.extensions.ExtensionArray | NDArray[Any]:
    """Return one column whole."""
    refuse_unknown(table, [name])
    parts = [read_columns_of(table, group, [name])[name] for group in range(len(table.groups))]
    return pd.concat(parts, ignore_index=True).array if parts else np.empty(0)


@lru_cache(maxsize=_REMEMBERED)
def _places(table: StoredTable, where: tuple[str, ...], sort: tuple[str, ...]) -> NDArray[np.uint32]:
    """Return the places of the rows that meet conditions, in order."""
    keys = [_key(table, text) for text in sort]
    ordered = list(dict.fromkeys(name for name, _ in keys))
    wanted = list(dict.fromkeys((*ordered, *(name for text in where for name in sorted(columns_in(text))))))
    refuse_unknown(table, wanted)
    parts, start = [], 0
    for group, rows in enumerate(table.groups):
        part = pd.DataFrame(read_columns_of(table, group, wanted), index=range(rows))
        part.index = pd.RangeIndex(start, start + rows)
        parts.append(part.loc[_meets(part, where), ordered])
        start += rows
    found = pd.concat(parts) if parts else pd.DataFrame(columns=ordered, index=pd.RangeIndex(0))
    if keys:
        by, rising = [name for name, _ in keys], [up for _, up in keys]
        found = found.sort_values(by, ascending=rising, kind="stable", na_position="last")
    return found.index.to_numpy(np.uint32)


def _key(table: StoredTable, text: str) -> tuple[str, bool]:
    """Return the column of an order, and whether it rises."""
    down = text.startswith(_DOWN) and text not in table.names
    return (text.removeprefix(_DOWN), False) if down else (text, True)


def _meets(part: pd.DataFrame, where: Iterable[str]) -> NDArray[np.bool_]:
    meets = np.ones(len(part), bool)
    for text in where:
        meets &= evaluate_condition(text, part).to_numpy(bool, na_value=False)
    return meets


def _rows(table: StoredTable, names: tuple[str, ...], places: NDArray[np.int64]) -> pd.DataFrame:
    """Return the rows at some places, in their order."""
    starts = np.cumsum((0, *table.groups))
    of = np.searchsorted(starts, places, side="right") - 1
    parts, order = [], []
    for group in np.unique(of):
        at = np.flatnonzero(of == group)
        inside = places[at] - starts[group]
        columns = read_columns_of(table, int(group), names)
        parts.append(pd.DataFrame({name: column.iloc[inside].array for name, column in columns.items()}))
        order.append(at)
    if not parts:
        return (table.read(0, names) if table.groups else pd.DataFrame(columns=list(names))).iloc[:0]
    rows: pd.DataFrame = pd.concat(parts, ignore_index=True).iloc[np.argsort(np.concatenate(order))]
    return rows.reset_index(drop=True)


def refuse_unknown(table: StoredTable, names: Iterable[str]) -> None:
    """Raise `UnknownName` for a column that the table does not have."""
    known = set(table.names)
    for name in names:
        if name not in known:
            raise UnknownName("column of the table called", name, known)


def plain_values(values: pd.Series) -> list[Any]:
    """Return the values of a column as JSON has them; None for what is missing or not finite."""
    missing = values.isna().to_numpy(bool)
    if pd.api.types.is_numeric_dtype(values.dtype) and not pd.api.types.is_bool_dtype(values.dtype):
        missing = missing | ~np.isfinite(values.to_numpy(np.float64, na_value=np.nan))
        return [None if gone else value for gone, value in zip(missing, values.tolist(), strict=True)]
    form = bool if pd.api.types.is_bool_dtype(values.dtype) else str
    return [None if gone else form(value) for gone, value in zip(missing, values.tolist(), strict=True)]
