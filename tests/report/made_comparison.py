"""A comparison made by hand, with cells of known truth, for the tests of reports."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from cellmetry.stats.comparison.options import CompareOptions
from cellmetry.stats.comparison.result import (
    CONTRAST_COLUMNS,
    GROUP_COLUMNS,
    POWER_COLUMNS,
    REPLICATE_COLUMNS,
    Comparison,
    Design,
)

CONDITIONS = ("control", "10 µM drug", "serum <free> & 37 °C")
SHIFTS = (0.0, 3.0, -1.0)


def make_cells(replicates: int = 4, cells: int = 120, seed: int = 0) -> pd.DataFrame:
    """Return cells whose conditions differ by `SHIFTS`, with a shift of each replicate."""
    random = np.random.default_rng(seed)
    day = random.normal(0, 0.8, replicates)
    rows = []
    for condition, shift in zip(CONDITIONS, SHIFTS, strict=True):
        for replicate in range(replicates):
            value = 20 + shift + day[replicate] + random.normal(0, 0.5) + random.gamma(4, 1.0, cells)
            part = pd.DataFrame({"value": value, "label": np.arange(1, cells + 1)})
            rows.append(
                part.assign(condition=condition, replicate=f"day {replicate + 1}", image=f"{condition}/{replicate}")
            )
    return pd.concat(rows, ignore_index=True)


def make_comparison(cells: pd.DataFrame, **options) -> Comparison:
    """Return replicate means, their means with intervals, and paired t tests with the first condition."""
    asked = CompareOptions(value="mean_EdU", control=CONDITIONS[0], **options)
    grouped = cells.groupby(["condition", "replicate"], sort=False)["value"]
    means = grouped.mean().unstack("condition")[list(CONDITIONS)]
    counts = grouped.size().unstack("condition")[list(CONDITIONS)]
    n = len(means)
    return Comparison(
        options=asked,
        design=Design(CONDITIONS, paired=n > 1, replicates=(n,) * len(CONDITIONS), kind="amount"),
        groups=_groups(means, counts),
        replicates=_table(_replicate_rows(means, counts), REPLICATE_COLUMNS),
        contrasts=_table([_contrast(cells, means, counts, name) for name in CONDITIONS[1:]], CONTRAST_COLUMNS),
        power=_table([_power(means, name) for name in CONDITIONS[1:]] if n > 1 else [], POWER_COLUMNS),
        omnibus="All conditions at once: F = 12.3, p = 0.0012." if n > 1 else "",
        notes=("Replicates are few: that they are normal cannot be checked.",),
    )


def _table(rows, columns) -> pd.DataFrame:
    table = pd.DataFrame(rows).reindex(columns=[column.name for column in columns])
    table.attrs["columns"] = tuple(columns)
    return table


def _groups(means, counts) -> pd.DataFrame:
    n = len(means)
    rows = []
    for name in CONDITIONS:
        mean, sd = means[name].mean(), means[name].std()
        half = stats.t.ppf(0.975, n - 1) * sd / np.sqrt(n) if n > 1 else np.nan
        row = {"condition": name, "n_cells": counts[name].sum(), "n_missing": 0, "n_replicates": n, "mean": mean}
        rows.append({**row, "sd": sd, "ci_low": mean - half, "ci_high": mean + half, "confidence": 0.95})
    return _table(rows, GROUP_COLUMNS)


def _replicate_rows(means, counts) -> list[dict]:
    return [
        {"condition": name, "replicate": replicate, "n_cells": counts.loc[replicate, name], "value": value}
        for name in CONDITIONS
        for replicate, value in means[name].items()
    ]


def _contrast(cells, means, counts, name) -> dict:
    n = len(means)
    difference = means[name] - means[CONDITIONS[0]]
    values = [cells.loc[cells["condition"] == each, "value"] for each in (name, CONDITIONS[0])]
    row = {
        "value": "mean_EdU",
        "condition": name,
        "reference": CONDITIONS[0],
        "estimate": difference.mean(),
        "n_replicates": n,
        "n_cells": counts[name].sum() + counts[CONDITIONS[0]].sum(),
        "naive_p_value": stats.ttest_ind(*values, equal_var=False).pvalue,
        "naive_method": "Welch's t test of cells",
        "method": "paired t test of replicate means",
        "adjustment": "",
        "reason": "",
    }
    if n < 2:
        reason = "one replicate says nothing of another"
        ends = {"technical_low": difference.mean() - 1, "technical_high": difference.mean() + 1}
        return {**row, **ends, "technical_unit": "wells", "method": "", "reason": reason}
    half = stats.t.ppf(0.975, n - 1) * difference.std() / np.sqrt(n)
    p = stats.ttest_1samp(difference, 0).pvalue
    return {
        **row,
        "ci_low": difference.mean() - half,
        "ci_high": difference.mean() + half,
        "p_value": p,
        "p_adjusted": min(1, 2 * p),
        "adjustment": "Holm",
        "hedges_g": 1.2,
        "hedges_g_low": 0.1,
        "hedges_g_high": 2.3,
    }


def _power(means, name) -> dict:
    row = {"condition": name, "reference": CONDITIONS[0], "sd": (means[name] - means[CONDITIONS[0]]).std()}
    return {**row, "effect": 4.8, "n_replicates": 3, "power_now": 0.93, "detectable_now": 2.1}
