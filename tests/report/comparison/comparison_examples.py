"""Comparisons with known numbers for the tests of figures, made without the code that compares."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd
from scipy import stats

from cellmetry.report.comparison.figures.data import ComparisonData
from cellmetry.stats.comparison.options import CompareOptions
from cellmetry.stats.comparison.result import (
    CONTRAST_COLUMNS,
    GROUP_COLUMNS,
    POWER_COLUMNS,
    REPLICATE_COLUMNS,
    Comparison,
    Design,
)

NAMES = ("control", "drug A", "drug B", "drug C", "drug D", "drug E", "drug F", "drug G")


@dataclass(frozen=True)
class Study:
    """How an example is made: `cells` in each replicate of each condition."""

    conditions: int = 3
    replicates: int = 3
    cells: int = 200
    names: tuple[str, ...] = NAMES
    shape: str = "normal"
    fraction: bool = False
    control: bool = True
    paired: bool = True
    log: bool = False
    times: int = 0
    seed: int = 1


def example_cells(study: Study) -> pd.DataFrame:
    """Return a table of cells with effects of condition and of replicate."""
    random = np.random.default_rng(study.seed)
    shape = (study.conditions, study.replicates, study.cells)
    condition, replicate, _ = (axis.ravel() for axis in np.indices(shape))
    centre = 10 + 1.5 * condition + random.normal(0, 0.8, study.replicates)[replicate]
    centre = centre + random.normal(0, 0.4, shape[:2])[condition, replicate]
    noise = random.normal(0, 1, condition.size)
    value = {
        "normal": centre + 2 * noise,
        "skewed": 2 * np.exp(0.1 * centre + 0.7 * noise),
        "equal": np.full(condition.size, 7.0),
    }[study.shape]
    names = np.array([str(place + 1) for place in range(study.replicates)])[replicate]
    shown = np.array(study.names[: study.conditions])[condition]
    if not study.paired:
        names = np.char.add(np.char.add(shown, "-"), names)
    table = pd.DataFrame({"condition": shown, "replicate": names, "value": value})
    table["second"] = 0.5 * table["value"] + random.normal(0, 1, len(table))
    if study.times:
        table["time"] = random.integers(0, study.times, len(table))
        table["value"] += 0.3 * condition * table["time"]
    return table


def example(study: Study, **more: object) -> ComparisonData:
    """Return the comparison of the example's cells, or of the fraction of them above 12."""
    cells = example_cells(study)
    options = CompareOptions(
        value="mean_EdU", control=study.names[0] if study.control else None, scale="log" if study.log else "linear"
    )
    comparison = compare_plainly(cells, study, options)
    if study.fraction:
        return ComparisonData(comparison, cells.iloc[:0], **more)
    return ComparisonData(comparison, cells, **more)


def compare_plainly(cells: pd.DataFrame, study: Study, options: CompareOptions) -> Comparison:
    """Return a comparison by t tests of replicate means, Holm's correction by hand."""
    shown = cells.assign(value=cells["value"] > 12) if study.fraction else cells
    grouped = shown.groupby(["condition", "replicate"], sort=False)["value"]
    replicates = grouped.agg(n_cells="size", value="mean", sd_of_cells="std").reset_index()
    replicates = replicates.reindex(columns=[column.name for column in REPLICATE_COLUMNS])
    names = study.names[: study.conditions]
    groups = pd.DataFrame([group_row(name, replicates) for name in names]).reindex(
        columns=[column.name for column in GROUP_COLUMNS]
    )
    pairs = [(name, names[0]) for name in names[1:]] if study.control else [(b, a) for a, b in combinations(names, 2)]
    rows = [contrast_row(pair, replicates, study) for pair in pairs]
    contrasts = pd.DataFrame(rows, columns=list(rows[0]) if rows else ["condition", "reference"])
    for column in CONTRAST_COLUMNS:
        if column.name not in contrasts.columns:
            contrasts[column.name] = "" if column.unit == "" else np.nan
    counts = tuple(int((replicates["condition"] == name).sum()) for name in names)
    design = Design(names, study.paired, counts, "fraction" if study.fraction else "amount")
    power = pd.DataFrame(columns=[column.name for column in POWER_COLUMNS])
    return Comparison(options, design, groups, replicates, contrasts, power)


def group_row(name: str, replicates: pd.DataFrame) -> dict[str, object]:
    part = replicates[replicates["condition"] == name]
    values = part["value"].to_numpy(float)
    row: dict[str, object] = {
        "condition": name,
        "n_cells": part["n_cells"].sum(),
        "n_missing": 0,
        "n_replicates": len(part),
        "mean": values.mean(),
        "confidence": 0.95,
    }
    if len(values) > 1:
        half = stats.t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
        row |= {"ci_low": values.mean() - half, "ci_high": values.mean() + half}
    return row


def contrast_row(pair: tuple[str, str], replicates: pd.DataFrame, study: Study) -> dict[str, object]:
    first, second = (replicates.loc[replicates["condition"] == name, "value"].to_numpy(float) for name in pair)
    row: dict[str, object] = {"value": "mean_EdU", "condition": pair[0], "reference": pair[1]}
    row["estimate"] = first.mean() / second.mean() if study.log else first.mean() - second.mean()
    if min(len(first), len(second)) < 2 or np.ptp([*first, *second]) == 0:
        reason = "one replicate, no estimate of how replicates vary." if len(first) < 2 else "all values are equal."
        return row | {"reason": reason}
    if study.log:
        first, second = np.log(first), np.log(second)
    found = stats.ttest_rel(first, second) if study.paired else stats.ttest_ind(first, second)
    interval = found.confidence_interval()
    low, high = (np.exp(interval.low), np.exp(interval.high)) if study.log else interval
    row |= {"ci_low": low, "ci_high": high, "p_value": found.pvalue, "p_adjusted": min(1.0, 2 * found.pvalue)}
    row |= {"simultaneous_low": low - 0.1 * abs(low), "simultaneous_high": high + 0.1 * abs(high)}
    row |= {"method": "paired t-test" if study.paired else "Student's t-test", "adjustment": "Bonferroni", "reason": ""}
    return row | {"n_replicates": len(first), "n_cells": 0}


def example_plates(plates: int = 1, rows: int = 8, columns: int = 12, seed: int = 0) -> pd.DataFrame:
    """Return one row a well with an edge effect in ``value``, a few wells without data and two excluded."""
    random = np.random.default_rng(seed)
    parts = []
    for plate in range(plates):
        row, column = (axis.ravel() for axis in np.indices((rows, columns)))
        inner = (row > 0) & (row < rows - 1) & (column > 0) & (column < columns - 1)
        value = 100 + 20 * plate + 25 * inner + random.normal(0, 8, row.size)
        letters = [chr(ord("A") + place) for place in row]
        parts.append(
            pd.DataFrame({"plate": f"plate {plate + 1}", "row": letters, "column": column + 1, "value": value})
        )
    table = pd.concat(parts, ignore_index=True)
    table["condition"] = np.array(["control", *NAMES[1:6]])[(table["column"] - 1) // 2 % 6]
    table["batch"] = table["plate"].str.replace("plate", "day")
    table["excluded"] = False
    table.loc[[15, 40], "excluded"] = True
    return table.drop(index=[0, 1, 50]).reset_index(drop=True)
