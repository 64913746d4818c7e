"""Which test is made of the contrasts, and why of some none."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from cellmetry.stats.comparison.fractions import few_clusters, gee_tests
from cellmetry.stats.comparison.inference import Joint, Pair, Tests, is_constant
from cellmetry.stats.comparison.linear import own_tests, pooled_tests
from cellmetry.stats.comparison.mixed import cell_sums, mixed_tests
from cellmetry.stats.comparison.plan import FEW_SHARED, tested_conditions
from cellmetry.stats.comparison.ranks import rank_tests

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from cellmetry.stats.comparison.cells import Cells
    from cellmetry.stats.comparison.options import CompareOptions
    from cellmetry.stats.comparison.plan import Plan
    from cellmetry.stats.comparison.replicates import Units

    Floats = NDArray[np.float64]

__all__ = ["NOTHING", "own_variances", "run_tests", "scale_size"]

NOTHING = "estimate only"
"""Method of a contrast without a p-value."""


def scale_size(wide: Floats, options: CompareOptions) -> float:
    """Return the largest absolute value, beside which a spread counts as 0; of logarithms 1 at least."""
    largest = float(np.nanmax(np.abs(wide)))
    return max(largest, 1.0) if options.scale == "log" else largest


def run_tests(cells: Cells, units: Units, plan: Plan, options: CompareOptions) -> Tests:
    """Return estimates of all contrasts, with intervals and p-values of those that can be tested.

    A condition whose replicates are all the same (a control divided by itself) lends no variance to the others: each
    contrast then has a variance of its own.
    """
    plan = _refuse_clusters(units, plan, options)
    tested = tested_conditions(plan)
    if not tested:
        return _spread_out(None, units, plan)
    wide = units.wide()
    size = scale_size(wide, options)
    flat = [units.conditions[each] for each in tested if is_constant(wide[np.isfinite(wide[:, each]), each], size)]
    if flat and options.method in ("mixed", "gee"):
        why = f"the replicates of {flat[0]!r} are all the same, which the model cannot take; compare by t"
        return _spread_out(None, units, replace(plan, reasons=tuple(each or why for each in plan.reasons)))
    if flat and plan.paired:
        plan = _refuse_unshared(units, plan)
        if not tested_conditions(plan):
            return _spread_out(None, units, plan)
    tests = _by_method(cells, units, plan, options, own=bool(flat))
    notes = tests.notes
    if flat and len(flat) < len(tested) and options.method in ("auto", "t"):
        notes += (
            f"The replicates of {', '.join(flat)} are all the same, as those of a control are that is divided by "
            f"itself: each contrast is tested by the spread of its own replicates.",
        )
    return _spread_out(replace(tests, notes=notes), units, plan)


def _refuse_clusters(units: Units, plan: Plan, options: CompareOptions) -> Plan:
    """Return the plan without contrasts of conditions whose replicates are too few for estimating equations."""
    if options.method != "gee":
        return plan
    found = [few_clusters(units.rows, place, name) for place, name in enumerate(units.conditions)]
    why = [before or found[one] or found[other] for before, (one, other) in zip(plan.reasons, plan.pairs, strict=True)]
    return replace(plan, reasons=tuple(why))


def _refuse_unshared(units: Units, plan: Plan) -> Plan:
    """Return the plan without contrasts that share too few replicates for a test of their own pairs."""
    there = np.isfinite(units.wide())
    few = [there[:, list(pair)].all(1).sum() < 2 for pair in plan.pairs]
    why = [before or (FEW_SHARED if each else "") for before, each in zip(plan.reasons, few, strict=True)]
    return replace(plan, reasons=tuple(why))


def _by_method(cells: Cells, units: Units, plan: Plan, options: CompareOptions, *, own: bool) -> Tests:
    """Return the tests of the contrasts that have no reason against one."""
    tested = tested_conditions(plan)
    pairs = _among(tested, plan)
    wide = units.wide()[:, tested]
    size = scale_size(wide, options)
    if options.method == "rank":
        return rank_tests(wide, pairs, _what(cells, options), paired=plan.paired, size=size)
    if options.method == "mixed":
        sums, notes = cell_sums(cells, tested, options.plate, paired=plan.paired)
        return replace(mixed_tests(sums, pairs, options.rows, size=size), notes=notes)
    if options.method == "gee":
        rows = units.rows[units.rows["condition"].isin(tested)]
        rows = rows.assign(condition=np.searchsorted(tested, rows["condition"]))
        return gee_tests(rows, pairs, options.rows, paired=plan.paired, log=options.scale == "log")
    if own or own_variances(wide, plan, options):
        return own_tests(wide, pairs, _what(cells, options), paired=plan.paired, size=size)
    return pooled_tests(wide, pairs, _what(cells, options), blocked=plan.paired, size=size)


def own_variances(wide: Floats, plan: Plan, options: CompareOptions) -> bool:
    """Return whether t-tests take a variance for each contrast: where asked for, and for two unequal conditions.

    With equal numbers of replicates Student's t finds about 5 % where both scatter alike, and Welch's of three too
    little (3.3 %). With unequal ones Student's finds 17 % where three scatter three times as much as six do, Welch's
    7 %; so auto takes Welch's there.

    Parameters
    ----------
    wide
        Replicates of the tested conditions, shape (replicates, conditions); NaN where there is none.
    """
    if options.method == "welch":
        return True
    counts = np.isfinite(wide).sum(0)
    return options.method == "auto" and not plan.paired and len(counts) == 2 and counts[0] != counts[1]


def _among(tested: Sequence[int], plan: Plan) -> list[Pair]:
    """Return the contrasts that are tested, by the places of their conditions among those tested."""
    place = {code: index for index, code in enumerate(tested)}
    pairs = zip(plan.pairs, plan.reasons, strict=True)
    return [Pair(place[pair.condition], place[pair.reference]) for pair, why in pairs if not why]


def _what(cells: Cells, options: CompareOptions) -> str:
    if cells.kind == "fraction":
        return "logarithms of replicate fractions" if options.scale == "log" else "replicate fractions"
    return f"replicate {options.summary}s{' of logarithms' if options.scale == 'log' else ''}"


def _spread_out(tests: Tests | None, units: Units, plan: Plan) -> Tests:
    """Return the tests among all contrasts: those that cannot be tested have an estimate and a reason only."""
    count = len(plan.pairs)
    used = np.array([not why for why in plan.reasons])
    wide = units.wide()
    estimate = np.array([_simple(wide[:, one], wide[:, other], paired=plan.paired) for one, other in plan.pairs])
    if tests is None:
        empty = np.full(count, np.nan)
        return Tests(estimate, empty, lambda _: (empty, empty), "", plan.reasons)
    estimate[used] = tests.estimate
    inner, found = iter(tests.reasons), tests

    def bounds(coverage: float) -> tuple[Floats, Floats]:
        low, high = found.bounds(coverage)
        return _among_all(low, used), _among_all(high, used)

    reasons = tuple(why or next(inner) for why in plan.reasons)
    p_value = _among_all(found.p_value, used)
    return replace(found, estimate=estimate, p_value=p_value, bounds=bounds, reasons=reasons, joint=_joint(found, used))


def _joint(tests: Tests, used: NDArray[np.bool_]) -> Joint | None:
    if tests.joint is None:
        return None
    covariance = np.full((len(used), len(used)), np.nan)
    covariance[np.ix_(used, used)] = tests.joint.covariance
    return tests.joint._replace(covariance=covariance)


def _among_all(values: Floats, used: NDArray[np.bool_]) -> Floats:
    out = np.full(len(used), np.nan)
    out[used] = values
    return out


def _simple(one: Floats, other: Floats, *, paired: bool) -> float:
    """Return the difference of means; of pairs the mean difference, if there is one pair."""
    differences = (one - other)[np.isfinite(one - other)]
    if paired and len(differences):
        return float(differences.mean())
    return float(np.nanmean(one) - np.nanmean(other))
