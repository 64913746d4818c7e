"""Scores in words: sentences for readers who know no scores, and numbers as text."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pandas as pd

from cellmetry.learn.score_columns import EMPTY_RULE

if TYPE_CHECKING:
    from cellmetry.learn.evaluate import Evaluation

__all__ = ["NOT_SAID", "headline", "is_missing", "number", "percent", "row_of", "rules", "signed"]

NOT_SAID = "not said"
"""In place of a modality that the data set leaves open."""


def headline(evaluation: Evaluation) -> list[str]:
    """Return what the scores say, in sentences for readers who know no scores."""
    return [*_found_sentences(evaluation), *_count_sentences(evaluation), *_pixel_sentences(evaluation)]


def rules(evaluation: Evaluation) -> list[str]:
    """Return how the scores are defined, in sentences."""
    side = evaluation.options.patch_px
    return [
        "A predicted and a true object are paired when their intersection over union (IoU) is at least the threshold; "
        "each has one partner at most, and as many pairs are formed as possible (Hungarian method).",
        "Mean over images: every image counts the same. Pooled over objects: every object counts the same.",
        EMPTY_RULE,
        f"Objects count in the patch of {side} × {side} px in which their "
        f"centroid lies; patches start at the upper left corner, and those at the other edges may be smaller.",
        "Split: two or more predicted objects lie with more than half of their area in one true object, and each "
        "covers a tenth of it or more. Merged: the same with truth and prediction exchanged.",
        f"Boundaries are the outermost pixels of each object, also where objects touch; they agree within "
        f"{evaluation.options.tolerance_px:g} px.",
    ]


def _found_sentences(evaluation: Evaluation) -> list[str]:
    pooled = row_of(evaluation, "summary", average="objects")
    tp = pooled["tp_50"]
    if is_missing(tp):
        return []
    n_true, n_predicted = tp + pooled["fn_50"], tp + pooled["fp_50"]  # of images whose truth is labels
    found = (
        f"Found: {tp:,} of {n_true:,} true objects ({percent(tp, n_true)}). Found means that the predicted outline and "
        f"the true one share at least half of the area that they cover together."
    )
    missed = (
        f"Missed: {pooled['fn_50']:,}. Extra: {pooled['fp_50']:,} of {n_predicted:,} predicted objects "
        f"({percent(pooled['fp_50'], n_predicted)}) fit no true one."
    )
    cut = f"Cut into parts: {pooled['n_split']:,}. Several taken for one: {pooled['n_merged']:,}."
    overlap = 100 * pooled["mean_matched_iou_50"]
    fit = f"The outlines of found objects share {overlap:.0f} % of that area on average (IoU)." if tp else ""
    return [found, missed, cut, *([fit] if fit else [])]


def _count_sentences(evaluation: Evaluation) -> list[str]:
    counts = row_of(evaluation, "counts", per="image")
    if not counts["n"]:
        return []
    share = "" if is_missing(counts["mape_percent"]) else f" ({counts['mape_percent']:.1f} % of the true count)"
    lean = "neither too many nor too few on the whole"
    if abs(counts["bias"]) >= 0.05:
        lean = f"{abs(counts['bias']):.1f} too {'many' if counts['bias'] > 0 else 'few'} on the whole"
    return [f"The count of an image is off by {counts['mae']:.1f} objects on average{share}, {lean}."]


def _pixel_sentences(evaluation: Evaluation) -> list[str]:
    pooled = row_of(evaluation, "summary", average="objects")
    if not is_missing(pooled["tp_50"]) or is_missing(pooled["pixel_dice"]):
        return []
    recall, precision = 100 * pooled["pixel_recall"], 100 * pooled["pixel_precision"]
    return [f"{recall:.0f} % of the true foreground was found, and {precision:.0f} % of what was found is foreground."]


def row_of(evaluation: Evaluation, table: str, **where: str) -> dict[str, Any]:
    """Return the row of all images in the table `summary` (average=…) or `counts` (per=…)."""
    rows = evaluation.tables[table]
    ((key, value),) = where.items()
    return {str(name): cell for name, cell in rows[(rows["modality"] == "all") & (rows[key] == value)].iloc[0].items()}


def is_missing(value: Any) -> bool:
    """Return whether a cell of a table holds nothing."""
    return bool(pd.isna(value))


def number(value: Any) -> str:
    """Return a number as text: three decimals below 10, whole numbers as they are, – where it is missing."""
    if is_missing(value):
        return "–"
    if float(value) == int(value) and not isinstance(value, float):
        return f"{int(value):,}"
    return f"{float(value):.3f}" if abs(value) < 10 else f"{float(value):,.1f}"


def signed(value: Any) -> str:
    """Return a number as text with its sign."""
    if is_missing(value):
        return "–"
    text = number(abs(value))
    return text if math.isclose(value, 0) else f"{'+' if value > 0 else '−'}{text}"


def percent(part: float, whole: float) -> str:
    """Return a share as text; – of nothing."""
    return f"{100 * part / whole:.1f} %" if whole else "–"
