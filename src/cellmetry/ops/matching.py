"""Matching of two label images: how well one segmentation agrees with another, object by object."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from cellmetry.errors import ParameterError
from cellmetry.ops.overlaps import count_overlaps

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from cellmetry.ops.overlaps import Overlaps

__all__ = ["Matching", "best_pairs", "match_labels", "match_overlaps", "match_thresholds", "share_of"]


class Matching(NamedTuple):
    """How the objects of a prediction match those of the truth at one IoU threshold.

    Where neither image has an object, precision, recall, F1, AP and panoptic quality are 1 (the images agree);
    where only one has, they are 0.

    Parameters
    ----------
    iou
        The threshold: a pair matches at this intersection over union or more.
    tp, fp, fn
        Matched pairs, predicted objects without a partner, true objects without a partner.
    precision, recall, f1
        TP/(TP+FP), TP/(TP+FN), 2·TP/(2·TP+FP+FN).
    ap
        TP/(TP+FP+FN), the average precision of the Data Science Bowl 2018 and of StarDist and Cellpose.
    mean_matched_iou
        Mean IoU of the matched pairs; NaN where there is none.
    panoptic_quality
        Sum of the pairs' IoU / (TP + FP/2 + FN/2) (Kirillov et al. 2019, doi:10.1109/CVPR.2019.00963).
    pairs
        True id and predicted id of each pair, shape (TP, 2), uint32, ordered by true id.
    pair_ious
        IoU of each pair, shape (TP,).
    """

    iou: float
    tp: int
    fp: int
    fn: int
    precision: float
    recall: float
    f1: float
    ap: float
    mean_matched_iou: float
    panoptic_quality: float
    pairs: NDArray[np.uint32]
    pair_ious: NDArray[np.float64]


def match_labels(truth: NDArray[Any], predicted: NDArray[Any], *, iou: float = 0.5) -> Matching:
    """Return the best one-to-one matching of two label images of equal shape (2-D or 3-D).

    The matching has as many pairs as possible, and of those matchings the largest summed IoU (Hungarian method).

    >>> import numpy as np
    >>> truth = np.array([[1, 1, 0, 2, 2]])
    >>> match_labels(truth, np.array([[7, 7, 0, 0, 9]])).tp
    2
    """
    return match_overlaps(count_overlaps(truth, predicted), iou)


def match_thresholds(
    truth: NDArray[Any], predicted: NDArray[Any], ious: Iterable[float] = (0.5, 0.6, 0.7, 0.75, 0.8, 0.9)
) -> tuple[Matching, ...]:
    """Return the matching at each IoU threshold; pixels are read once."""
    overlaps = count_overlaps(truth, predicted)
    return tuple(match_overlaps(overlaps, iou) for iou in ious)


def match_overlaps(overlaps: Overlaps, iou: float) -> Matching:
    """Return the matching of two label images whose overlaps are counted already, first the truth."""
    if not 0 < iou <= 1:
        raise ParameterError(f"The IoU threshold must be above 0 and at most 1, not {iou}.")
    values = overlaps.iou
    near = np.flatnonzero(values >= iou)
    pairs = near[best_pairs(overlaps.rows[near], overlaps.columns[near], values[near])]
    matched = values[pairs]
    n_true, n_predicted, tp = overlaps.first_ids.size, overlaps.second_ids.size, len(pairs)
    empty = n_true == n_predicted == 0
    return Matching(
        iou=iou,
        tp=tp,
        fp=n_predicted - tp,
        fn=n_true - tp,
        precision=share_of(tp, n_predicted, empty),
        recall=share_of(tp, n_true, empty),
        f1=share_of(2 * tp, n_true + n_predicted, empty),
        ap=share_of(tp, n_true + n_predicted - tp, empty),
        mean_matched_iou=float(matched.mean()) if tp else float("nan"),
        panoptic_quality=share_of(2 * float(matched.sum()), n_true + n_predicted, empty),
        pairs=np.column_stack([overlaps.first_ids[overlaps.rows[pairs]], overlaps.second_ids[overlaps.columns[pairs]]]),
        pair_ious=matched,
    )


def best_pairs(
    rows: NDArray[np.int64], columns: NDArray[np.int64], weights: NDArray[np.float64], *, per_pair: float = 1.0
) -> NDArray[np.int64]:
    """Return which of the candidate pairs form the best one-to-one matching, as ascending indices.

    Candidates that share no row or column with others are taken as they stand; the rest is solved block by
    connected block.

    Parameters
    ----------
    weights
        How good each pair is, above 0 and at most 1.
    per_pair
        1: best is the largest number of pairs, then the largest summed weight. 0: the largest summed weight.
    """
    if not rows.size:
        return np.zeros(0, np.int64)
    lonely = (np.bincount(rows)[rows] == 1) & (np.bincount(columns)[columns] == 1)
    chosen = [np.flatnonzero(lonely)]
    tangled = np.flatnonzero(~lonely)
    for block in _blocks(rows[tangled], columns[tangled]):
        edges = tangled[block]
        smaller = min(np.unique(rows[edges]).size, np.unique(columns[edges]).size)
        chosen.append(edges[_assign(rows[edges], columns[edges], per_pair + weights[edges] / (2 * smaller))])
    return np.sort(np.concatenate(chosen))


def _blocks(rows: NDArray[np.int64], columns: NDArray[np.int64]) -> list[NDArray[np.intp]]:
    """Return the edges of each connected block of the bipartite graph."""
    if not rows.size:
        return []
    n_rows, n_columns = int(rows.max()) + 1, int(columns.max()) + 1
    size = n_rows + n_columns
    graph = coo_array((np.ones(rows.size, bool), (rows, columns + n_rows)), shape=(size, size))
    block = connected_components(graph, directed=False)[1][rows]
    order = np.argsort(block, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(block[order])) + 1)


def _assign(rows: NDArray[np.int64], columns: NDArray[np.int64], worths: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return the edges of one block's best assignment."""
    row_ids, row = np.unique(rows, return_inverse=True)
    column_ids, column = np.unique(columns, return_inverse=True)
    table = np.zeros((row_ids.size, column_ids.size))
    edge = np.full(table.shape, -1, np.intp)
    table[row, column], edge[row, column] = worths, np.arange(rows.size)
    found: NDArray[np.intp] = edge[linear_sum_assignment(table, maximize=True)]
    return found[found >= 0]


def share_of(part: float, whole: float, empty: bool) -> float:
    """Return `part` / `whole`: 1 where there is nothing to score (`empty`), 0 where only `whole` is nothing."""
    if empty:
        return 1.0
    return part / whole if whole else 0.0
