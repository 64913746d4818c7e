"""Edges of objects as a target: exact width, both edges where objects touch, any id."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from cellmetry.errors import ParameterError
from cellmetry.ops.boundaries import boundary_targets


@pytest.mark.parametrize("width", [1, 2, 3])
def test_a_straight_edge_is_exactly_as_wide_as_asked(width: int) -> None:
    labels = np.zeros((40, 40), np.int32)
    labels[10:30, 10:30] = 1
    edge = boundary_targets(labels, width_px=width)
    assert edge[20, 10 : 10 + width].all()
    assert not edge[20, 10 + width : 30 - width].any()
    assert edge.sum() == 20**2 - (20 - 2 * width) ** 2
    assert not edge[labels == 0].any()


def test_each_of_two_touching_objects_has_an_edge_of_its_own() -> None:
    labels = np.ones((20, 20), np.int32)
    labels[:, 10:] = 2
    edge = boundary_targets(labels)
    assert edge[:, 9:11].all()
    assert edge.sum() == 40, "the border of the image is no edge"


@pytest.mark.parametrize("ids", [(1, 257), (255, 256), (65535, 65536), (300, 70000)])
def test_ids_beyond_8_and_16_bits_have_edges_too(ids: tuple[int, int]) -> None:
    labels = np.zeros((12, 24), np.uint32)
    labels[2:10, 2:12], labels[2:10, 12:22] = ids
    small = np.searchsorted((0, *ids), labels).astype(np.int32)
    assert np.array_equal(boundary_targets(labels), boundary_targets(small))
    assert boundary_targets(labels)[5, 11:13].all()


def _by_hand(labels: np.ndarray, width: float) -> np.ndarray:
    edge = np.zeros(labels.shape, bool)
    for y, x in np.argwhere(labels):
        others = np.argwhere(labels != labels[y, x])
        edge[y, x] = len(others) > 0 and np.hypot(*(others - (y, x)).T).min() <= width + 1e-6
    return edge


@settings(deadline=None, max_examples=40)
@given(
    arrays(np.int32, array_shapes(min_dims=2, max_dims=2, max_side=9), elements=st.integers(0, 4)),
    st.sampled_from([1.0, 1.5, 2.0, 3.0]),
)
def test_edges_agree_with_distances_measured_one_by_one(labels: np.ndarray, width: float) -> None:
    assert np.array_equal(boundary_targets(labels, width_px=width), _by_hand(labels, width))


def test_an_image_without_objects_has_no_edges() -> None:
    assert not boundary_targets(np.zeros((9, 9), np.int32)).any()


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(ParameterError, match="at least 1 pixel wide, not 0"):
        boundary_targets(np.zeros((4, 4), np.int32), width_px=0)
    with pytest.raises(ParameterError, match="one plane of whole numbers, not float64"):
        boundary_targets(np.zeros((4, 4)))
