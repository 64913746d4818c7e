"""Boundary F-score: cases done by hand, and what must hold for any labels."""

from __future__ import annotations

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cellmetry.errors import LabelsError, ParameterError
from cellmetry.ops.boundary_scores import boundary_pixels, score_boundaries

small_labels = hnp.arrays(np.uint32, (7, 8), elements=st.integers(0, 3))


def square(at: int, side: int = 10, shape: tuple[int, int] = (40, 40)) -> np.ndarray:
    labels = np.zeros(shape, int)
    labels[at : at + side, at : at + side] = 1
    return labels


def test_boundary_is_the_rim_and_where_objects_touch_but_not_the_image_edge():
    labels = np.array([[1, 1, 2, 2], [1, 1, 2, 2], [1, 1, 2, 2]])
    assert boundary_pixels(labels).tolist() == [[False, True, True, False]] * 3
    assert boundary_pixels(square(5)).sum() == 36


def test_a_shift_within_the_tolerance_is_forgiven():
    truth = square(10)
    assert score_boundaries(truth, square(11), tolerance_px=2).f1 == 1
    apart = score_boundaries(truth, square(25), tolerance_px=2)
    assert (apart.precision, apart.recall, apart.f1) == (0, 0, 0)


def test_by_hand_without_tolerance():
    """A square of side 10 grown by one row downwards: its lower rim of 10 is new, of the old rim 8 are inside."""
    truth, predicted = square(10), square(10)
    predicted[20, 10:20] = 1
    found = score_boundaries(truth, predicted, tolerance_px=0)
    assert (found.n_true, found.n_predicted) == (36, 38)
    assert (found.near_true, found.near_predicted) == (28, 28)
    assert found.f1 == pytest.approx(2 * (28 / 36) * (28 / 38) / (28 / 36 + 28 / 38))


def test_only_the_asked_part_is_counted():
    truth, predicted = square(10), np.zeros((40, 40), int)
    where = np.zeros(truth.shape, bool)
    where[30:] = True
    assert score_boundaries(truth, predicted, where=where).f1 == 1
    assert score_boundaries(truth, predicted).f1 == 0


@given(small_labels, small_labels, st.floats(0, 4))
def test_symmetric_bounded_and_growing_with_the_tolerance(truth, predicted, tolerance):
    there = score_boundaries(truth, predicted, tolerance_px=tolerance)
    back = score_boundaries(predicted, truth, tolerance_px=tolerance)
    assert (there.precision, there.recall) == (back.recall, back.precision)
    assert 0 <= there.f1 <= 1
    assert there.f1 <= score_boundaries(truth, predicted, tolerance_px=tolerance + 1).f1 + 1e-12


@given(small_labels, st.permutations(range(1, 4)))
def test_names_do_not_matter_and_itself_is_perfect(labels, order):
    renamed = np.concatenate([[0], np.array(order) * 100])[labels]
    assert score_boundaries(labels, renamed, tolerance_px=0).f1 == 1


def test_refusals():
    with pytest.raises(LabelsError, match="cannot be compared"):
        score_boundaries(np.zeros((2, 2), int), np.zeros((2, 3), int))
    with pytest.raises(ParameterError, match="tolerance"):
        score_boundaries(square(1), square(1), tolerance_px=-1)
