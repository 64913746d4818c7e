"""Columns added to a table of objects that an earlier step made, with their descriptions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cellmetry.errors import ParameterError
from cellmetry.measure.columns import describe_columns

if TYPE_CHECKING:
    import pandas as pd

    from cellmetry.core.columns import Column

__all__ = ["add_columns"]

_KEYS = ("label", "t", "z")


def add_columns(table: pd.DataFrame | None, values: pd.DataFrame, columns: tuple[Column, ...]) -> pd.DataFrame:
    """Return `table` with the columns of `values` added to the rows of the same label, t and z; None is no table yet.

    Parameters
    ----------
    values
        One row for each object, with ``label`` and, where there are such axes, ``t`` and ``z``.
    columns
        What the new columns mean.

    Raises
    ------
    ParameterError
        If the table has such columns already, or its rows are other objects (volumes, not planes).
    """
    keys = [name for name in _KEYS if name in values]
    if table is None:
        out = values.copy()
        described = describe_columns(values[keys])
    else:
        _refuse_other_rows(table, keys)
        twice = [name for name in values if name in table and name not in keys]
        if twice:
            raise ParameterError(f"The table has a column {twice[0]!r} already; give the new columns another name.")
        out = table.merge(values, on=keys, how="left", validate="one_to_one")
        described = describe_columns(table)
    out.attrs["columns"] = (*described, *columns)
    return out


def _refuse_other_rows(table: pd.DataFrame, keys: list[str]) -> None:
    here = [name for name in _KEYS if name in table]
    if here != keys:
        raise ParameterError(
            f"Columns cannot be added to a table whose rows are told by {', '.join(here) or 'nothing'}, since the new "
            f"values are told by {', '.join(keys)}; measure planes in both (volume=false), or volumes in both."
        )
