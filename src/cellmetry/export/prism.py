"""Tables in the layouts of GraphPad Prism: a column for each condition, and replicates beside each other."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cellmetry.errors import ParameterError
from cellmetry.export.condition_tables import file_stems
from cellmetry.export.conditions import as_text, condition_names, split_conditions
from cellmetry.io.tables import write_table
from cellmetry.stats.units import need_columns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["column_table", "grouped_table", "replicate_table", "write_prism"]


def column_table(cells: pd.DataFrame, value: str, by: str, *, order: Sequence[str] = ()) -> pd.DataFrame:
    """Return Prism's *Column* table of a value: a column for each condition, a row for each cell, ragged at the end.

    Values that are missing or not finite are left out; true and false are 1 and 0.

    Raises
    ------
    ParameterError
        If the column is missing or holds no numbers.
    """
    need_columns(cells, [value, by])
    whole = pd.DataFrame({"value": _numbers(cells, value), "by": cells[by].to_numpy()})
    parts = {
        name: pd.Series(part["value"].to_numpy()[np.isfinite(part["value"])])
        for name, part in split_conditions(whole, "by", order)
    }
    return pd.DataFrame(parts)


def replicate_table(
    replicates: pd.DataFrame, *, value: str = "value", by: str = "condition", order: Sequence[str] = ()
) -> pd.DataFrame:
    """Return Prism's *Column* table of replicates: a row for each, named in the first column ``replicate``.

    Prism takes rows as matched, so that the same replicate in two conditions (the same day) is a pair.

    Parameters
    ----------
    replicates
        One row for each replicate of a condition, with the columns `by`, ``replicate`` and `value`.

    Raises
    ------
    ParameterError
        If a replicate stands twice in a condition, or a column is missing.
    """
    wide = _wide(replicates, "replicate", [by], value)
    return _named(wide[condition_names(replicates[by], order)], "replicate")


def grouped_table(
    replicates: pd.DataFrame,
    rows: str,
    groups: str,
    *,
    value: str = "value",
    orders: tuple[Sequence[str], Sequence[str]] = ((), ()),
) -> pd.DataFrame:
    """Return Prism's *Grouped* table: `rows` down, `groups` across, the replicates of a group in columns side by side.

    Columns are called ``GROUP: REPLICATE``; every group has all replicates, so that all have as many columns.

    Parameters
    ----------
    replicates
        One row for each replicate with the columns `rows`, `groups`, ``replicate`` and `value`.
    orders
        Of rows and of groups.
    """
    wide = _wide(replicates, rows, [groups, "replicate"], value)
    names = condition_names(replicates["replicate"])
    across = [(group, name) for group in condition_names(replicates[groups], orders[1]) for name in names]
    wide = wide.reindex(columns=pd.MultiIndex.from_tuples(across))
    wide = wide.loc[condition_names(replicates[rows], orders[0])]
    return _named(wide.set_axis([f"{group}: {name}" for group, name in across], axis="columns"), rows)


def write_prism(
    folder: str | Path,
    cells: pd.DataFrame,
    values: Sequence[str],
    by: str,
    *,
    replicates: pd.DataFrame | None = None,
    order: Sequence[str] = (),
) -> list[Path]:
    """Return the CSV files written for Prism: ``VALUE_cells.csv``, and of replicates ``VALUE_replicates.csv``.

    Parameters
    ----------
    values
        Columns of `cells`, a file each.
    replicates
        As a comparison has them: one row for each replicate, with the columns ``condition``, ``replicate``, ``value``,
        of the first of `values`.
    """
    folder, written = Path(folder), []
    for value, stem in zip(values, file_stems(values), strict=True):
        written.append(folder / f"{stem}_cells.csv")
        write_table(column_table(cells, value, by, order=order), written[-1])
    if replicates is not None:
        written.append(folder / f"{file_stems(values)[0]}_replicates.csv")
        write_table(replicate_table(replicates, order=order), written[-1])
    return written


def _numbers(table: pd.DataFrame, name: str) -> NDArray[np.float64]:
    column = table[name]
    if not pd.api.types.is_numeric_dtype(column):
        raise ParameterError(f"The column {name!r} does not hold numbers; choose one that does.")
    return column.to_numpy(np.float64, na_value=np.nan)


def _wide(table: pd.DataFrame, down: str, across: list[str], value: str) -> pd.DataFrame:
    """Return `value` with a row for each entry of `down`, in natural order, and a column for each of `across`."""
    need_columns(table, [down, *across, value])
    named = pd.DataFrame({name: as_text(table[name]) for name in (down, *across)})
    twice = named.duplicated()
    if twice.any():
        where = ", ".join(f"{name} {entry}" for name, entry in named[twice].iloc[0].items())
        raise ParameterError(f"{where} stands twice; a table of replicates has one row for each.")
    finite = pd.Series(_numbers(table, value), named.index)
    named["value"] = finite.where(np.isfinite(finite))
    wide = named.set_index([down, *across])["value"].unstack(across)
    return wide.loc[condition_names(table[down])]


def _named(wide: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return a table whose index is its first column `name`; a condition of this name gives way to it."""
    out = wide.rename_axis(columns=None).copy()
    title = name
    while title in out.columns:
        title = f"{title}_"
    out.insert(0, title, wide.index.to_numpy())
    return out.reset_index(drop=True)
