"""What makes a cell positive: a threshold that is given, or that a control or two populations of cells yield."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
from pydantic import Field, model_validator

from cellmetry.core.columns import Column
from cellmetry.core.step import Parameters
from cellmetry.errors import ParameterError
from cellmetry.stats.positive import (
    ControlRule,
    Threshold,
    control_threshold,
    fixed_threshold,
    population_threshold,
)
from cellmetry.stats.units import matches, need_columns

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["GATE_COLUMNS", "Gate", "Gated", "apply_gate", "control_values", "find_threshold"]

GATE_COLUMNS = (
    Column("value", "", "Column whose cells are positive above the threshold.", "Cellmetry"),
    Column("within", "", "Part of the cells that the threshold is for; empty for all.", "Cellmetry"),
    Column("threshold", "as value", "A cell above this is positive.", "Cellmetry"),
    Column("source", "", "Where the threshold comes from.", "Cellmetry"),
    Column("n_cells", "1", "Cells with a value.", "Cellmetry"),
    Column("n_positive", "1", "Those of them that are positive.", "Cellmetry"),
)


class Gate(Parameters):
    """A column and the one way to the threshold above which its cells are positive."""

    value: str
    """Column of the measurement."""
    threshold: float | None = None
    """A threshold that is given."""
    control: tuple[str, str] | None = None
    """Column and value of the negative control, whose cells give the threshold."""
    rule: ControlRule | None = None
    """How they give it: their 99th percentile if left out."""
    mixture: bool = False
    """Whether the threshold lies between two populations of the cells."""
    within: str | None = None
    """Column in each of whose values the threshold is found anew (day, plate), where stain and light differ; all cells
    together if left out."""
    positive: str | None = Field(default=None, min_length=1)
    """Name of the column of true and false that is made; the value's name and ``_positive`` if left out."""

    @model_validator(mode="after")
    def _one_way(self) -> Gate:
        ways = [self.threshold is not None, self.control is not None, self.mixture]
        if sum(ways) != 1:
            raise ValueError("say what positive means in one way: a threshold, a control or mixture")
        if self.rule is not None and self.control is None:
            raise ValueError("a percentile, or standard deviations above the mean, need a control")
        if self.threshold is not None and self.within is not None:
            raise ValueError("a threshold that is given is the same everywhere; leave out within")
        return self

    @property
    def column(self) -> str:
        """Name of the column of true and false."""
        return self.positive or f"{self.value}_positive"

    def columns_needed(self) -> set[str]:
        """Return the columns of a table that the gate reads."""
        named = {self.value, self.within, None if self.control is None else self.control[0]}
        return {name for name in named if name is not None}


class Gated(NamedTuple):
    """A table with the gate's column, and the thresholds by which it was made (`GATE_COLUMNS`)."""

    table: pd.DataFrame
    thresholds: pd.DataFrame


def find_threshold(table: pd.DataFrame, gate: Gate) -> Threshold:
    """Return the threshold that the cells of a table give.

    Raises
    ------
    ParameterError
        If the column holds no numbers, no cell is of the control, or the values do not yield a threshold; says why.
    """
    values = _numbers(table, gate)
    if gate.threshold is not None:
        return fixed_threshold(gate.threshold)
    control = control_values(table, gate)
    return population_threshold(values) if control is None else control_threshold(control, gate.rule)


def control_values(table: pd.DataFrame, gate: Gate) -> Floats | None:
    """Return the values of the control's cells, None where the gate has no control."""
    if gate.control is None:
        return None
    column, value = gate.control
    need_columns(table, [column])
    chosen = matches(table[column], value)
    if not chosen.any():
        raise ParameterError(f"No cell has {column} = {value}, so there is no control.")
    return np.asarray(table.loc[chosen, gate.value], np.float64)


def apply_gate(table: pd.DataFrame, gate: Gate, known: pd.DataFrame | None = None) -> Gated:
    """Return the table with a column that says which cells are positive; missing where a cell has no value.

    Parameters
    ----------
    known
        Thresholds that another table of the same images gave (`GATE_COLUMNS`), which then hold for this one.

    Raises
    ------
    ParameterError
        As `find_threshold`, naming the part of the cells (`Gate.within`) that yields none; if the table has the
        column already, or a part that the known thresholds lack.
    """
    if gate.column in table.columns:
        raise ParameterError(f"The table has a column {gate.column!r} already; name the gate's another way.")
    values = _numbers(table, gate)
    finite = np.isfinite(values)
    positive = np.zeros(len(table), bool)
    rows = []
    for name, places in _parts(table, gate):
        threshold = _found(table.iloc[places], gate, name) if known is None else _given(known, gate, name)
        positive[places] = finite[places] & (values[places] > threshold.value)
        counts = (int(finite[places].sum()), int(positive[places].sum()))
        rows.append((gate.value, name, threshold.value, threshold.source, *counts))
    marked = pd.Series(pd.array(positive, "boolean"), table.index).mask(~finite)
    thresholds = pd.DataFrame(rows, columns=[column.name for column in GATE_COLUMNS])
    thresholds.attrs["columns"] = GATE_COLUMNS
    return Gated(table.assign(**{gate.column: marked if not finite.all() else positive}), thresholds)


def _given(known: pd.DataFrame, gate: Gate, name: str) -> Threshold:
    """Return the threshold that is known for a part of the cells."""
    found = known[(known["value"] == gate.value) & (known["within"] == name)]
    if found.empty:
        raise ParameterError(f"No threshold is known for {gate.within} {name}, which only the second table has.")
    return Threshold(float(found["threshold"].iloc[0]), str(found["source"].iloc[0]))


def _numbers(table: pd.DataFrame, gate: Gate) -> Floats:
    need_columns(table, [gate.value])
    if not pd.api.types.is_numeric_dtype(table[gate.value]):
        raise ParameterError(f"The column {gate.value!r} does not hold numbers; choose one that does.")
    return table[gate.value].to_numpy(np.float64, na_value=np.nan)


def _parts(table: pd.DataFrame, gate: Gate) -> list[tuple[str, NDArray[np.intp]]]:
    """Return name and rows of each part of the cells that has a threshold of its own."""
    if gate.within is None:
        return [("", np.arange(len(table)))]
    need_columns(table, [gate.within])
    missing = table[gate.within].isna()
    if missing.any():
        raise ParameterError(f"{int(missing.sum())} cells have no {gate.within}, so their threshold is unknown.")
    grouped = table.groupby(table[gate.within].astype(str), sort=True, observed=True)
    return [(str(name), np.asarray(places, np.intp)) for name, places in grouped.indices.items()]


def _found(part: pd.DataFrame, gate: Gate, name: str) -> Threshold:
    try:
        return find_threshold(part, gate)
    except ParameterError as error:
        if not name:
            raise
        raise ParameterError(f"In {gate.within} {name}: {error}") from error
