"""What all images of an evaluation say together: means over images, and scores of all objects pooled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cellmetry.learn.score_columns import AVERAGES
from cellmetry.learn.score_tables import (
    COUNTS,
    HEADLINE_IOUS,
    MATCH_SUMS,
    MATCHES,
    MEANS,
    SUMS,
    boundary_row,
    make_table,
)
from cellmetry.ops.boundary_scores import BoundaryScores
from cellmetry.ops.matching import share_of
from cellmetry.ops.scores import Jaccard, score_pixel_counts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["average_counts", "average_scores", "average_thresholds", "modality_groups"]

_IMAGES, _OBJECTS = AVERAGES


def modality_groups(images: pd.DataFrame) -> list[str]:
    """Return ``all``, and the modalities where there are several, those with most images first."""
    counts = images["modality"].value_counts()
    return ["all", *counts.index] if len(counts) > 1 else ["all"]


def average_thresholds(matches: pd.DataFrame, groups: Sequence[str]) -> pd.DataFrame:
    """Return the matching scores at each threshold, for each modality: as the mean of images, and pooled."""
    rows = []
    for group, part in _grouped(matches, groups):
        for iou, at in part.groupby("iou"):
            sums: dict[str, Any] = {name: at[name].sum() for name in MATCH_SUMS}
            common = {"modality": group, "iou": iou, **sums}
            means: dict[Any, Any] = at[list(MATCHES)].mean().to_dict()
            rows.append({"average": _IMAGES, **common, **means})
            rows.append({"average": _OBJECTS, **common, **_matched(*sums.values())})
    table = make_table(rows, ["modality", "average", "iou", *MATCH_SUMS[:3], *MATCHES])
    return table.sort_values(["average", "iou"], kind="stable", ignore_index=True)


def average_scores(images: pd.DataFrame, thresholds: pd.DataFrame) -> pd.DataFrame:
    """Return the scores of all images, and of each modality: a row as the mean of images, one pooled over objects."""
    rows = []
    for group, part in _grouped(images, modality_groups(images)):
        sums: dict[str, Any] = {name: part[name].sum(min_count=1) for name in COUNTS}
        percent = _percent(sums["count_error"], sums["n_true"])
        common = {"modality": group, "n_images": len(part), **sums, "count_error_percent": percent}
        pooled = thresholds[(thresholds["modality"] == group) & (thresholds["average"] == _OBJECTS)]
        means: dict[Any, Any] = part[list(MEANS)].mean().to_dict()
        rows.append({"average": _IMAGES, **common, **means})
        rows.append({"average": _OBJECTS, **common, **_pooled_areas(part), **_pooled_matches(pooled)})
    columns = ["modality", "average", "n_images", *COUNTS[:3], "count_error_percent", *COUNTS[3:], *MEANS]
    return make_table(rows, columns)


def average_counts(images: pd.DataFrame, patches: pd.DataFrame) -> pd.DataFrame:
    """Return how far counts are off, per image and per patch, for each modality."""
    rows = []
    for group in modality_groups(images):
        for per, table in (("image", images), ("patch", patches)):
            ((_, part),) = _grouped(table, [group])
            counted = part[part["n_true"].notna()]
            rows.append({"modality": group, "per": per, "n": len(counted)} | _count_errors(counted))
    return make_table(rows, ["modality", "per", "n", "n_true", "n_predicted", "mae", "mape_percent", "bias"])


def _grouped(table: pd.DataFrame, groups: Sequence[str]) -> Iterator[tuple[str, pd.DataFrame]]:
    for group in groups:
        yield group, table if group == "all" else table[table["modality"] == group]


def _matched(tp: int, fp: int, fn: int, iou_sum: float) -> dict[str, float]:
    empty = tp + fp + fn == 0
    return {
        "ap": share_of(tp, tp + fp + fn, empty),
        "precision": share_of(tp, tp + fp, empty),
        "recall": share_of(tp, tp + fn, empty),
        "f1": share_of(2 * tp, 2 * tp + fp + fn, empty),
        "mean_matched_iou": iou_sum / tp if tp else float("nan"),
        "panoptic_quality": share_of(2 * iou_sum, 2 * tp + fp + fn, empty),
    }


def _percent(error: Any, n_true: Any) -> float | None:
    return None if pd.isna(n_true) or n_true == 0 else float(100 * error / n_true)


def _pooled_matches(thresholds: pd.DataFrame) -> dict[str, float]:
    """Return the pooled matching scores of one group from its rows of the table of thresholds."""
    if thresholds.empty:
        return {}
    at = thresholds.set_index("iou")
    found = {f"{name}_{round(100 * iou)}": float(at[name][iou]) for iou in HEADLINE_IOUS for name in MATCHES}
    return found | {"ap_mean": float(at["ap"].mean())}


def _pooled_areas(images: pd.DataFrame) -> dict[str, Any]:
    """Return the scores of pixels, boundaries and AJI of all images together."""
    sums = {name: images[name].sum(min_count=1) for name in SUMS}
    row: dict[str, Any] = {}
    if not pd.isna(sums["pixel_tp"]):
        pixels = score_pixel_counts(*(int(sums[f"pixel_{name}"]) for name in ("tp", "fp", "fn")))
        row |= {f"pixel_{name}": getattr(pixels, name) for name in ("precision", "recall", "f2", "iou", "dice")}
    if not pd.isna(sums["aji_union_px"]):
        row["aji"] = Jaccard(int(sums["aji_intersection_px"]), int(sums["aji_union_px"])).value
        near = {name: int(sums[name]) for name in SUMS[5:]}
        boundary = BoundaryScores(
            near_predicted=near["boundary_near_predicted_px"],
            n_predicted=near["boundary_predicted_px"],
            near_true=near["boundary_near_true_px"],
            n_true=near["boundary_true_px"],
        )
        row |= boundary_row(boundary)
    return row


def _count_errors(counted: pd.DataFrame) -> dict[str, Any]:
    true, predicted = counted["n_true"].to_numpy(np.float64), counted["n_predicted"].to_numpy(np.float64)
    error, some = predicted - true, true > 0
    return {
        "n_true": int(true.sum()),
        "n_predicted": int(predicted.sum()),
        "mae": float(np.abs(error).mean()) if error.size else None,
        "mape_percent": float((100 * np.abs(error[some]) / true[some]).mean()) if some.any() else None,
        "bias": float(error.mean()) if error.size else None,
    }
