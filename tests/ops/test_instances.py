"""Objects one by one, and how overlapping ones become one label image."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cellmetry.errors import ParameterError
from cellmetry.ops.instances import Instance, instance_from_mask, instances_of, paint_instances


def square(y: int, x: int, side: int) -> Instance:
    return Instance(y, x, np.ones((side, side), bool))


def test_smaller_objects_lie_on_top_whatever_the_order() -> None:
    big, small = square(0, 0, 6), square(1, 1, 2)
    for order in ((big, small), (small, big)):
        painted = paint_instances(order, (8, 8))
        assert sorted(np.bincount(painted.labels.ravel())[1:].tolist()) == [4, 32]
        assert painted.overlapped_px == 4
        assert painted.hidden == ()


def test_order_can_decide_and_hidden_objects_are_named() -> None:
    big, small = square(0, 0, 6), square(1, 1, 2)
    painted = paint_instances([small, big], (8, 8), overlap="later")
    assert painted.hidden == (1,)
    assert set(np.unique(painted.labels)) == {0, 2}
    assert paint_instances([small, big], (8, 8), overlap="earlier").hidden == ()


def test_a_pixel_claimed_by_many_counts_once() -> None:
    painted = paint_instances([square(0, 0, 2)] * 300, (2, 2))
    assert painted.overlapped_px == 4
    assert painted.hidden == tuple(range(1, 300))


def test_parts_outside_are_cut_and_what_is_wholly_outside_is_empty() -> None:
    painted = paint_instances([square(-1, -1, 3), square(9, 9, 2), square(-5, 2, 2), square(3, 3, 9)], (5, 5))
    assert painted.empty == (2, 3)
    assert painted.labels[:2, :2].tolist() == [[1, 1], [1, 1]]
    assert painted.labels[3:, 3:].tolist() == [[4, 4], [4, 4]]
    assert np.count_nonzero(painted.labels) == 8


def test_an_unknown_rule_is_refused() -> None:
    with pytest.raises(ParameterError, match="smaller"):
        paint_instances([], (2, 2), overlap="best")  # type: ignore[arg-type]


@given(arrays(np.int32, st.tuples(st.integers(1, 9), st.integers(1, 9)), elements=st.sampled_from([0, 1, 3, 70_000])))
def test_taking_apart_and_painting_gives_the_same_labels(labels: np.ndarray) -> None:
    ids, parts = zip(*instances_of(labels), strict=True) if labels.any() else ((), ())
    painted = paint_instances(parts, labels.shape)
    assert np.array_equal(np.array([0, *ids])[painted.labels], labels)
    assert painted.overlapped_px == 0


def test_a_mask_is_cut_to_its_pixels() -> None:
    mask = np.zeros((5, 6), bool)
    mask[2, 3:5] = True
    assert instance_from_mask(mask, 10, 20)[:2] == (12, 23)
    assert instance_from_mask(mask).mask.tolist() == [[True, True]]
    assert instance_from_mask(np.zeros((3, 3), bool)).area == 0
