"""Rows of a table chosen by conditions before they are compared; what each condition removed is counted."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from cellmetry.core.columns import Column
from cellmetry.errors import ParameterError
from cellmetry.measure.conditions import evaluate_condition
from cellmetry.stats.units import need_columns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["FILTER_COLUMNS", "Filtered", "filter_rows"]

FILTER_COLUMNS = (
    Column("filter", "", "Condition that a row must meet to stay.", "Cellmetry"),
    Column("n_tested", "1", "Rows before any filter.", "Cellmetry"),
    Column("n_failed", "1", "Rows that do not meet this condition, whatever the others say.", "Cellmetry"),
    Column("n_removed_first", "1", "Those of them that no condition above had removed; they add up.", "Cellmetry"),
    Column("n_missing", "1", "Those of n_failed that fail since a value is missing.", "Cellmetry"),
)
"""Columns of the counts; columns of groups, if asked for, stand before them."""


class Filtered(NamedTuple):
    """Rows that meet all conditions, and one row of `FILTER_COLUMNS` for each condition (and group)."""

    table: pd.DataFrame
    counts: pd.DataFrame


def filter_rows(table: pd.DataFrame, conditions: Sequence[str], *, by: Sequence[str] = ()) -> Filtered:
    """Return the rows that meet every condition, and how many each of them removed.

    The grammar is that of `cellmetry.measure.conditions`: ``area_um2 >= 50``, ``not flag_border``. A row fails a
    condition that a missing value leaves open. The rows keep their index.

    Parameters
    ----------
    by
        Columns (condition) for each of whose values rows are counted separately.

    Raises
    ------
    ParameterError, UnknownName
        If a condition has a wrong form or names a column that the table lacks, or no row meets all conditions.
    """
    need_columns(table, by)
    tested = tuple(dict.fromkeys(conditions))
    kept = np.ones(len(table), bool)
    parts = []
    for text in tested:
        answer = evaluate_condition(text, table)
        met = answer.fillna(value=False).to_numpy(bool)
        parts.append(_counted(table, by, text, (~met, kept & ~met, answer.isna().to_numpy(bool))))
        kept &= met
    counts = pd.concat(parts, ignore_index=True) if parts else _counted(table.iloc[:0], by, "", (kept[:0],) * 3)[:0]
    if len(table) and not kept.any():
        raise ParameterError(f"No row of the table meets {' and '.join(tested)}, so nothing is left to compare.")
    counts.attrs["columns"] = (*(Column(name, "", "Group of rows.", "Cellmetry") for name in by), *FILTER_COLUMNS)
    return Filtered(table if kept.all() else table.loc[kept], counts)


def _counted(table: pd.DataFrame, by: Sequence[str], text: str, flags: tuple[NDArray[np.bool_], ...]) -> pd.DataFrame:
    """Return a row for each group with the number of rows and of those with each flag."""
    names = [column.name for column in FILTER_COLUMNS[1:]]
    found = pd.DataFrame(dict(zip(names, (np.ones(len(table), bool), *flags), strict=True)), index=table.index)
    if not by:
        sums = found.sum().to_frame().T.astype("int64")
    else:
        groups = [table[name] for name in by]
        sums = found.groupby(groups, sort=False, dropna=False, observed=True).sum().astype("int64").reset_index()
    sums.insert(len(by), "filter", pd.Series(text, index=sums.index, dtype="str"))
    return sums
