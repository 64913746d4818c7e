"""Matching against cases done by hand and invariants that any matching keeps."""

from __future__ import annotations

from itertools import permutations

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellmetry.errors import LabelsError, ParameterError
from cellmetry.ops.matching import best_pairs, match_labels, match_thresholds

small_labels = hnp.arrays(np.uint32, (6, 7), elements=st.integers(0, 4))


@pytest.mark.parametrize("shape", [(0, 5), (3, 4), (2, 3, 4)])
def test_no_objects_agree(shape):
    nothing = np.zeros(shape, np.uint32)
    found = match_labels(nothing, nothing)
    assert (found.tp, found.fp, found.fn) == (0, 0, 0)
    assert (found.f1, found.ap, found.panoptic_quality) == (1, 1, 1)
    assert np.isnan(found.mean_matched_iou)


def test_one_side_empty():
    one = np.array([[1, 1], [0, 2]])
    missed = match_labels(one, np.zeros_like(one))
    assert (missed.tp, missed.fp, missed.fn, missed.f1, missed.precision) == (0, 0, 2, 0, 0)
    invented = match_labels(np.zeros_like(one), one)
    assert (invented.tp, invented.fp, invented.fn, invented.recall) == (0, 2, 0, 0)


def test_hand_made_case():
    truth = np.zeros((10, 10), int)
    truth[0:4, 0:4], truth[6:10, 0:4], truth[0:4, 6:10] = 1, 2, 3
    predicted = np.zeros_like(truth)
    predicted[0:4, 0:3], predicted[6:10, 0:4], predicted[8:10, 8:10] = 10, 20, 30
    found = match_labels(truth, predicted)
    assert (found.tp, found.fp, found.fn) == (2, 1, 1)
    assert found.pairs.tolist() == [[1, 10], [2, 20]]
    assert found.pair_ious.tolist() == [0.75, 1.0]
    assert found.precision == found.recall == found.f1 == pytest.approx(2 / 3)
    assert found.ap == 0.5
    assert found.mean_matched_iou == 0.875
    assert found.panoptic_quality == pytest.approx(1.75 / 3)
    strict = match_labels(truth, predicted, iou=0.8)
    assert (strict.tp, strict.fp, strict.fn) == (1, 2, 2)


def test_threshold_is_inclusive():
    assert match_labels(np.array([[1, 1]]), np.array([[1, 0]]), iou=0.5).tp == 1


def test_more_pairs_beat_one_better_pair():
    """Greedy matching would take the pair of 0.6 and strand the others."""
    rows, columns = np.array([0, 0, 1]), np.array([0, 1, 0])
    assert best_pairs(rows, columns, np.array([0.6, 0.2, 0.2])).tolist() == [1, 2]


def test_low_threshold_gives_each_object_one_partner():
    truth, predicted = np.array([[1, 1, 1, 2, 2, 2]]), np.array([[1, 1, 2, 2, 2, 2]])
    found = match_labels(truth, predicted, iou=0.1)
    assert found.pairs.tolist() == [[1, 1], [2, 2]]


@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.integers(0, 3), st.floats(0.01, 1)), max_size=10, unique_by=lambda e: e[:2]
    )
)
@settings(max_examples=60, deadline=None)
def test_assignment_is_as_good_as_trying_all(edges):
    edges.sort()
    rows = np.array([edge[0] for edge in edges], np.int64)
    columns = np.array([edge[1] for edge in edges], np.int64)
    weights = np.array([edge[2] for edge in edges])
    chosen = best_pairs(rows, columns, weights)
    assert len(set(rows[chosen])) == len(set(columns[chosen])) == chosen.size
    table = {(row, column): weight for row, column, weight in edges}
    tries = [[table[pair] for pair in enumerate(order) if pair in table] for order in permutations(range(4))]
    most, best = max((len(found), sum(found)) for found in tries)
    assert chosen.size == most
    assert weights[chosen].sum() == pytest.approx(best)


@given(small_labels)
@settings(max_examples=50, deadline=None)
def test_identity_is_perfect(labels):
    found = match_labels(labels, labels, iou=1.0)
    assert (found.fp, found.fn) == (0, 0)
    assert found.f1 == found.ap == found.panoptic_quality == 1
    assert np.array_equal(found.pairs[:, 0], found.pairs[:, 1])


@given(small_labels, small_labels, st.permutations(range(1, 5)), st.floats(0.05, 1))
@settings(max_examples=100, deadline=None)
def test_names_of_ids_do_not_matter(truth, predicted, order, iou):
    renamed = np.concatenate([[0], np.array(order) * 1000])[predicted]
    assert match_labels(truth, predicted, iou=iou)[1:10] == pytest.approx(
        match_labels(truth, renamed, iou=iou)[1:10], nan_ok=True
    )


@given(small_labels, small_labels, st.floats(0.05, 1))
@settings(max_examples=100, deadline=None)
def test_swapping_the_images_swaps_the_errors(truth, predicted, iou):
    there, back = match_labels(truth, predicted, iou=iou), match_labels(predicted, truth, iou=iou)
    assert (there.tp, there.fp, there.fn) == (back.tp, back.fn, back.fp)
    assert (there.f1, there.ap) == (back.f1, back.ap)
    assert there.panoptic_quality == pytest.approx(back.panoptic_quality)


@given(small_labels, small_labels)
@settings(max_examples=50, deadline=None)
def test_stricter_thresholds_match_fewer(truth, predicted):
    counts = [found.tp for found in match_thresholds(truth, predicted, (0.1, 0.3, 0.5, 0.7, 0.9, 1.0))]
    assert counts == sorted(counts, reverse=True)


def test_refusals():
    with pytest.raises(LabelsError, match=r"\(2, 2\) and \(2, 3\)"):
        match_labels(np.zeros((2, 2), int), np.zeros((2, 3), int))
    with pytest.raises(LabelsError, match="float64"):
        match_labels(np.zeros((2, 2)), np.zeros((2, 2)))
    with pytest.raises(ParameterError, match="IoU threshold"):
        match_labels(np.zeros((2, 2), int), np.zeros((2, 2), int), iou=0)
