"""Simulated studies: false positives and coverage; the long run is benchmarks/comparing.py."""

from __future__ import annotations

import numpy as np
import pytest

from cellmetry.stats.comparison.adjust import adjust_tests
from cellmetry.stats.comparison.cells import read_cells
from cellmetry.stats.comparison.methods import run_tests
from cellmetry.stats.comparison.naive import likeness, naive_tests
from cellmetry.stats.comparison.options import CompareOptions
from cellmetry.stats.comparison.plan import make_plan
from cellmetry.stats.comparison.replicates import make_units

STUDIES = 250
THREE_ERRORS = 3.3 * np.sqrt(0.05 * 0.95 / STUDIES)


def prepared(table, options):
    cells = read_cells(table, options)
    units = make_units(cells, options)
    return cells, units, make_plan(units, options)


@pytest.mark.parametrize(("shared", "replicates"), [(True, 3), (False, 3), (True, 5), (False, 6)])
def test_false_positives_and_coverage(make_study, shared, replicates) -> None:
    false, held, naive = 0, 0, 0
    options = CompareOptions(value="y")
    for seed in range(STUDIES):
        cells, units, plan = prepared(make_study(2, replicates, shared=shared, effect=0.0, seed=seed), options)
        naive += int(naive_tests(units, plan.pairs, fraction=False).p_value[0] < 0.05)
        tests = run_tests(cells, units, plan, options)
        false += int(tests.p_value[0] < 0.05)
        low, high = tests.bounds(0.95)
        held += int(low[0] <= 0 <= high[0])
    assert false / STUDIES == pytest.approx(0.05, abs=THREE_ERRORS)
    assert held / STUDIES == pytest.approx(0.95, abs=THREE_ERRORS)
    assert naive / STUDIES > 0.3


@pytest.mark.parametrize("shared", [True, False])
def test_mixed_model_finds_no_more(make_study, shared) -> None:
    options = CompareOptions(value="y", method="mixed")
    found = [
        run_tests(*prepared(make_study(2, 3, shared=shared, effect=0.0, seed=seed), options), options).p_value[0]
        for seed in range(STUDIES)
    ]
    assert np.mean(np.array(found) < 0.05) == pytest.approx(0.05, abs=THREE_ERRORS)


@pytest.mark.parametrize("shared", [True, False])
def test_simultaneous_intervals_hold_together(make_study, shared) -> None:
    together, each = 0, 0
    options = CompareOptions(value="y", control="c0")
    for seed in range(STUDIES):
        cells, units, plan = prepared(make_study(4, 3, shared=shared, seed=seed, cells=4), options)
        tests = run_tests(cells, units, plan, options)
        adjusted = adjust_tests(tests, options)
        low, high = tests.bounds(0.95)
        true = 0.5 * np.array([pair.condition - pair.reference for pair in plan.pairs])
        together += int(((adjusted.low <= true) & (true <= adjusted.high)).all())
        each += int(((low <= true) & (true <= high)).all())
    assert together / STUDIES == pytest.approx(0.95, abs=THREE_ERRORS)
    assert each < together


def test_likeness_of_cells_is_found(make_study) -> None:
    """Variance of replicates 0.25, of cells 1: intraclass correlation 0.2."""
    options = CompareOptions(value="y")
    found = []
    for seed in range(200):
        cells = read_cells(make_study(2, 9, shared=False, seed=seed, cells=30), options)
        found.append(likeness(make_units(cells, options)).icc)
    assert np.mean(found) == pytest.approx(0.2, abs=0.025)
