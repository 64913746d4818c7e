"""Tables of an evaluation, row by row as images come."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cellmetry.learn.dataset import Item
    from cellmetry.learn.image_scores import ImageScores, ObjectErrors
    from cellmetry.ops.boundary_scores import BoundaryScores
    from cellmetry.ops.scores import Jaccard

__all__ = [
    "COUNTS",
    "HEADLINE_IOUS",
    "MATCHES",
    "MATCH_SUMS",
    "MEANS",
    "SUMS",
    "ScoreRows",
    "boundary_row",
    "make_table",
]

MATCHES = ("ap", "precision", "recall", "f1", "mean_matched_iou", "panoptic_quality")
MATCH_SUMS = ("tp", "fp", "fn", "iou_sum")
HEADLINE_IOUS = (0.5, 0.75)
COUNTS = ("n_true", "n_predicted", "count_error", "n_split", "n_merged", "tp_50", "fp_50", "fn_50")
MEANS = (
    *(f"{name}_{round(100 * iou)}" for iou in HEADLINE_IOUS for name in MATCHES),
    *("ap_mean", "aji", "pixel_precision", "pixel_recall", "pixel_f2", "pixel_iou", "pixel_dice"),
    *("boundary_precision", "boundary_recall", "boundary_f1"),
)
SUMS = (
    *("pixel_tp", "pixel_fp", "pixel_fn", "aji_intersection_px", "aji_union_px"),
    *("boundary_near_predicted_px", "boundary_predicted_px", "boundary_near_true_px", "boundary_true_px"),
)
_IMAGE = ("image", "modality", "truth", *COUNTS[:3], "count_error_percent", *COUNTS[3:], *MEANS, *SUMS)
_MATCH_COLUMNS = ("image", "modality", "iou", *MATCH_SUMS[:3], *MATCHES, "iou_sum")
_PATCHES = ("image", "modality", "row", "column", "n_true", "n_predicted")
_ERRORS = ("image", "modality", "object_of", "label", "error", "area_px", "centroid_y_px", "centroid_x_px")
_WHOLE = {*COUNTS, *SUMS, "tp", "fp", "fn", "row", "column", "label", "area_px", "n", "n_images"}


class ScoreRows:
    """Collects the rows of one image after the other; nothing else of an image is kept."""

    def __init__(self) -> None:
        self.rows: dict[str, list[dict[str, Any]]] = {"images": [], "matches": [], "patches": [], "errors": []}

    def add(self, item: Item, scores: ImageScores) -> None:
        """Add the scores of an item."""
        named = {"image": item.name, "modality": item.modality}
        self.rows["images"].append(named | {"truth": item.kind} | _image_row(scores))
        self.rows["matches"] += [named | row for row in _match_rows(scores)]
        self.rows["patches"] += [named | row for row in _patch_rows(scores)]
        for side, errors in (("truth", scores.true_errors), ("prediction", scores.predicted_errors)):
            if errors is not None:
                self.rows["errors"] += [named | row for row in _error_rows(side, errors)]

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return the tables ``images``, ``matches`` (image × threshold), ``patches`` and ``errors`` (objects)."""
        names = {"images": _IMAGE, "matches": _MATCH_COLUMNS, "patches": _PATCHES, "errors": _ERRORS}
        return {name: make_table(self.rows[name], columns) for name, columns in names.items()}


def make_table(rows: Sequence[dict[str, Any]], columns: Sequence[str]) -> pd.DataFrame:
    """Return rows as a table with these columns, counts as whole numbers that may be missing."""
    table = pd.DataFrame(rows, columns=list(columns))
    text = {"image", "modality", "truth", "object_of", "error", "average", "per"}
    kinds = {name: "str" if name in text else "Int64" if name in _WHOLE else "float64" for name in columns}
    return table.astype({name: kind for name, kind in kinds.items() if name in table})


def _image_row(scores: ImageScores) -> dict[str, Any]:
    row: dict[str, Any] = {"n_split": scores.n_split, "n_merged": scores.n_merged}
    if scores.counts is not None:
        row |= _count_row(int(scores.counts.true.sum()), int(scores.counts.predicted.sum()))
    if scores.matchings:
        row["ap_mean"] = scores.mean_ap
        row |= {f"{name}_50": getattr(scores.at(0.5), name) for name in ("tp", "fp", "fn")}
        row |= {
            f"{name}_{round(100 * iou)}": getattr(scores.at(iou), name) for iou in HEADLINE_IOUS for name in MATCHES
        }
    if scores.pixels is not None:
        row |= {f"pixel_{name}": value for name, value in scores.pixels._asdict().items()}
    if scores.jaccard is not None:
        row |= _jaccard_row(scores.jaccard)
    if scores.boundary is not None:
        row |= boundary_row(scores.boundary)
    return row


def _count_row(n_true: int, n_predicted: int) -> dict[str, Any]:
    error = n_predicted - n_true
    percent = 100 * error / n_true if n_true else None
    return {"n_true": n_true, "n_predicted": n_predicted, "count_error": error, "count_error_percent": percent}


def _jaccard_row(jaccard: Jaccard) -> dict[str, Any]:
    return {"aji": jaccard.value, "aji_intersection_px": jaccard.intersection, "aji_union_px": jaccard.union}


def boundary_row(boundary: BoundaryScores) -> dict[str, Any]:
    """Return the columns of boundaries."""
    scores = {f"boundary_{name}": getattr(boundary, name) for name in ("precision", "recall", "f1")}
    near = {f"boundary_near_{side}_px": getattr(boundary, f"near_{side}") for side in ("predicted", "true")}
    return scores | near | {f"boundary_{side}_px": getattr(boundary, f"n_{side}") for side in ("predicted", "true")}


def _match_rows(scores: ImageScores) -> Iterator[dict[str, Any]]:
    for found in scores.matchings:
        named = {name: getattr(found, name) for name in ("iou", "tp", "fp", "fn", *MATCHES)}
        yield named | {"iou_sum": float(found.pair_ious.sum())}


def _patch_rows(scores: ImageScores) -> Iterator[dict[str, Any]]:
    if scores.counts is None:
        return
    for (row, column), n_true in np.ndenumerate(scores.counts.true):
        n_predicted = int(scores.counts.predicted[row, column])
        yield {"row": row, "column": column, "n_true": int(n_true), "n_predicted": n_predicted}


def _error_rows(side: str, errors: ObjectErrors) -> Iterator[dict[str, Any]]:
    for label, kind, area, (y, x) in zip(*errors, strict=True):
        place = {"centroid_y_px": float(y), "centroid_x_px": float(x)}
        yield {"object_of": side, "label": int(label), "error": kind, "area_px": int(area)} | place
