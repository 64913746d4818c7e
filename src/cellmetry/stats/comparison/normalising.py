"""Values relative to a control in the same batch (plate, day), so that what batches have in common drops out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cellmetry.errors import ParameterError
from cellmetry.stats.comparison.unit_values import names_of, summarise_levels
from cellmetry.stats.units import matches, need_columns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cellmetry.core.columns import Column
    from cellmetry.stats.comparison.options import CompareOptions, Normalise

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
    median distance from it. Cells without a batch get no value. The table that is given keeps its own values.

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
    need_columns(table, [options.value, options.by, options.replicate, norm.within, *options.nested])
    _refuse_fraction(table, options)
    batch = names_of(table[norm.within])
    values = table[options.value].astype(np.float64)
    values = values.where(np.isfinite(values))
    rows = pd.DataFrame({"batch": batch, "number": values})
    standard = _standards(table, rows, options, norm)
    centre, scale = (batch.map(standard[name]).astype(np.float64) for name in ("centre", "scale"))
    out = table.assign(**{options.value: values / scale if norm.how == "ratio" else (values - centre) / scale})
    if "columns" in table.attrs:
        out.attrs["columns"] = tuple(_described(column, options.value, norm) for column in table.attrs["columns"])
    return out


def _refuse_fraction(table: pd.DataFrame, options: CompareOptions) -> None:
    if options.total is not None or pd.api.types.is_bool_dtype(table[options.value]):
        raise ParameterError(
            "A fraction is not normalised cell by cell; name its control, and with scale log the ratio is compared."
        )
    if not pd.api.types.is_numeric_dtype(table[options.value]):
        raise ParameterError(f"The column {options.value!r} does not hold numbers; choose one that does.")


def _standards(table: pd.DataFrame, rows: pd.DataFrame, options: CompareOptions, norm: Normalise) -> pd.DataFrame:
    """Return what is subtracted (``centre``) and what is divided by (``scale``) in each batch."""
    chosen = matches(table[options.by], norm.control)
    if not chosen.any():
        raise ParameterError(f"No row has {options.by} = {norm.control}, so there is no control.")
    control = rows[chosen.to_numpy()].dropna()
    named = [name for name in (options.replicate, *options.nested) if name != norm.within]
    levels = {f"level_{name}": names_of(table.loc[chosen, name])[control.index] for name in named}
    control = control.assign(**levels)
    present = rows.loc[table[options.by].notna() & rows["number"].notna(), "batch"].dropna().unique()
    _refuse([name for name in present if name not in set(control["batch"])], norm, "has no cell of the control")
    if norm.how == "robust_z":
        return _median_and_mad(control, norm)
    centre = _centres(control, list(levels), options, norm)
    if norm.how == "difference":
        return pd.DataFrame({"centre": centre, "scale": 1.0})
    error = control.groupby("batch")["number"].sem().fillna(0)
    _refuse(
        list(centre.index[centre <= _CLEAR * error]),
        norm,
        f"has a control within {_CLEAR:g} standard errors of 0 or below",
    )
    return pd.DataFrame({"centre": 0.0, "scale": centre})


def _centres(control: pd.DataFrame, levels: Sequence[str], options: CompareOptions, norm: Normalise) -> pd.Series:
    if options.scale == "linear":
        return summarise_levels(control.dropna(), ["batch"], levels, options.summary)
    _refuse(list(control.loc[control["number"] <= 0, "batch"].unique()), norm, "has control cells of 0 or below")
    logs = control.assign(number=np.log(control["number"])).dropna()
    centres: pd.Series = np.exp(summarise_levels(logs, ["batch"], levels, options.summary))
    return centres


def _median_and_mad(control: pd.DataFrame, norm: Normalise) -> pd.DataFrame:
    groups = control.groupby("batch")["number"]
    distance = (control["number"] - groups.transform("median")).abs()
    spread = _NORMAL * distance.groupby(control["batch"]).median()
    _refuse(list(spread.index[spread <= 0]), norm, "has a control whose median distance from its median (MAD) is 0")
    return pd.DataFrame({"centre": groups.median(), "scale": spread})


def _refuse(batches: Sequence[str], norm: Normalise, why: str) -> None:
    if not batches:
        return
    shown = ", ".join(repr(name) for name in sorted(batches)[:_SHOWN]) + (" …" if len(batches) > _SHOWN else "")
    raise ParameterError(
        f"{len(batches)} of the batches ({norm.within} {shown}) {why} ({norm.control}); leave them out, or do without "
        f"normalisation ({norm.how})."
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
