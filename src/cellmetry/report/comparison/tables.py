"""The tables of a comparison as a reader wants them: few columns, plain heads. The CSV files have every column."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from cellmetry.report.estimates import in_points, is_shift
from cellmetry.report.numerals import shown_p, span

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cellmetry.stats.comparison.result import Comparison

__all__ = ["contrast_table", "naive_table", "numbers_table", "power_table"]


def numbers_table(comparison: Comparison, labels: Mapping[str, str]) -> pd.DataFrame:
    """Return the number of cells of each condition (rows) and replicate (columns), with their sums."""
    table = comparison.replicates
    cells = table.pivot_table(index="condition", columns="replicate", values="n_cells", aggfunc="sum", sort=False)
    cells = cells.reindex([name for name in comparison.design.conditions if name in cells.index])
    shown = pd.DataFrame({"Condition": _named(pd.Series(cells.index), labels)})
    for name in cells.columns:
        shown[str(name)] = pd.array(cells[name].tolist(), "Int64")
    shown["Replicates"] = cells.gt(0).sum(axis="columns").tolist()
    shown[comparison.options.rows.capitalize()] = cells.sum(axis="columns").astype(int).tolist()
    return shown


def contrast_table(comparison: Comparison, labels: Mapping[str, str]) -> pd.DataFrame:
    """Return for each contrast estimate, interval, p, corrected p, Hedges' g and n; empty columns are left out.

    Differences of fractions and their intervals are in percentage points.
    """
    rows = comparison.contrasts
    factor = 100 if in_points(comparison) else 1
    confidence = f"{comparison.options.confidence:.0%} CI"
    columns: dict[str, Any] = {
        **_pair(comparison, labels),
        _estimate_head(comparison): (factor * rows["estimate"]).array,
        confidence: _spans(rows, "ci", factor),
        "Interval within the replicate": _spans(rows, "technical", factor),
        "With segmentation": _spans(rows, "segmentation", factor),
        "p": rows["p_value"].map(shown_p).array,
        "p corrected": rows["p_adjusted"].map(shown_p).array,
        "Hedges' g": rows["hedges_g"].array,
        f"g, {confidence}": _spans(rows, "hedges_g"),
        "n": rows["n_replicates"].array,
        "No p-value because": ["" if pd.isna(reason) else str(reason) for reason in rows["reason"]],
    }
    return pd.DataFrame({name: values for name, values in columns.items() if _says_something(values)})


def naive_table(comparison: Comparison, labels: Mapping[str, str]) -> pd.DataFrame:
    """Return for each contrast the p-value with replicates as n beside that with cells (nuclei, fields) as n."""
    rows, of = comparison.contrasts, comparison.options.rows
    return pd.DataFrame(
        {
            **_pair(comparison, labels),
            "p (replicates)": rows["p_value"].map(shown_p).array,
            "n replicates": rows["n_replicates"].array,
            f"naive p ({of})": rows["naive_p_value"].map(shown_p).array,
            f"n {of}": rows["n_cells"].array,
            "naive test": rows["naive_method"].array,
        }
    )


def power_table(comparison: Comparison, labels: Mapping[str, str]) -> pd.DataFrame:
    """Return how many replicates find the difference asked for, and what can be found now.

    Of fractions in percentage points; on log scale differences are ratios, and scatter that of logarithms.
    """
    rows, points = comparison.power, _unit(comparison)
    factor = 100 if in_points(comparison) else 1
    ratio = comparison.options.scale == "log"
    kind = "ratio" if ratio else "difference"
    unit = "Pairs needed" if comparison.design.paired else "Replicates needed, each condition"
    return pd.DataFrame(
        {
            **{head: _named(rows[name], labels) for head, name in _PAIR.items()},
            f"{kind.capitalize()} to find{points}": (factor * rows["effect"]).array,
            f"SD of replicates{' (logarithms)' if ratio else points}": (factor * rows["sd"]).array,
            unit: rows["n_replicates"].array,
            "Power now": rows["power_now"].array,
            f"Smallest {kind} found now{points}": (factor * rows["detectable_now"]).array,
        }
    )


_PAIR = {"Condition": "condition", "Reference": "reference"}


def _pair(comparison: Comparison, labels: Mapping[str, str]) -> dict[str, list[str]]:
    return {head: _named(comparison.contrasts[name], labels) for head, name in _PAIR.items()}


def _named(names: pd.Series[Any], labels: Mapping[str, str]) -> list[str]:
    return [labels.get(str(name), str(name)) for name in names]


def _spans(rows: pd.DataFrame, kind: str, factor: float = 1) -> list[str]:
    ends = zip(factor * rows[f"{kind}_low"], factor * rows[f"{kind}_high"], strict=True)
    return [span(low, high) for low, high in ends]


def _estimate_head(comparison: Comparison) -> str:
    """Return what the estimates are: differences or ratios, of means or by ranks, and their unit if they are shares."""
    shifts = [is_shift(comparison, str(method)) for method in comparison.contrasts["method"]]
    ratio = comparison.options.scale == "log"
    head = "Ratio" if ratio else "Estimate"
    if any(shifts):
        head = "Median ratio" if ratio else "Median shift"
    return f"{head}{_unit(comparison)}"


def _unit(comparison: Comparison) -> str:
    return " (% points)" if in_points(comparison) else ""


def _says_something(values: Any) -> bool:
    texts = pd.Series(values)
    return bool((texts.notna() & ~texts.isin(["", "–"])).any())
