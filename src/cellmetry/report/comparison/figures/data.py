"""What the figures of a comparison are drawn from: its tables, and the cells behind them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from math import isfinite
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_type_hints

import numpy as np
import pandas as pd

from cellmetry.errors import ParameterError, UnknownName
from cellmetry.io.discover import natural_key

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    from numpy.typing import NDArray

    from cellmetry.stats.comparison.result import Comparison

__all__ = ["Cells", "ComparisonData", "Contrast", "Group", "Need", "plain_name"]

Need = Literal["cells", "measure", "second", "time", "contrasts"]
"""What a figure cannot be drawn without: cells with an amount, or with a measure that a gate divides; a second measure;
times; contrasts."""

_LACKS = {
    "cells": "amounts of single cells, which a comparison of fractions, or of counts, does not have",
    "measure": "a measurement of single cells",
    "second": "a second measure: a column 'second' of the cells",
    "time": "times: a column 'time' of the cells",
    "contrasts": "two conditions to compare",
}


class Cells(NamedTuple):
    """Cells with a finite value.

    Parameters
    ----------
    values
        float64, one a cell.
    condition, replicate
        Place of each cell's condition and replicate in `ComparisonData.conditions` and `ComparisonData.replicates`.
    rows
        Place of each cell in the table.
    """

    values: NDArray[np.float64]
    condition: NDArray[np.intp]
    replicate: NDArray[np.intp]
    rows: NDArray[np.intp]


class Group(NamedTuple):
    """What a figure says of a condition: columns of `GROUP_COLUMNS`."""

    n_cells: int
    n_missing: int
    n_replicates: int
    mean: float
    ci_low: float
    ci_high: float

    @property
    def has_interval(self) -> bool:
        """Whether the mean has an interval."""
        return isfinite(self.ci_low) and isfinite(self.ci_high)


class Contrast(NamedTuple):
    """What a figure says of a contrast: places of its conditions, and columns of `CONTRAST_COLUMNS`."""

    at: int
    reference_at: int
    estimate: float
    ci_low: float
    ci_high: float
    simultaneous_low: float
    simultaneous_high: float
    technical_low: float
    technical_high: float
    p_value: float
    p_adjusted: float
    method: str
    adjustment: str
    technical_unit: str
    reason: str

    @property
    def has_interval(self) -> bool:
        """Whether the estimate has an interval at the level of replicates."""
        return isfinite(self.ci_low) and isfinite(self.ci_high)

    @property
    def has_technical(self) -> bool:
        """Whether it has only one among wells or fields."""
        return not self.has_interval and isfinite(self.technical_low) and isfinite(self.technical_high)

    @property
    def tested(self) -> bool:
        """Whether it has a p-value."""
        return isfinite(self.p_adjusted)

    @property
    def corrected(self) -> bool:
        """Whether the correction for several contrasts made its p-value another."""
        return self.tested and isfinite(self.p_value) and self.p_adjusted != self.p_value


@dataclass(frozen=True, eq=False)
class ComparisonData:
    """A comparison with its cells, checked against each other.

    Parameters
    ----------
    comparison
        What was found.
    cells
        One row a cell with ``condition``, ``replicate`` and ``value``; empty for fractions given as counts. Some
        figures need ``second`` (another measure) or ``time``. For fractions, ``value`` is the measure that the gate
        divides (with `threshold`), or 1 for positive cells and 0 for others.
    threshold
        Above it cells are positive.
    measure
        Name of the column in ``value`` where it is not the one that is compared: what the gate divides.
    second_measure
        Name of the column in ``second``.
    """

    comparison: Comparison
    cells: pd.DataFrame
    threshold: float | None = None
    measure: str = ""
    second_measure: str = "second"

    def __post_init__(self) -> None:
        for name in () if self.cells.empty else ("condition", "replicate", "value"):
            if name not in self.cells.columns:
                raise UnknownName("column of the cells called", name, map(str, self.cells.columns))
        if self.log and np.any(self.shown.values <= 0):
            count = int(np.count_nonzero(self.shown.values <= 0))
            raise ParameterError(
                f"{count} cells have values of 0 or less, which no logarithmic axis shows; use linear."
            )

    @property
    def fraction(self) -> bool:
        """Whether fractions of cells are compared."""
        return self.comparison.design.kind == "fraction"

    @property
    def log(self) -> bool:
        """Whether ratios are compared, so that the axis of values is logarithmic."""
        return self.comparison.options.scale == "log"

    @property
    def conditions(self) -> tuple[str, ...]:
        """Conditions in the order in which they are shown."""
        return self.comparison.design.conditions

    @cached_property
    def replicates(self) -> tuple[str, ...]:
        """Replicates of all conditions in natural order."""
        return tuple(sorted({plain_name(name) for name in self.comparison.replicates["replicate"]}, key=natural_key))

    @cached_property
    def shown(self) -> Cells:
        """Cells with a finite value, a condition and a replicate.

        Raises
        ------
        ParameterError
            If a cell has a condition or a replicate that the comparison does not know.
        """
        if self.cells.empty:
            return Cells(np.empty(0), *(np.empty(0, np.intp) for _ in range(3)))
        values = self.cells["value"].to_numpy(np.float64, na_value=np.nan)
        condition = _places(self.cells["condition"], self.conditions, "condition")
        replicate = _places(self.cells["replicate"], self.replicates, "replicate")
        rows = np.flatnonzero(np.isfinite(values) & (condition >= 0) & (replicate >= 0))
        return Cells(values[rows], condition[rows], replicate[rows], rows)

    @cached_property
    def means(self) -> NDArray[np.float64]:
        """What enters the test of each replicate and condition, shape (replicates, conditions); NaN where none is."""
        table = self.comparison.replicates
        means = np.full((len(self.replicates), len(self.conditions)), np.nan)
        rows = _places(table["replicate"], self.replicates, "replicate")
        columns = _places(table["condition"], self.conditions, "condition")
        means[rows, columns] = table["value"].to_numpy(np.float64)
        return means

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """Summaries of the conditions in the order in which they are shown."""
        table = self.comparison.groups
        rows = table.set_axis(_places(table["condition"], self.conditions, "condition"), axis=0)
        return tuple(
            Group(**_fields(Group, row)) for row in rows.reindex(range(len(self.conditions))).to_dict("records")
        )

    @cached_property
    def contrasts(self) -> tuple[Contrast, ...]:
        """Contrasts in the order of the comparison."""
        table = self.comparison.contrasts
        at = _places(table["condition"], self.conditions, "condition")
        places = table.assign(at=at, reference_at=_places(table["reference"], self.conditions, "condition"))
        return tuple(Contrast(**_fields(Contrast, row)) for row in places.to_dict("records"))

    @property
    def common_reference(self) -> int | None:
        """Place of the condition that all others are compared with; None if there are several such."""
        references = {each.reference_at for each in self.contrasts}
        return references.pop() if len(references) == 1 else None

    def of(self, condition: int) -> NDArray[np.float64]:
        """Return the values of the cells of a condition."""
        values: NDArray[np.float64] = self.shown.values[self.shown.condition == condition]
        return values

    def has(self, need: Need) -> bool:
        """Return whether there is what a figure needs."""
        amounts = self.shown.values.size > 0
        if need == "contrasts":
            return len(self.contrasts) > 0
        if need == "cells":
            return amounts and not self.fraction
        if need == "measure":
            return amounts and (not self.fraction or self.threshold is not None)
        return amounts and need in self.cells.columns

    def need(self, *needs: Need) -> None:
        """Raise `ParameterError` where something that a figure needs is missing."""
        for need in needs:
            if not self.has(need):
                raise ParameterError(f"This figure needs {_LACKS[need]}; choose another figure.")


def plain_name(name: Any) -> str:
    """Return a name as text; whole numbers without a point: 1 and 1.0 are ``1``."""
    return str(int(name)) if isinstance(name, float) and name.is_integer() else str(name)


def _fields(record: type[Group | Contrast], row: Mapping[Hashable, Any]) -> dict[str, Any]:
    """Return entries of a row as the types of a record; what is missing is NaN, 0, or no words."""
    known = {name: entry for name, entry in row.items() if not pd.isna(entry)}
    empty = {float: math.nan, int: 0, str: ""}
    return {name: kind(known.get(name, empty[kind])) for name, kind in get_type_hints(record).items()}


def _places(column: pd.Series, names: tuple[str, ...], what: str) -> NDArray[np.intp]:
    """Return the place in `names` of each entry, -1 for missing ones."""
    codes, found = pd.factorize(column)
    known = {name: place for place, name in enumerate(names)}
    asked = [plain_name(name) for name in found]
    foreign = [name for name in asked if name not in known]
    if foreign:
        raise ParameterError(f"The cells have a {what} {foreign[0]!r} that the comparison does not; compare anew.")
    places = np.array([known[name] for name in asked] + [-1], np.intp)
    return places[codes]
