"""Pixel scores, aggregated Jaccard, splits and merges: cases done by hand and invariants."""

from __future__ import annotations

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cellmetry.errors import LabelsError, ParameterError
from cellmetry.ops.overlaps import count_overlaps
from cellmetry.ops.scores import aggregated_jaccard, find_parts, score_pixels

small_labels = hnp.arrays(np.uint32, (6, 7), elements=st.integers(0, 4))
masks = hnp.arrays(bool, (5, 6))


def two_bars():
    """One true bar of 10 pixels, one of 4; the prediction splits the first into 6 and 3."""
    truth = np.zeros((4, 12), int)
    truth[0, :10], truth[2, :4] = 1, 2
    predicted = np.zeros_like(truth)
    predicted[0, :6], predicted[0, 7:10], predicted[2, 2:6] = 5, 6, 7
    return truth, predicted


def test_pixel_scores_by_hand():
    truth, predicted = two_bars()
    found = score_pixels(truth > 0, predicted > 0)
    assert (found.tp, found.fp, found.fn) == (11, 2, 3)
    assert found.precision == pytest.approx(11 / 13)
    assert found.recall == pytest.approx(11 / 14)
    p, r = found.precision, found.recall
    assert found.f2 == pytest.approx((1 + 4) * p * r / (4 * p + r))
    assert found.iou == pytest.approx(11 / 16)
    assert found.dice == pytest.approx(22 / 27)


def test_pixels_outside_do_not_count():
    truth, predicted = two_bars()
    where = np.zeros(truth.shape, bool)
    where[0] = True
    found = score_pixels(truth > 0, predicted > 0, where)
    assert (found.tp, found.fp, found.fn) == (9, 0, 1)


@pytest.mark.parametrize(("truth", "predicted", "score"), [(0, 0, 1.0), (1, 0, 0.0), (0, 1, 0.0)])
def test_nothing_agrees_with_nothing_only(truth, predicted, score):
    truth, predicted = np.full((3, 4), truth), np.full((3, 4), predicted)
    assert set(score_pixels(truth > 0, predicted > 0)[3:]) == {score}
    assert aggregated_jaccard(count_overlaps(truth, predicted)).value == score


@given(masks, masks)
def test_swapping_the_masks_swaps_the_errors(truth, predicted):
    there, back = score_pixels(truth, predicted), score_pixels(predicted, truth)
    assert (there.tp, there.fp, there.fn) == (back.tp, back.fn, back.fp)
    assert there[6:] == back[6:]
    assert all(0 <= score <= 1 for score in there[3:])
    assert there.iou <= there.dice


def test_aggregated_jaccard_by_hand():
    """Bar 1 pairs with the part of 6 (union 10), bar 2 with 7 (2 of 6 shared); the part of 3 is left over."""
    found = aggregated_jaccard(count_overlaps(*two_bars()))
    assert (found.intersection, found.union) == (6 + 2, 10 + 6 + 3)
    assert found.value == pytest.approx(8 / 19)


def test_a_missed_and_an_invented_object_enlarge_the_union():
    truth, predicted = np.array([[1, 1, 0, 2, 0, 0]]), np.array([[1, 1, 0, 0, 0, 9]])
    found = aggregated_jaccard(count_overlaps(truth, predicted))
    assert (found.intersection, found.union) == (2, 4)


def test_one_prediction_may_serve_two_true_objects():
    truth, predicted = np.array([[1, 1, 2, 2, 2]]), np.array([[4, 4, 4, 4, 4]])
    found = aggregated_jaccard(count_overlaps(truth, predicted))
    assert (found.intersection, found.union) == (5, 10)


@given(small_labels, small_labels)
def test_aggregated_jaccard_is_bounded_and_one_for_itself(truth, predicted):
    assert 0 <= aggregated_jaccard(count_overlaps(truth, predicted)).value <= 1
    assert aggregated_jaccard(count_overlaps(truth, truth)).value == 1


@given(small_labels, small_labels, st.integers(1, 9))
def test_aggregated_jaccard_knows_no_names(truth, predicted, step):
    """Ids are only compared in order, so names that keep the order change nothing."""
    named = aggregated_jaccard(count_overlaps(truth * step, predicted * (2 * step)))
    assert named == aggregated_jaccard(count_overlaps(truth, predicted))


def test_a_split_and_its_parts():
    overlaps = count_overlaps(*two_bars())
    split = find_parts(overlaps, of="first")
    assert (split.wholes.tolist(), split.parts.tolist()) == ([1], [5, 6])
    assert find_parts(overlaps, of="second").wholes.size == 0


def test_a_merge_is_a_split_seen_from_the_other_side():
    truth, predicted = two_bars()
    merged = find_parts(count_overlaps(predicted, truth), of="second")
    assert (merged.wholes.tolist(), merged.parts.tolist()) == ([1], [5, 6])


def test_specks_and_neighbours_that_reach_in_are_no_parts():
    truth = np.zeros((3, 40), int)
    truth[1, :20] = 1
    predicted = truth.copy()
    predicted[1, 19] = 2  # a speck of one pixel in twenty
    assert find_parts(count_overlaps(truth, predicted), of="first").wholes.size == 0
    predicted[1, 16:24] = 2  # half inside, half out
    assert find_parts(count_overlaps(truth, predicted), of="first").wholes.size == 0
    predicted[1, 15:24] = 2
    assert find_parts(count_overlaps(truth, predicted), of="first").wholes.tolist() == [1]


@given(small_labels, small_labels, st.permutations(range(1, 5)))
def test_splits_and_merges_mirror_and_know_no_names(truth, predicted, order):
    renamed = np.concatenate([[0], np.array(order) * 1000])[predicted]
    there, back = count_overlaps(truth, predicted), count_overlaps(predicted, truth)
    assert find_parts(there, of="first").wholes.tolist() == find_parts(back, of="second").wholes.tolist()
    other = find_parts(count_overlaps(truth, renamed), of="first")
    assert other.wholes.tolist() == find_parts(there, of="first").wholes.tolist()


def test_refusals():
    with pytest.raises(LabelsError, match=r"\(2, 2\) and \(2, 3\)"):
        score_pixels(np.zeros((2, 2), bool), np.zeros((2, 3), bool))
    with pytest.raises(ParameterError, match="'first' or 'second'"):
        find_parts(count_overlaps(*two_bars()), of="truth")
