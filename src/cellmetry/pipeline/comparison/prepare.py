"""Tables to comparisons: cells filtered and gated, normalised, compared, and put beside a second segmentation."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pandas as pd

from cellmetry.errors import UnknownName
from cellmetry.stats.comparison.compare import compare
from cellmetry.stats.comparison.normalising import normalise_to_control
from cellmetry.stats.comparison.segmentation import with_corrected_fields, with_second_segmentation
from cellmetry.stats.filtering import filter_rows
from cellmetry.stats.gates import GATE_COLUMNS, apply_gate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cellmetry.pipeline.comparison.settings import CompareSettings
    from cellmetry.stats.comparison.result import Comparison
    from cellmetry.study.file import TableComparison

__all__ = ["CELLS", "Compared", "Tables", "compare_tables", "gate_and_filter"]

CELLS = "cells"
"""Table of cells, which filters and gates are for."""


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
        Columns ``condition``, ``replicate`` and ``value``, with ``image``, ``label``, ``second`` and ``time`` where they
        are known; empty where counts are compared. Of a gate's column, ``value`` is the measure that it divides.
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


def gate_and_filter(tables: Mapping[str, pd.DataFrame], settings: CompareSettings) -> Tables:
    """Return the tables with the cells that meet all conditions, and a column for each gate.

    Gates come before filters, so that a condition may speak of positive cells.

    Raises
    ------
    ParameterError, UnknownName
        If a gate yields no threshold, a condition is none, or no cell is left.
    """
    cells, thresholds = tables[CELLS], []
    for gate in settings.gates:
        cells, found = apply_gate(cells, gate)
        thresholds.append(found)
    by = next((each.by for each in settings.comparisons if each.table == CELLS), None)
    filtered = filter_rows(cells, settings.keep, by=() if by is None else (by,))
    known = pd.concat(thresholds, ignore_index=True) if thresholds else pd.DataFrame()
    known.attrs["columns"] = GATE_COLUMNS
    return Tables({**tables, CELLS: filtered.table}, filtered.counts, known)


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
        comparison = with_second_segmentation(comparison, table, _table(second, asked))
    if corrected is not None:
        comparison = with_corrected_fields(comparison, table, _table(corrected, asked))
    gate = next((gate for gate in settings.gates if gate.column == asked.value), None)
    measure = asked.value if gate is None else gate.value
    thresholds = ready.thresholds[ready.thresholds["value"] == measure]["threshold"] if gate is not None else ()
    shown = _shown(table, asked, measure, settings) if asked.total is None else pd.DataFrame()
    return Compared(
        asked,
        comparison,
        shown,
        threshold=float(thresholds.iloc[0]) if len(thresholds) == 1 else None,
        measure="" if gate is None else measure,
        second_measure=settings.against or "second",
    )


def _table(ready: Tables, asked: TableComparison) -> pd.DataFrame:
    if asked.table not in ready.tables:
        raise UnknownName("table to compare", asked.table, ready.tables)
    table = ready.tables[asked.table]
    return table if asked.normalise is None else normalise_to_control(table, asked)


def _shown(table: pd.DataFrame, asked: TableComparison, measure: str, settings: CompareSettings) -> pd.DataFrame:
    """Return the rows that were compared under the names by which figures know them."""
    named = {asked.by: "condition", asked.replicate: "replicate", measure: "value"}
    named |= {name: what for name, what in ((settings.against, "second"), (settings.time, "time")) if name}
    kept = [name for name in ("image", "label") if name in table.columns and name not in named]
    shown = table[[*named, *kept]].rename(columns=named)
    return shown[shown["condition"].notna() & shown["replicate"].notna()]
