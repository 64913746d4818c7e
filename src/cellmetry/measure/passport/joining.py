"""Adding the passport's columns to a table of the same objects."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cellmetry.errors import ParameterError
from cellmetry.measure.columns import describe_columns

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["add_columns"]


def add_columns(table: pd.DataFrame, made: pd.DataFrame, *, name: str) -> pd.DataFrame:
    """Return `table`, row by row as it was, with the columns of the passport `made` for the same label, t and z.

    Raises
    ------
    ParameterError
        If the two tell objects apart by different columns, or a column would stand twice.
    """
    keys = [key for key in ("label", "t", "z") if key in made]
    here = [key for key in ("label", "t", "z") if key in table]
    if here != keys:
        raise ParameterError(
            f"The table {name!r} tells its rows apart by {', '.join(here) or 'nothing'}, the passport by "
            f"{', '.join(keys)}; measure both in the same way (volume, project, plane), or name another table."
        )
    twice = sorted({*table.columns} & {*made.columns} - {*keys})
    if twice:
        raise ParameterError(f"The table {name!r} has a column {twice[0]!r} already; name another table.")
    out = table.merge(made, on=keys, how="left", validate="many_to_one")
    described = table.attrs.get("columns") or describe_columns(table)
    out.attrs["columns"] = (*described, *(column for column in made.attrs["columns"] if column.name not in keys))
    return out
