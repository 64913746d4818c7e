"""False positives and coverage of comparisons on simulated studies: `python benchmarks/comparing.py`.

Each study has two conditions of 3 to 6 replicates of 50 to 500 cells; cells of a replicate are alike (intraclass
correlation 0.1 to 0.5). Three designs: days that both conditions share (their effect as large as that of a replicate),
the same labels in both conditions without an effect of the day, and labels of their own.

Printed are, for each design and number of replicates, how often each test finds p < 0.05 though there is no effect, and
how often the 95 % interval of the default holds an effect that there is. `--fractions` makes cells positive or not in
place of amounts, and tries GEE in place of the mixed model.
"""

from __future__ import annotations

import argparse
import os
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from itertools import product

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd

from cellmetry.stats.comparison.cells import read_cells
from cellmetry.stats.comparison.methods import run_tests
from cellmetry.stats.comparison.naive import naive_tests
from cellmetry.stats.comparison.options import CompareOptions
from cellmetry.stats.comparison.plan import make_plan
from cellmetry.stats.comparison.replicates import make_units

DESIGNS = ("shared days", "shared labels only", "own labels")
REPLICATES = (3, 4, 5, 6)


def simulate(place: tuple[str, int, int], *, fractions: bool) -> pd.DataFrame:
    """Return a table of cells of two conditions that do not differ."""
    design, replicates, seed = place
    rng = np.random.default_rng([seed, replicates, DESIGNS.index(design)])
    icc = rng.uniform(0.1, 0.5)
    spread = np.sqrt(icc / (1 - icc))
    sizes = rng.integers(50, 501, (2, replicates))
    effects = rng.normal(0, spread, (2, replicates))
    if design == "shared days":
        effects += rng.normal(0, spread, replicates)
    condition, replicate = np.repeat(np.indices(sizes.shape).reshape(2, -1), sizes.ravel(), axis=1)
    value = effects[condition, replicate] + rng.normal(size=len(condition))
    own = condition * replicates if design == "own labels" else 0
    columns = {"condition": condition, "replicate": replicate + own, "value": value > 0 if fractions else value}
    return pd.DataFrame(columns)


def one_study(place: tuple[str, int, int], *, fractions: bool) -> dict[str, object]:
    """Return what each test says of a study without effect, and whether the interval holds one that is added."""
    options = CompareOptions(value="value")
    cells = read_cells(simulate(place, fractions=fractions), options)
    units = make_units(cells, options)
    plan = make_plan(units, options)
    naive = naive_tests(units, plan.pairs, fraction=fractions)
    found: dict[str, object] = {"design": place[0], "replicates": place[1], "cells": naive.p_value[0] < 0.05}
    for method in ("auto", "welch", "rank", "gee" if fractions else "mixed"):
        tests = run_tests(cells, units, plan, options.model_copy(update={"method": method}))
        found["default" if method == "auto" else method] = tests.p_value[0] < 0.05
    effect = float(np.random.default_rng(place[2]).normal())
    shifted = replace(units, rows=units.rows.assign(x=units.rows["x"] + effect * units.rows["condition"]))
    low, high = run_tests(cells, shifted, plan, options).bounds(options.confidence)
    return {**found, "coverage": low[0] <= effect <= high[0]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--studies", type=int, default=1000, help="of each design and number of replicates")
    parser.add_argument("--fractions", action="store_true", help="cells are positive or not")
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    started = time.perf_counter()
    places = list(product(DESIGNS, REPLICATES, range(given.studies)))
    with ProcessPoolExecutor(given.workers) as pool:
        work = partial(one_study, fractions=given.fractions)
        found = pd.DataFrame(list(pool.map(work, places, chunksize=100)))
    print("Share of studies in % (p < 0.05 without an effect; coverage of the default's 95 % interval)")
    print((100 * found.groupby(["design", "replicates"], sort=False).mean()).round(1).to_string())
    print((100 * found.groupby("design", sort=False).mean().drop(columns="replicates")).round(1).to_string())
    error = 100 * np.sqrt(0.05 * 0.95 / given.studies)
    print(
        f"{len(found)} studies in {time.perf_counter() - started:.0f} s; standard error of 5 % in a row: {error:.1f} %"
    )


if __name__ == "__main__":
    main()
