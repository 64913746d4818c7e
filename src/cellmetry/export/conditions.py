"""The conditions of a table: their names as text, their order, the rows of each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from cellmetry.io.discover import natural_key
from cellmetry.stats.units import need_columns

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["NO_CONDITION", "as_text", "condition_names", "split_conditions"]

NO_CONDITION = "no condition"
"""Stands for the condition of rows that have none, so that they are never left out in silence."""


def as_text(column: pd.Series) -> pd.Series:
    """Return the entries of a column as text: 2.0 is ``2``, a missing one `NO_CONDITION`; few distinct are fast."""
    names = {each: _text_of(each) for each in column.unique() if not pd.isna(each)}
    return column.astype(object).map(names).fillna(NO_CONDITION)


def condition_names(column: pd.Series, order: Sequence[str] = ()) -> list[str]:
    """Return the conditions of a column: those of `order` that occur, then the others in natural order."""
    there = set(as_text(column.drop_duplicates()))
    first = [name for name in dict.fromkeys(order) if name in there]
    return first + sorted(there - set(first), key=natural_key)


def split_conditions(table: pd.DataFrame, by: str, order: Sequence[str] = ()) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield the name and the rows of each condition, one at a time.

    Raises
    ------
    UnknownName
        If the table has no column `by`.
    """
    need_columns(table, [by])
    rows = table.groupby(as_text(table[by]), sort=False).indices
    for name in condition_names(table[by], order):
        yield name, table.iloc[rows[name]]


def _text_of(value: object) -> str:
    return f"{value:.15g}" if isinstance(value, float) else str(value)
