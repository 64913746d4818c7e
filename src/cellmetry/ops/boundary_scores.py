"""Boundary F-score: how much of the outlines of two segmentations lies within a tolerance of each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import edt
import numpy as np

from cellmetry.errors import LabelsError, ParameterError
from cellmetry.ops.matching import share_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["BoundaryScores", "boundary_pixels", "score_boundaries"]


class BoundaryScores(NamedTuple):
    """Boundary pixels near those of the other segmentation; sums over images may be added.

    Parameters
    ----------
    near_predicted, n_predicted
        Predicted boundary pixels within the tolerance of a true one, and all.
    near_true, n_true
        True boundary pixels within the tolerance of a predicted one, and all.
    """

    near_predicted: int
    n_predicted: int
    near_true: int
    n_true: int

    @property
    def precision(self) -> float:
        """Share of the predicted boundary that is near a true one."""
        return share_of(self.near_predicted, self.n_predicted, self._empty)

    @property
    def recall(self) -> float:
        """Share of the true boundary that is near a predicted one."""
        return share_of(self.near_true, self.n_true, self._empty)

    @property
    def f1(self) -> float:
        """2·precision·recall/(precision+recall), the boundary F-score."""
        precision, recall = self.precision, self.recall
        return share_of(2 * precision * recall, precision + recall, empty=False)

    @property
    def _empty(self) -> bool:
        return self.n_predicted == self.n_true == 0


def boundary_pixels(labels: NDArray[Any]) -> NDArray[np.bool_]:
    """Return the pixels of objects with a neighbour (along an axis) that is not of the same object.

    Objects that touch have their boundary where they touch; the edge of the image is none.
    """
    edge = np.zeros(labels.shape, bool)
    for axis in range(labels.ndim):
        before, after = _along(axis, labels.ndim)
        differ = labels[before] != labels[after]
        edge[before] |= differ
        edge[after] |= differ
    edge &= labels != 0
    return edge


def _along(axis: int, ndim: int) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    whole = [slice(None)] * ndim
    before, after = whole.copy(), whole.copy()
    before[axis], after[axis] = slice(None, -1), slice(1, None)
    return tuple(before), tuple(after)


def score_boundaries(
    truth: NDArray[Any], predicted: NDArray[Any], *, tolerance_px: float = 2.0, where: NDArray[np.bool_] | None = None
) -> BoundaryScores:
    """Return how much of the boundaries lies within `tolerance_px` (Euclidean) of those of the other segmentation.

    The boundary F-score of Csurka et al. (2013, *What is a good evaluation measure for semantic segmentation?*), over
    the boundaries of objects. Only boundary pixels where `where` is true are counted, but near to any.

    Raises
    ------
    LabelsError
        If the shapes differ.
    """
    if truth.shape != predicted.shape:
        raise LabelsError(f"Two label images of shapes {truth.shape} and {predicted.shape} cannot be compared.")
    if not tolerance_px >= 0:
        raise ParameterError(f"The tolerance of boundaries must be 0 pixels or more, not {tolerance_px}.")
    true_edge, predicted_edge = boundary_pixels(truth), boundary_pixels(predicted)
    inside: Any = True if where is None else where
    asked_true, asked_predicted = true_edge & inside, predicted_edge & inside
    return BoundaryScores(
        near_predicted=_count_near(asked_predicted, true_edge, tolerance_px),
        n_predicted=int(np.count_nonzero(asked_predicted)),
        near_true=_count_near(asked_true, predicted_edge, tolerance_px),
        n_true=int(np.count_nonzero(asked_true)),
    )


def _count_near(asked: NDArray[np.bool_], edge: NDArray[np.bool_], tolerance_px: float) -> int:
    """Return how many of the pixels `asked` lie within the tolerance of `edge`."""
    if not edge.any() or not asked.any():
        return 0
    squares: NDArray[np.float32] = edt.edtsq(np.ascontiguousarray(~edge), black_border=False, parallel=1)
    return int(np.count_nonzero(squares[asked] <= tolerance_px**2))
