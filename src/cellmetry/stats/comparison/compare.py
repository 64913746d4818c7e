"""Conditions compared: from a table of cells to estimates, intervals and p-values at the level of replicates."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cellmetry.stats.comparison.adjust import adjust_tests
from cellmetry.stats.comparison.assumptions import design_notes, model_notes, spread_notes, value_notes
from cellmetry.stats.comparison.cells import read_cells
from cellmetry.stats.comparison.effects import cliffs_delta, delta_of_sorted, hedges_g
from cellmetry.stats.comparison.groups import summarise_groups
from cellmetry.stats.comparison.methods import NOTHING, own_variances, run_tests, scale_size
from cellmetry.stats.comparison.naive import naive_note, naive_tests
from cellmetry.stats.comparison.plan import make_plan, tested_conditions
from cellmetry.stats.comparison.power import power_notes, power_table
from cellmetry.stats.comparison.replicates import back, make_units
from cellmetry.stats.comparison.result import CONTRAST_COLUMNS, Comparison, Design
from cellmetry.stats.comparison.technical import technical_interval

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cellmetry.stats.comparison.cells import Cells
    from cellmetry.stats.comparison.inference import Tests
    from cellmetry.stats.comparison.options import CompareOptions
    from cellmetry.stats.comparison.plan import Plan
    from cellmetry.stats.comparison.replicates import Units

    Floats = NDArray[np.float64]

__all__ = ["compare"]

_LINEAR = ("auto", "t", "welch")
"""Methods whose assumptions are those of linear models of replicates."""

_ENDS = [f"{kind}_{end}" for kind in ("ci", "simultaneous", "technical") for end in ("low", "high")]


def compare(table: pd.DataFrame, options: CompareOptions) -> Comparison:
    """Return what one value's conditions differ by, with intervals and p-values of independent replicates.

    A row of the table is a cell; where `options.total` names a column, a count of cells. Normalisation is not done
    here: the table holds the values that are compared.

    Raises
    ------
    UnknownName
        If a column, the control or a condition that is named is not there.
    ParameterError
        If values do not fit the scale or the method, there are fewer than two conditions, or options contradict.
    """
    cells = read_cells(table, options)
    units = make_units(cells, options)
    plan = make_plan(units, options)
    tests = run_tests(cells, units, plan, options)
    design = Design(cells.conditions, plan.paired, units.counts(), cells.kind)
    contrasts, naive = _contrasts(cells, units, plan, tests, options)
    return Comparison(
        options=options,
        design=design,
        groups=summarise_groups(cells, units, options),
        replicates=units.table(options),
        contrasts=contrasts,
        power=power_table(units, plan, options, fraction=cells.kind == "fraction"),
        omnibus=tests.omnibus,
        notes=(
            *_gravest(design, options),
            *design_notes(cells, units, options),
            *tests.notes,
            *cells.notes,
            *plan.notes,
            *naive,
            *_model_notes(units, plan, tests, options),
            *value_notes(cells, units, options),
            *power_notes(options),
        ),
    )


def _contrasts(
    cells: Cells, units: Units, plan: Plan, tests: Tests, options: CompareOptions
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return one row for each contrast as `CONTRAST_COLUMNS` describes them, and the note on the test of cells."""
    adjusted = adjust_tests(tests, options)
    low, high = tests.bounds(options.confidence)
    naive = naive_tests(units, plan.pairs, fraction=cells.kind == "fraction", what=options.rows)
    table = pd.DataFrame([_sizes(cells, units, plan, place, options) for place in range(len(plan.pairs))])
    table = table.assign(
        value=options.value,
        estimate=back(tests.estimate, options),
        ci_low=back(low, options),
        ci_high=back(high, options),
        simultaneous_low=back(adjusted.low, options),
        simultaneous_high=back(adjusted.high, options),
        p_value=tests.p_value,
        p_adjusted=adjusted.p_value,
        method=np.where(np.isfinite(tests.p_value), tests.method, NOTHING),
        adjustment=np.where(np.isfinite(tests.p_value), adjusted.words, ""),
        naive_p_value=naive.p_value,
        naive_method=naive.method,
        cliffs_delta_of_cells=_deltas_of_cells(cells, units, plan),
        segmentation_low=np.nan,
        segmentation_high=np.nan,
        reason=tests.reasons,
    )
    if cells.kind == "fraction" and options.scale == "linear":
        table[_ENDS] = table[_ENDS].clip(-1, 1)
    table = table[[column.name for column in CONTRAST_COLUMNS]]
    table.attrs["columns"] = CONTRAST_COLUMNS
    return table, naive_note(units, plan.pairs, tests.p_value, naive, options.rows)


def _sizes(cells: Cells, units: Units, plan: Plan, place: int, options: CompareOptions) -> dict[str, object]:
    """Return names, numbers and effect sizes of one contrast, and the interval among its wells or fields."""
    pair = plan.pairs[place]
    wide = units.wide()
    one, other = wide[:, list(pair)].T
    both = np.isfinite(one) & np.isfinite(other)
    sides = (one[both], other[both]) if plan.paired else (one[np.isfinite(one)], other[np.isfinite(other)])
    size = scale_size(wide, options)
    g = hedges_g(*sides, paired=plan.paired, confidence=options.confidence, size=size)
    delta = cliffs_delta(*sides, paired=plan.paired, confidence=options.confidence)
    row: dict[str, object] = {
        "condition": units.conditions[pair.condition],
        "reference": units.conditions[pair.reference],
        "n_replicates": _counted(one, other, paired=plan.paired),
        "n_cells": int(units.rows.loc[units.rows["condition"].isin(pair), "cells"].sum()),
        **dict(zip(("hedges_g", "hedges_g_low", "hedges_g_high"), g, strict=True)),
        **dict(zip(("cliffs_delta", "cliffs_delta_low", "cliffs_delta_high"), delta, strict=True)),
        "technical_low": np.nan,
        "technical_high": np.nan,
        "technical_unit": "",
    }
    if min(units.counts()[each] for each in pair) < 2:
        low, high, unit = technical_interval(cells, units, plan, pair, options)
        ends = back(np.array([low, high]), options)
        row |= {"technical_low": ends[0], "technical_high": ends[1], "technical_unit": unit}
    return row


def _counted(one: Floats, other: Floats, *, paired: bool) -> int:
    """Return the pairs that a contrast is made of; without any, the replicates of both conditions."""
    pairs = int((np.isfinite(one) & np.isfinite(other)).sum())
    return pairs if paired and pairs else int(np.isfinite([one, other]).sum())


def _deltas_of_cells(cells: Cells, units: Units, plan: Plan) -> list[float]:
    """Return Cliff's delta over pairs of cells of each contrast."""
    rows = cells.rows
    if cells.kind == "fraction":
        sums = units.rows.groupby("condition")[["positive", "cells"]].sum()
        shares = (sums["positive"] / sums["cells"]).to_numpy()
        return [float(shares[one] - shares[other]) for one, other in plan.pairs]
    number, condition = rows["number"].to_numpy(), rows["condition"].to_numpy()
    ordered = [np.sort(number[condition == place]) for place in range(len(cells.conditions))]
    return [delta_of_sorted(ordered[one], ordered[other]) for one, other in plan.pairs]


def _gravest(design: Design, options: CompareOptions) -> tuple[str, ...]:
    notes = []
    if design.estimation_only:
        notes.append(
            f"Each condition has one replicate: differences are estimated, and nothing can be tested. Intervals among "
            f"wells or fields, where given, and tests of {options.rows} say nothing of a repeat of the experiment."
        )
    elif min(design.replicates) < 2:
        single = [name for name, count in zip(design.conditions, design.replicates, strict=True) if count < 2]
        notes.append(
            f"Of {', '.join(single)} there is one replicate: differences from it are estimated and not tested, and "
            f"another repeat of the experiment may well give others."
        )
    if options.normalise is not None:
        how, norm = options.normalise.how.replace("_", " "), options.normalise
        notes.append(f"Values are relative to {norm.control!r} of the same {norm.within} ({how}).")
    return tuple(notes)


def _model_notes(units: Units, plan: Plan, tests: Tests, options: CompareOptions) -> tuple[str, ...]:
    """Return what residuals say of a linear model; nothing where a constant condition left no model for all."""
    tested = tested_conditions(plan)
    own = own_variances(units.wide()[:, tested], plan, options)
    if options.method not in _LINEAR or not tested or (tests.joint is None and not own):
        return ()
    unlike = () if own else spread_notes(units, plan, options)
    return (*unlike, *model_notes(units, tested, blocked=plan.paired, variances_told=own or bool(unlike)))
