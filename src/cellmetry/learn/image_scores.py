"""`image_scores`: everything that is said about one predicted image against its truth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from pydantic import Field

from cellmetry.core.step import Parameters
from cellmetry.errors import LabelsError
from cellmetry.ops.boundary_scores import BoundaryScores, score_boundaries
from cellmetry.ops.matching import Matching, match_overlaps
from cellmetry.ops.overlaps import count_overlaps
from cellmetry.ops.patches import count_in_patches, label_centroids
from cellmetry.ops.scores import Jaccard, PixelScores, aggregated_jaccard, find_parts, score_pixels

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

__all__ = [
    "IOUS",
    "Counts",
    "ImageScores",
    "ObjectErrors",
    "ScoreOptions",
    "foreground_scores",
    "image_scores",
    "keep_annotated",
    "point_scores",
]

IOUS = tuple(round(0.5 + 0.05 * step, 2) for step in range(10))
"""Thresholds of intersection over union: 0.50, 0.55 … 0.95."""

ErrorKind = Literal["missed", "extra", "split", "merged"]


class ScoreOptions(Parameters):
    """What can be chosen about scores; everything else is fixed, so that scores of different people compare."""

    tolerance_px: float = Field(
        2.0, ge=0, description="How far boundaries may lie apart and still count as the same, in pixels."
    )
    patch_px: int = Field(256, ge=1, description="Side of the squares in which objects are counted, in pixels.")


class Counts(NamedTuple):
    """How many objects there are in each square of the image, in the truth and in the prediction, int64 (Y, X)."""

    true: NDArray[np.int64]
    predicted: NDArray[np.int64]


class ObjectErrors(NamedTuple):
    """What is wrong with the objects of one of the two label images.

    Parameters
    ----------
    ids
        Every object that was not found as it should, ascending, uint32.
    kinds
        ``missed``, ``extra``, ``split`` or ``merged``, of each.
    areas
        Pixels of each.
    points
        Centroid (y, x) of each in pixels, shape (n, 2).
    """

    ids: NDArray[np.uint32]
    kinds: tuple[ErrorKind, ...]
    areas: NDArray[np.int64]
    points: NDArray[np.float64]


@dataclass(frozen=True)
class ImageScores:
    """The scores of one image; what its kind of truth cannot tell is None or empty.

    Parameters
    ----------
    matchings
        At each threshold of `IOUS`, or those asked for.
    pixels, jaccard, boundary
        Foreground pixels, aggregated Jaccard index, boundaries.
    counts
        Objects in each square.
    n_split, n_merged
        True objects that the prediction cuts into parts; predicted objects that hold several true ones.
    true_errors, predicted_errors
        What is wrong, object by object, at the first threshold.
    """

    matchings: tuple[Matching, ...] = ()
    pixels: PixelScores | None = None
    jaccard: Jaccard | None = None
    boundary: BoundaryScores | None = None
    counts: Counts | None = None
    n_split: int | None = None
    n_merged: int | None = None
    true_errors: ObjectErrors | None = None
    predicted_errors: ObjectErrors | None = None

    def at(self, iou: float) -> Matching:
        """Return the matching at the threshold `iou`."""
        return next(matching for matching in self.matchings if np.isclose(matching.iou, iou))

    @property
    def mean_ap(self) -> float:
        """Mean AP over the thresholds."""
        return float(np.mean([matching.ap for matching in self.matchings]))


def image_scores(
    truth: NDArray[Any],
    predicted: NDArray[Any],
    *,
    annotated: NDArray[np.bool_] | None = None,
    ious: Iterable[float] = IOUS,
    options: ScoreOptions | None = None,
) -> ImageScores:
    """Return the scores of a predicted label image, shape (Y, X), against the true one.

    Where only the AP is wanted, `ops.matching.match_thresholds` is faster.

    Parameters
    ----------
    annotated
        Where the truth was drawn. Objects (of either image) with more than half of their pixels elsewhere are
        ignored, and of the others only the pixels here are compared.

    Raises
    ------
    LabelsError
        If the shapes differ or the values are not whole numbers.
    """
    options = options or ScoreOptions()
    _check_shapes(truth, predicted, annotated)
    if annotated is not None:
        truth, predicted = keep_annotated(truth, annotated), keep_annotated(predicted, annotated)
    boundary = score_boundaries(truth, predicted, tolerance_px=options.tolerance_px, where=annotated)
    if annotated is not None:
        truth, predicted = truth * annotated, predicted * annotated
    overlaps = count_overlaps(truth, predicted)
    matchings = tuple(match_overlaps(overlaps, iou) for iou in ious)
    split, merged = find_parts(overlaps, of="first"), find_parts(overlaps, of="second")
    true_ids, true_points = label_centroids(truth)
    predicted_ids, predicted_points = label_centroids(predicted)
    pairs = matchings[0].pairs
    sides = (
        _Side(true_ids, overlaps.first_areas, true_points, pairs[:, 0], split.wholes, merged.parts),
        _Side(predicted_ids, overlaps.second_areas, predicted_points, pairs[:, 1], split.parts, merged.wholes),
    )
    return ImageScores(
        matchings=matchings,
        pixels=score_pixels(truth > 0, predicted > 0, annotated),
        jaccard=aggregated_jaccard(overlaps),
        boundary=boundary,
        counts=_counts(true_points, predicted_points, truth.shape, options),
        n_split=split.wholes.size,
        n_merged=merged.wholes.size,
        true_errors=_errors(sides[0], "missed"),
        predicted_errors=_errors(sides[1], "extra"),
    )


def foreground_scores(
    truth: NDArray[np.bool_], predicted: NDArray[Any], annotated: NDArray[np.bool_] | None = None
) -> ImageScores:
    """Return the scores of labels against a foreground mask: those of pixels only."""
    _check_shapes(truth, predicted, annotated)
    if annotated is not None:
        predicted = keep_annotated(predicted, annotated)
    return ImageScores(pixels=score_pixels(truth, predicted > 0, annotated))


def point_scores(
    points_yx: NDArray[np.float64],
    predicted: NDArray[Any],
    annotated: NDArray[np.bool_] | None = None,
    options: ScoreOptions | None = None,
) -> ImageScores:
    """Return the scores of labels against points, one an object: those of counts only."""
    if annotated is not None:
        _check_shapes(annotated, predicted, None)
        places = np.clip(np.rint(points_yx).astype(int), 0, np.array(annotated.shape) - 1)
        points_yx = points_yx[annotated[places[:, 0], places[:, 1]]]
        predicted = keep_annotated(predicted, annotated)
    predicted_points = label_centroids(predicted)[1]
    return ImageScores(counts=_counts(points_yx, predicted_points, predicted.shape, options or ScoreOptions()))


def keep_annotated(labels: NDArray[Any], annotated: NDArray[np.bool_]) -> NDArray[Any]:
    """Return `labels` without the objects that have more than half of their pixels where nothing was annotated."""
    overlaps = count_overlaps(labels, annotated)
    inside = np.zeros(overlaps.first_ids.size, np.int64)
    inside[overlaps.rows] = overlaps.pixels
    ignored = overlaps.first_ids[2 * inside < overlaps.first_areas]
    return np.where(np.isin(labels, ignored), 0, labels)


class _Side(NamedTuple):
    """The objects of one of the two images, and which of them matched, are parts of a split, or were merged."""

    ids: NDArray[np.uint32]
    areas: NDArray[np.int64]
    points: NDArray[np.float64]
    matched: NDArray[np.uint32]
    split: NDArray[np.uint32]
    merged: NDArray[np.uint32]


def _errors(side: _Side, otherwise: ErrorKind) -> ObjectErrors:
    """Return what is wrong: split wins over merged, merged over `otherwise` (no partner)."""
    kinds = np.full(side.ids.size, "", object)
    kinds[~np.isin(side.ids, side.matched)] = otherwise
    kinds[np.isin(side.ids, side.merged)] = "merged"
    kinds[np.isin(side.ids, side.split)] = "split"
    wrong = np.flatnonzero(kinds != "")
    return ObjectErrors(side.ids[wrong], tuple(kinds[wrong].tolist()), side.areas[wrong], side.points[wrong])


def _counts(
    true: NDArray[np.float64], predicted: NDArray[np.float64], shape: tuple[int, ...], options: ScoreOptions
) -> Counts:
    height, width = shape
    grids = [count_in_patches(points, (height, width), side_px=options.patch_px) for points in (true, predicted)]
    return Counts(*grids)


def _check_shapes(truth: NDArray[Any], predicted: NDArray[Any], annotated: NDArray[Any] | None) -> None:
    for name, other in (("prediction", predicted), ("annotated region", annotated)):
        if other is not None and other.shape != truth.shape:
            raise LabelsError(f"The truth has the shape {truth.shape}, the {name} {other.shape}; they must be equal.")
