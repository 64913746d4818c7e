"""A contrast in one plain sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from cellmetry.report.estimates import in_points, is_shift
from cellmetry.report.numerals import p_text, shown_number, span

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cellmetry.stats.comparison.result import Comparison

__all__ = ["contrast_sentence", "contrast_sentences"]

_REASONS_EACH = 1


def contrast_sentences(comparison: Comparison, labels: Mapping[str, str]) -> list[str]:
    """Return a sentence for each contrast; where each condition has one replicate, that is told once, before them."""
    rows = comparison.contrasts.to_dict("records")
    if not comparison.design.estimation_only or len(rows) <= _REASONS_EACH:
        return [contrast_sentence(comparison, row, labels) for row in rows]
    value = labels.get(comparison.options.value, comparison.options.value)
    first = (
        f"{value}: no p-values, since each condition has one replicate; without a second one nothing is known of how "
        f"much replicates differ. Differences to the reference are estimated."
    )
    return [first, *(contrast_sentence(comparison, {**row, "reason": ""}, labels) for row in rows)]


def contrast_sentence(comparison: Comparison, row: Mapping[Any, Any], labels: Mapping[str, str]) -> str:
    """Return a row of the contrasts as a sentence: estimate, interval, p or why there is none, replicates, cells.

    The sentence says how large the difference is, never whether it is "significant".
    """
    options = comparison.options
    value, condition, reference = (
        labels.get(str(name), str(name)) for name in (options.value, row["condition"], row["reference"])
    )
    fraction = comparison.design.kind == "fraction"
    what = f"Fraction of {value}" if fraction and options.value not in labels else value
    if pd.isna(row["estimate"]):
        return f"{what}: {condition} cannot be compared with {reference}{_because(row)}."
    said = f"{what}: {condition} {_difference(row, comparison)} {reference}"
    return f"{said} ({'; '.join((*_interval(row, comparison), _test(row), _numbers(row, comparison)))})."


def _difference(row: Mapping[Any, Any], comparison: Comparison) -> str:
    """Return how a condition differs, between the names of the two; a shift of ranks is called so."""
    estimate = float(row["estimate"])
    shift = is_shift(comparison, str(row["method"]))
    if comparison.options.scale == "log":
        return f"is{', by the median ratio,' if shift else ''} {shown_number(estimate)} times"
    if estimate == 0:
        return "is the same as"
    way = "higher" if estimate > 0 else "lower"
    size = shown_number(abs(estimate))
    if in_points(comparison):
        size = f"{shown_number(100 * abs(estimate))} percentage points"
    return f"is{', by the median shift,' if shift else ''} {size} {way} than"


def _interval(row: Mapping[Any, Any], comparison: Comparison) -> list[str]:
    """Return the interval of the estimate; with one replicate that among its wells or fields, named as such."""
    factor = 100 if in_points(comparison) else 1
    confidence = f"{comparison.options.confidence:.0%}"
    if pd.notna(row["ci_low"]):
        return [f"{confidence} CI {_ends(row, 'ci', factor)}"]
    if pd.notna(row["technical_low"]):
        among = f"among {row['technical_unit']} of one replicate" if row["technical_unit"] else "within one replicate"
        return [f"{confidence} interval {among} {_ends(row, 'technical', factor)}"]
    return []


def _ends(row: Mapping[Any, Any], kind: str, factor: float) -> str:
    return span(factor * float(row[f"{kind}_low"]), factor * float(row[f"{kind}_high"]))


def _test(row: Mapping[Any, Any]) -> str:
    if pd.isna(row["p_value"]):
        return f"no p-value{_because(row)}"
    adjusted = row["p_adjusted"]
    corrected = "" if pd.isna(adjusted) or adjusted == row["p_value"] else f", corrected {p_text(adjusted)}"
    return f"{p_text(row['p_value'])}{corrected}"


def _because(row: Mapping[Any, Any]) -> str:
    reason = "" if pd.isna(row["reason"]) else str(row["reason"]).strip().rstrip(".")
    return f": {reason}" if reason else ""


def _numbers(row: Mapping[Any, Any], comparison: Comparison) -> str:
    n, rows = int(row["n_replicates"]), f"{int(row['n_cells']):,} {comparison.options.rows}"
    if comparison.design.estimation_only:
        return f"one replicate each, {rows}"
    unit = ("pair of replicates", "pairs of replicates") if _pairs(row, comparison) else ("replicate", "replicates")
    return f"{n:,} {unit[n != 1]}, {rows}"


def _pairs(row: Mapping[Any, Any], comparison: Comparison) -> bool:
    """Return whether a contrast is made of pairs: also in blocks, a condition may share no replicate with another."""
    names = comparison.replicates.groupby("condition")["replicate"].agg(set)
    return comparison.design.paired and bool(names[row["condition"]] & names[row["reference"]])
