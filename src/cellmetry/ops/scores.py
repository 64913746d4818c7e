"""How well two segmentations agree beyond matched pairs: pixels, aggregated Jaccard, objects split and merged.

As in `matching`, two images without anything to score agree (1); where only one has something, they do not (0).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from cellmetry.errors import LabelsError, ParameterError
from cellmetry.ops.matching import share_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cellmetry.ops.overlaps import Overlaps

__all__ = ["Jaccard", "Parts", "PixelScores", "aggregated_jaccard", "find_parts", "score_pixel_counts", "score_pixels"]

_SMALLEST_PART = 0.1


class PixelScores(NamedTuple):
    """How the foreground of a prediction agrees with that of the truth, pixel by pixel.

    Parameters
    ----------
    tp, fp, fn
        Pixels in both, only in the prediction, only in the truth.
    precision, recall
        TP/(TP+FP), TP/(TP+FN).
    f2
        (1+4)·P·R/(4·P+R), which weighs recall higher than precision.
    iou, dice
        TP/(TP+FP+FN), 2·TP/(2·TP+FP+FN).
    """

    tp: int
    fp: int
    fn: int
    precision: float
    recall: float
    f2: float
    iou: float
    dice: float


def score_pixels(
    truth: NDArray[np.bool_], predicted: NDArray[np.bool_], where: NDArray[np.bool_] | None = None
) -> PixelScores:
    """Return the agreement of two foreground masks of equal shape, in the pixels where `where` is true.

    >>> import numpy as np
    >>> score_pixels(np.array([True, True, False]), np.array([True, False, False])).recall
    0.5
    """
    if truth.shape != predicted.shape:
        raise LabelsError(f"Two masks of shapes {truth.shape} and {predicted.shape} cannot be compared.")
    inside: Any = True if where is None else where
    tp = int(np.count_nonzero(truth & predicted & inside))
    n_true, n_predicted = int(np.count_nonzero(truth & inside)), int(np.count_nonzero(predicted & inside))
    return score_pixel_counts(tp, n_predicted - tp, n_true - tp)


def score_pixel_counts(tp: int, fp: int, fn: int) -> PixelScores:
    """Return the scores of so many pixels in both, only in the prediction, only in the truth."""
    empty = tp + fp + fn == 0
    return PixelScores(
        tp=tp,
        fp=fp,
        fn=fn,
        precision=share_of(tp, tp + fp, empty),
        recall=share_of(tp, tp + fn, empty),
        f2=share_of(5 * tp, 5 * tp + 4 * fn + fp, empty),
        iou=share_of(tp, tp + fp + fn, empty),
        dice=share_of(2 * tp, 2 * tp + fp + fn, empty),
    )


class Jaccard(NamedTuple):
    """Sums of which the aggregated Jaccard index is the ratio; sums over images may be added.

    Parameters
    ----------
    intersection, union
        In pixels.
    """

    intersection: int
    union: int

    @property
    def value(self) -> float:
        """The index, from 0 to 1; 1 where there is no object."""
        return share_of(self.intersection, self.union, self.union == 0)


def aggregated_jaccard(overlaps: Overlaps) -> Jaccard:
    """Return the aggregated Jaccard index (AJI; Kumar et al. 2017, doi:10.1109/TMI.2017.2677499), first the truth.

    Each true object is paired with the predicted one of highest IoU (of equal ones, that of the lowest id), which
    may serve several; predicted objects that serve none add their area to the union.
    """
    order = np.lexsort((overlaps.columns, -overlaps.iou, overlaps.rows))
    _, first = np.unique(overlaps.rows[order], return_index=True)
    best = order[first]
    shared = int(overlaps.pixels[best].sum())
    alone = np.ones(overlaps.second_ids.size, bool)
    alone[overlaps.columns[best]] = False
    served = int(overlaps.second_areas[overlaps.columns[best]].sum())
    union = int(overlaps.first_areas.sum()) + served - shared + int(overlaps.second_areas[alone].sum())
    return Jaccard(shared, union)


class Parts(NamedTuple):
    """Objects of one segmentation that lie in several parts in the other.

    Parameters
    ----------
    wholes
        Ids of the objects that are in parts, ascending, uint32.
    parts
        Ids of their parts in the other segmentation, ascending, uint32.
    """

    wholes: NDArray[np.uint32]
    parts: NDArray[np.uint32]


def find_parts(overlaps: Overlaps, *, of: str, smallest: float = _SMALLEST_PART) -> Parts:
    """Return the objects of one segmentation that the other one cuts into two or more parts.

    A part is an object of which more than half lies in the whole, and which covers at least `smallest` of the
    whole, so that specks do not count. With the truth first, ``of="first"`` finds true objects that were split, and
    ``of="second"`` predicted objects in which true ones were merged.
    """
    if of not in ("first", "second"):
        raise ParameterError(f"of must be 'first' or 'second', not {of!r}.")
    first = of == "first"
    whole, part = (overlaps.rows, overlaps.columns) if first else (overlaps.columns, overlaps.rows)
    whole_ids, part_ids = (overlaps.first_ids, overlaps.second_ids)[:: 1 if first else -1]
    whole_areas, part_areas = (overlaps.first_areas, overlaps.second_areas)[:: 1 if first else -1]
    within = (2 * overlaps.pixels > part_areas[part]) & (overlaps.pixels >= smallest * whole_areas[whole])
    several = np.bincount(whole[within], minlength=whole_ids.size) >= 2
    chosen = within & several[whole]
    return Parts(whole_ids[several], np.unique(part_ids[part[chosen]]))
