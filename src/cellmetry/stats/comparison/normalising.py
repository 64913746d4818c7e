"""Values relative to a control in the same batch (plate, day), so that what batches have in common drops out."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cellmetry.errors import ParameterError
from cellmetry.stats.comparison.cells import label_codes, read_part
from cellmetry.stats.comparison.replicates import summarise
from cellmetry.stats.units import matches, need_columns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from cellmetry.core.columns import Column
    from cellmetry.stats.comparison.cells import Cells
    from cellmetry.stats.comparison.options import CompareOptions, Normalise

    Refusal = Callable[[Iterable[int], str], None]

__all__ = ["normalise_to_control"]

_NORMAL = 1.4826
"""Standard deviation of a normal distribution over its MAD (Rousseeuw & Croux 1993)."""
_CLEAR = 2.0
"""Standard errors that a control must lie above 0 for a ratio: below, the ratio has no bounded interval (Fieller)."""
_SHOWN = 3


def normalise_to_control(table: pd.DataFrame, options: CompareOptions) -> pd.DataFrame:
    """Return the table with `options.value` relative to the control of the same batch; unchanged if not asked for.

    ``ratio`` and ``difference`` refer to what the control's replicates of the batch amount to in the comparison itself:
    mean or median of the cells as `options.summary` says (on log scale the geometric mean), averaged over nested levels
    and over replicates where a batch holds several. The control is therefore exactly 1, or 0, where a batch is a
    replicate. ``robust_z`` takes the median of all the control's cells of the batch and divides by 1.4826 times the
    median distance from it. Only cells make a standard that count in the comparison (with a value, a condition and a
    replicate). Cells without a batch get no value. The table that is given keeps its own values.

    Raises
    ------
    UnknownName
        If a column is missing.
    ParameterError
        If no row is the control, a batch has none, a control is no standard for a ratio (0 or less, or within 2
        standard errors of 0) or has no spread for a robust z, or a fraction is compared.
    """
    norm = options.normalise
    if norm is None:
        return table
    need_columns(table, [norm.within])
    cells = _amounts(table, options)
    codes, names = label_codes(table[norm.within])
    cells = replace(cells, rows=cells.rows.assign(batch=codes[cells.rows.index]))
    centre, scale = _standards(cells, names, options, norm).reindex(codes).to_numpy().T
    values = table[options.value].astype(np.float64)
    values = values.where(np.isfinite(values))
    out = table.assign(**{options.value: values / scale if norm.how == "ratio" else (values - centre) / scale})
    if "columns" in table.attrs:
        out.attrs["columns"] = tuple(_described(column, options.value, norm) for column in table.attrs["columns"])
    return out


def _amounts(table: pd.DataFrame, options: CompareOptions) -> Cells:
    """Return the cells that count, with their values as they are in the table whatever the scale of the test."""
    cells = read_part(table, options.model_copy(update={"scale": "linear"}))
    if cells.kind == "fraction":
        raise ParameterError(
            "A fraction is not normalised cell by cell; name its control, and with scale log the ratio is compared."
        )
    return cells


def _standards(cells: Cells, names: Sequence[str], options: CompareOptions, norm: Normalise) -> pd.DataFrame:
    """Return what is subtracted (``centre``) and divided by (``scale``) of each batch that has cells, by its code.

    Parameters
    ----------
    cells
        With a column ``batch``: codes, places in `names`.
    """
    rows = cells.rows[cells.rows["batch"] >= 0]
    control = rows[rows["condition"].isin(_control_codes(cells, options, norm))]
    refuse = partial(_refuse, names=names, norm=norm)
    refuse(set(rows["batch"]) - set(control["batch"]), f"no {options.rows} of the control")
    if norm.how == "robust_z":
        return _median_and_mad(control, refuse)
    centre = _centres(replace(cells, rows=control), options, norm, refuse)
    if norm.how == "difference":
        return pd.DataFrame({"centre": centre, "scale": 1.0})
    error = control.groupby("batch")["number"].sem().fillna(0)
    refuse(centre.index[centre <= _CLEAR * error], f"a control within {_CLEAR:g} standard errors of 0 or below")
    return pd.DataFrame({"centre": 0.0, "scale": centre})


def _control_codes(cells: Cells, options: CompareOptions, norm: Normalise) -> list[int]:
    """Return the codes of the control: one, or none if no cell of it counts; several where 1 is also written 01."""
    known = pd.Series([*cells.conditions, *cells.without], dtype=object)
    found = np.flatnonzero(matches(known, norm.control))
    if not len(found):
        raise ParameterError(f"No row has {options.by} = {norm.control}, so there is no control.")
    return [int(code) for code in found if code < len(cells.conditions)]


def _centres(control: Cells, options: CompareOptions, norm: Normalise, refuse: Refusal) -> pd.Series:
    """Return what the control of each batch amounts to: units in a replicate are averaged, then replicates."""
    rows = control.rows
    levels = ["replicate", *(f"level_{name}" for name in options.nested if name != norm.within)]
    levels = levels[1:] if norm.within == options.replicate else levels
    if options.scale == "linear":
        return summarise(control, ["batch"], options, levels)
    refuse(rows.loc[rows["number"] <= 0, "batch"], f"control {options.rows} of 0 or below")
    logs = replace(control, rows=rows.assign(x=np.log(rows["number"])))
    centres: pd.Series = np.exp(summarise(logs, ["batch"], options, levels))
    return centres


def _median_and_mad(control: pd.DataFrame, refuse: Refusal) -> pd.DataFrame:
    groups = control.groupby("batch")["number"]
    distance = (control["number"] - groups.transform("median")).abs()
    spread = _NORMAL * distance.groupby(control["batch"]).median()
    refuse(spread.index[spread <= 0], "a control whose median distance from its median (MAD) is 0")
    return pd.DataFrame({"centre": groups.median(), "scale": spread})


def _refuse(batches: Iterable[int], what: str, *, names: Sequence[str], norm: Normalise) -> None:
    """Refuse batches, if there are any, that have what no standard can have."""
    codes = sorted(set(batches))
    if not codes:
        return
    shown = ", ".join(repr(names[code]) for code in codes[:_SHOWN]) + (" …" if len(codes) > _SHOWN else "")
    verb, of = ("has", "batch") if len(codes) == 1 else ("have", "batches")
    raise ParameterError(
        f"{len(codes)} {of} ({norm.within} {shown}) {verb} {what} ({norm.control}); leave such batches out, or do "
        f"without normalisation ({norm.how})."
    )


def _described(column: Column, value: str, norm: Normalise) -> Column:
    if column.name != value:
        return column
    said = {
        "ratio": f"divided by {norm.control} of the same {norm.within}",
        "difference": f"less {norm.control} of the same {norm.within}",
        "robust_z": f"in robust standard deviations from the median of {norm.control} of the same {norm.within}",
    }
    unit = column.unit if norm.how == "difference" else "1"
    return column._replace(unit=unit, definition=f"{column.definition.removesuffix('.')}, {said[norm.how]}.")
