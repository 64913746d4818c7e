"""Clean-up of labels: parts, holes, votes, the border rule."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cellmetry.core.image import Box
from cellmetry.ops.cleanup import areas, drop, fill_holes, fill_small_holes, inside_fraction, keep_largest_parts, smooth


def ring(shape: tuple[int, int] = (12, 12)) -> np.ndarray:
    labels = np.zeros(shape, np.int32)
    labels[2:10, 2:10] = 1
    labels[4:7, 4:7] = 0
    return labels


def test_only_the_largest_part_stays() -> None:
    labels = np.zeros((10, 10), np.int32)
    labels[:4, :4], labels[8:, 8:], labels[0, 9] = 5, 5, 7
    kept = keep_largest_parts(labels)
    assert areas(kept)[5] == 16
    assert areas(kept)[7] == 1


@given(arrays(np.int32, (9, 9), elements=st.integers(0, 3)))
def test_parts_of_one_id_are_one(labels: np.ndarray) -> None:
    kept = keep_largest_parts(labels)
    assert set(np.unique(kept[kept > 0])) == set(np.unique(labels[labels > 0]))
    np.testing.assert_array_equal(keep_largest_parts(kept), kept)


def test_a_hole_is_filled_with_its_object() -> None:
    assert (fill_holes(ring())[2:10, 2:10] == 1).all()


def test_a_gap_between_two_objects_stays() -> None:
    labels = ring()
    labels[:, 5:][labels[:, 5:] > 0] = 2
    assert fill_holes(labels)[5, 5] == 0


def test_an_object_inside_a_hole_keeps_it_open() -> None:
    labels = ring()
    labels[5, 5] = 2
    np.testing.assert_array_equal(fill_holes(labels), labels)


def test_a_gap_at_the_edge_stays() -> None:
    labels = ring()[4:, :]
    np.testing.assert_array_equal(fill_holes(labels), labels)


def test_small_holes_of_a_foreground_are_filled_large_ones_stay() -> None:
    foreground = ring() > 0
    assert fill_small_holes(foreground, 10)[5, 5]
    assert not fill_small_holes(foreground, 9)[5, 5]


def test_dropped_ids_are_background() -> None:
    labels = np.array([[0, 1, 2, 3]], np.int32)
    assert drop(labels, np.array([True, True, False, True])).tolist() == [[0, 1, 0, 3]]


def test_a_vote_removes_a_spike_and_keeps_a_square() -> None:
    labels = np.zeros((12, 12), np.int32)
    labels[3:9, 3:9], labels[5, 9:11] = 1, 1
    voted = smooth(labels, 2)
    assert voted[5, 10] == 0
    assert (voted[4:8, 4:8] == 1).all()
    np.testing.assert_array_equal(smooth(labels, 0), labels)


def test_border_rule_by_hand() -> None:
    """1 % of 1024 rows is 10: an object on rows 5–24 has a quarter of its rows in the border zone."""
    labels = np.zeros((60, 60), np.int32)
    labels[5:25, 20:40], labels[30:40, 30:40] = 1, 2
    share = inside_fraction(labels, Box(0, 60, 0, 60), (1024, 1024), 1.0)
    assert share[1] == 0.75
    assert share[2] == 1.0


def test_border_rule_counts_from_the_plane_not_the_tile() -> None:
    labels = np.ones((10, 10), np.int32)
    assert inside_fraction(labels, Box(100, 110, 200, 210), (1024, 1024), 1.0)[1] == 1.0
    assert inside_fraction(labels, Box(1014, 1024, 200, 210), (1024, 1024), 1.0)[1] == 0.0
    assert inside_fraction(labels, Box(0, 10, 0, 10), (1024, 1024), 0.0)[1] == 0.81
