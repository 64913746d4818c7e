"""Tables to comparisons: cells filtered and gated, normalised, compared, and put beside a second segmentation."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pandas as pd

from cellmetry.core.columns import Column
from cellmetry.errors import UnknownName
from cellmetry.measure.conditions import columns_in
from cellmetry.pipeline.cell_pictures import CENTRES, PLACES
from cellmetry.pipeline.comparison.settings import AREA, FIELDS
from cellmetry.stats.comparison.compare import compare
from cellmetry.stats.comparison.segmentation import with_corrected_fields, with_second_segmentation
from cellmetry.stats.filtering import filter_rows
from cellmetry.stats.gates import GATE_COLUMNS, apply_gate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cellmetry.pipeline.comparison.settings import CompareSettings
    from cellmetry.stats.comparison.result import Comparison
    from cellmetry.study.questions import TableComparison, TableGate

__all__ = ["CELLS", "Compared", "Tables", "compare_tables", "gate_and_filter"]

CELLS = "cells"
"""Usual table of cells."""


@dataclass(frozen=True)
class Tables:
    """Tables by name, filtered and gated, with what that did.

    Parameters
    ----------
    tables
        ``cells``, and others that are compared as they are.
    filters
        One row a filter and condition of the study, with how many cells it removed; empty without any.
    thresholds
        Of each gate, as `GATE_COLUMNS`; empty without any.
    """

    tables: Mapping[str, pd.DataFrame]
    filters: pd.DataFrame
    thresholds: pd.DataFrame


@dataclass(frozen=True)
class Compared:
    """One value compared, with the rows that were, in the columns that figures are drawn from.

    Parameters
    ----------
    asked
        What was asked.
    comparison
        What was found.
    cells
        Columns ``condition``, ``replicate`` and ``value``, with ``image``, ``label``, their place, ``second`` and
        ``time`` where they are known; empty where counts are compared. Of a gate's column, ``value`` is the measure
        that it divides.
    threshold
        Of that gate, where it has one for all cells.
    measure
        Name of the column in ``value``.
    """

    asked: TableComparison
    comparison: Comparison
    cells: pd.DataFrame
    threshold: float | None = None
    measure: str = ""
    second_measure: str = field(default="second")


def gate_and_filter(
    tables: Mapping[str, pd.DataFrame], settings: CompareSettings, known: Tables | None = None
) -> Tables:
    """Return the tables with the objects that meet all conditions, and a column for each gate.

    What fails a condition goes first, and what is left yields the thresholds; conditions that speak of positive objects
    come last. Where there is a table of ``fields``, it gets what its images have after all: the number of objects kept
    (``n_cells_kept``; where it has ``area_mm2``, ``n_cells_kept_per_mm2`` too), and that of the positive ones of each
    gate (``n_`` and the name of its column).

    Parameters
    ----------
    known
        Tables of the same images whose thresholds hold for these too; found anew if left out.

    Raises
    ------
    ParameterError, UnknownName
        If a gate yields no threshold, a condition is none, or no row is left.
    """
    made = {gate.column for gate in settings.gates if gate.table == settings.table}
    last = [text for text in settings.keep if columns_in(text) & made]
    first = [text for text in settings.keep if text not in last]
    by = next(((each.by,) for each in settings.comparisons if each.table == settings.table), ())
    before = filter_rows(_known(tables, settings.table), first, by=by)
    ready = {**tables, settings.table: before.table}
    thresholds = []
    for gate in settings.gates:
        told = None if known is None else known.thresholds[known.thresholds["table"] == gate.table]
        ready[gate.table], found = apply_gate(_known(ready, gate.table), gate, told)
        thresholds.append(found.assign(table=gate.table))
    after = filter_rows(ready[settings.table], last, by=by)
    ready[settings.table] = after.table
    if FIELDS in ready:
        ready[FIELDS] = _with_counts(ready, settings)
    counts = pd.concat([before.counts, after.counts], ignore_index=True) if last else before.counts
    counts.attrs["columns"] = before.counts.attrs["columns"]
    gated = pd.concat(thresholds, ignore_index=True) if thresholds else pd.DataFrame()
    gated.attrs["columns"] = (Column("table", "", "Table of the value.", "Cellmetry"), *GATE_COLUMNS)
    return Tables(ready, counts, gated)


def _with_counts(tables: Mapping[str, pd.DataFrame], settings: CompareSettings) -> pd.DataFrame:
    """Return the fields with what each image has; an image without cells has 0."""
    fields = tables[FIELDS]
    counts = {f"n_{settings.table}_kept": tables[settings.table].groupby("image", observed=True).size()}
    for gate in settings.gates:
        counts[f"n_{gate.column}"] = tables[gate.table].groupby("image", observed=True)[gate.column].sum()
    found = {name: fields["image"].map(count).fillna(0).astype(int) for name, count in counts.items()}
    if AREA in fields:
        kept = f"n_{settings.table}_kept"
        found[f"{kept}_per_mm2"] = found[kept] / fields[AREA]
    return fields.assign(**found)


def _known(tables: Mapping[str, pd.DataFrame], name: str) -> pd.DataFrame:
    if name not in tables:
        raise UnknownName("table", name, tables)
    return tables[name]


def compare_tables(
    ready: Tables,
    settings: CompareSettings,
    *,
    second: Tables | None = None,
    corrected: Tables | None = None,
) -> tuple[Compared, ...]:
    """Return each value compared.

    Parameters
    ----------
    second
        The same images segmented another way: its difference widens the intervals.
    corrected
        Some of the images after their cells were corrected by hand: they shift the estimates and widen the intervals.
    """
    return tuple(_compared(ready, settings, asked, second, corrected) for asked in settings.comparisons)


def _compared(
    ready: Tables, settings: CompareSettings, asked: TableComparison, second: Tables | None, corrected: Tables | None
) -> Compared:
    table = _table(ready, asked)
    comparison = compare(table, asked)
    if second is not None:
        comparison = with_second_segmentation(comparison, compare(_table(second, asked), asked))
    if corrected is not None:
        comparison = with_corrected_fields(comparison, table, _table(corrected, asked))
    gate = next((gate for gate in settings.gates if (gate.table, gate.column) == (asked.table, asked.value)), None)
    measure = asked.value if gate is None else gate.value
    return Compared(
        asked,
        comparison,
        _shown(table, asked, measure, settings) if asked.total is None else pd.DataFrame(),
        threshold=None if gate is None else _threshold(ready, gate),
        measure="" if gate is None else measure,
        second_measure=settings.against or "second",
    )


def _threshold(ready: Tables, gate: TableGate) -> float | None:
    """Return the threshold of a gate where it has one for all cells."""
    found = ready.thresholds[(ready.thresholds["value"] == gate.value) & (ready.thresholds["table"] == gate.table)]
    return float(found["threshold"].iloc[0]) if len(found) == 1 else None


def _table(ready: Tables, asked: TableComparison) -> pd.DataFrame:
    return _known(ready.tables, asked.table)


def _shown(table: pd.DataFrame, asked: TableComparison, measure: str, settings: CompareSettings) -> pd.DataFrame:
    """Return the rows that were compared under the names by which figures know them."""
    named = {asked.by: "condition", asked.replicate: "replicate", measure: "value"}
    named |= {name: what for name, what in ((settings.against, "second"), (settings.time, "time")) if name}
    kept = [name for name in ("image", "label", *CENTRES, *PLACES) if name in table.columns and name not in named]
    shown = table[[*named, *kept]].rename(columns=named)
    return shown[shown["condition"].notna() & shown["replicate"].notna()]
