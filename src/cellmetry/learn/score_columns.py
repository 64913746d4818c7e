"""What every column of an evaluation's tables means."""

from __future__ import annotations

from cellmetry.core.columns import Column

__all__ = ["AVERAGES", "EMPTY_RULE", "columns_of"]

_OURS = "Cellmetry"
_DSB = "Data Science Bowl 2018; StarDist, Cellpose"
_PQ = "Kirillov et al. 2019, doi:10.1109/CVPR.2019.00963"
_AJI = "Kumar et al. 2017, doi:10.1109/TMI.2017.2677499"
_BF = "Csurka et al. 2013"
_COMMON = "precision and recall"

AVERAGES = ("images", "objects")
"""How several images become one number: the mean of the images' scores, or the score of all objects together."""

EMPTY_RULE = "Where neither truth nor prediction has anything to score, scores are 1; where only one has, they are 0."

_COLUMNS = (
    Column("prediction", "", "Name of the prediction.", _OURS),
    Column("image", "", "Name of the image.", _OURS),
    Column("modality", "", "Kind of microscopy, as the data set says; all is every image together.", _OURS),
    Column("truth", "", "Kind of truth: labels; points (scores of counts only); foreground (of pixels only).", _OURS),
    Column("average", "", "images: mean of the images' scores; objects: score of all objects pooled.", _OURS),
    Column("n_images", "1", "Number of images.", _OURS),
    Column("n_true", "1", "Number of true objects.", _OURS),
    Column("n_predicted", "1", "Number of predicted objects.", _OURS),
    Column("count_error", "1", "n_predicted − n_true.", _OURS),
    Column("count_error_percent", "%", "100 · count_error / n_true; empty where there is no true object.", _OURS),
    Column("iou", "1", "Threshold: a pair of objects matches at this intersection over union or more.", _COMMON),
    Column("tp", "1", "Matched pairs, as many as a one-to-one matching can have (Hungarian method).", _COMMON),
    Column("fp", "1", "Predicted objects without a partner.", _COMMON),
    Column("fn", "1", "True objects without a partner.", _COMMON),
    Column("ap", "1", "TP/(TP+FP+FN).", _DSB),
    Column("precision", "1", "TP/(TP+FP).", _COMMON),
    Column("recall", "1", "TP/(TP+FN).", _COMMON),
    Column("f1", "1", "2·TP/(2·TP+FP+FN).", _COMMON),
    Column("mean_matched_iou", "1", "Mean IoU of the matched pairs; empty where there is none.", _OURS),
    Column("panoptic_quality", "1", "Sum of the pairs' IoU / (TP+FP/2+FN/2).", _PQ),
    Column("iou_sum", "1", "Sum of the IoU of the matched pairs.", _OURS),
    Column("ap_mean", "1", "Mean AP over the thresholds 0.50, 0.55 … 0.95.", _DSB),
    Column("aji", "1", "Aggregated Jaccard index.", _AJI),
    Column("n_split", "1", "True objects cut into parts: two or more predicted ones lie mostly inside.", _OURS),
    Column("n_merged", "1", "Predicted objects that hold two or more true ones, each mostly inside.", _OURS),
    Column("pixel_precision", "1", "Of foreground pixels: TP/(TP+FP).", _COMMON),
    Column("pixel_recall", "1", "Of foreground pixels: TP/(TP+FN).", _COMMON),
    Column("pixel_f2", "1", "Of foreground pixels: (1+4)·P·R/(4·P+R).", _COMMON),
    Column("pixel_iou", "1", "Of foreground pixels: TP/(TP+FP+FN).", _COMMON),
    Column("pixel_dice", "1", "Of foreground pixels: 2·TP/(2·TP+FP+FN).", _COMMON),
    Column("boundary_precision", "1", "Share of the predicted boundary within the tolerance of a true one.", _BF),
    Column("boundary_recall", "1", "Share of the true boundary within the tolerance of a predicted one.", _BF),
    Column("boundary_f1", "1", "2·P·R/(P+R) of the two.", _BF),
    Column("pixel_tp", "px", "Foreground pixels in both.", _COMMON),
    Column("pixel_fp", "px", "Foreground pixels only in the prediction.", _COMMON),
    Column("pixel_fn", "px", "Foreground pixels only in the truth.", _COMMON),
    Column("aji_intersection_px", "px", "Numerator of the AJI.", _AJI),
    Column("aji_union_px", "px", "Denominator of the AJI.", _AJI),
    Column("boundary_near_predicted_px", "px", "Predicted boundary near a true one.", _BF),
    Column("boundary_predicted_px", "px", "Predicted boundary.", _BF),
    Column("boundary_near_true_px", "px", "True boundary near a predicted one.", _BF),
    Column("boundary_true_px", "px", "True boundary.", _BF),
    Column("per", "", "image, or patch: a square of the grid, in which objects count by their centroid.", _OURS),
    Column("n", "1", "Number of images or patches.", _OURS),
    Column("mae", "1", "Mean absolute error of the count.", _OURS),
    Column("mape_percent", "%", "Mean of 100·|error|/truth over those with a true object.", _OURS),
    Column("bias", "1", "Mean of predicted − true count.", _OURS),
    Column("row", "1", "Row of the patch in its grid, from 0.", _OURS),
    Column("column", "1", "Column of the patch in its grid, from 0.", _OURS),
    Column("object_of", "", "Which label image the object belongs to: truth or prediction.", _OURS),
    Column("label", "", "Its id there.", _OURS),
    Column(
        "error",
        "",
        "missed or extra: no partner at IoU 0.5; split: true object in parts, or such a part; merged: predicted "
        "object that holds several, or such a one.",
        _OURS,
    ),
    Column("area_px", "px", "Its pixels.", _OURS),
    Column("centroid_y_px", "px", "Row of its centroid; the first row's centre is 0.", _OURS),
    Column("centroid_x_px", "px", "Column of its centroid; the first column's centre is 0.", _OURS),
)
_KNOWN = {column.name: column for column in _COLUMNS}


def columns_of(names: list[str]) -> list[Column]:
    """Return the description of each column; ``_50`` and ``_75`` at the end of a name are the IoU threshold."""
    return [_KNOWN.get(name) or _at_threshold(name) for name in names]


def _at_threshold(name: str) -> Column:
    stem, _, percent = name.rpartition("_")
    column = _KNOWN[stem]
    return column._replace(name=name, definition=f"At IoU {int(percent) / 100:.2f}: {column.definition}")
