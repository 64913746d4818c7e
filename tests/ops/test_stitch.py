"""Linking planes: objects keep their id through the stack, and the pairing is the best there is."""

from __future__ import annotations

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellmetry.errors import LabelsError, ParameterError
from cellmetry.ops.stitch import link_planes

stacks = hnp.arrays(np.uint16, (4, 6, 7), elements=st.integers(0, 3))


def link(planes, **options):
    return np.stack(list(link_planes(planes, **options)))


def row(*ids):
    return np.array([ids], np.uint16)


def test_two_columns_run_through():
    linked = link([row(1, 1, 0, 2, 2), row(9, 9, 0, 4, 4), row(5, 5, 0, 5, 5)])
    assert linked[0].tolist() == linked[1].tolist() == [[1, 1, 0, 2, 2]]


def test_a_weak_overlap_starts_a_new_object():
    planes = [row(1, 1, 1, 1, 0, 0, 0), row(0, 0, 0, 1, 1, 1, 1)]
    assert link(planes, min_iou=0.2)[1].tolist() == [[0, 0, 0, 2, 2, 2, 2]]
    assert link(planes, min_iou=1 / 7)[1].tolist() == [[0, 0, 0, 1, 1, 1, 1]]


def test_when_a_cell_divides_the_larger_part_keeps_its_id():
    assert link([row(1, 1, 1, 1, 1), row(8, 8, 7, 7, 7)])[1].tolist() == [[2, 2, 1, 1, 1]]


def test_one_strong_link_beats_two_weak_ones():
    planes = [row(*[1] * 8, *[2] * 2, *[0] * 6), row(*[3] * 2, *[4] * 8, *[0] * 6)]
    # 1–4 share 6 of 10, 1–3 2 of 8, 2–4 2 of 8
    assert link(planes, min_iou=0.2)[1].tolist() == [[3, 3, *[1] * 8, *[0] * 6]]


def test_a_missing_plane():
    planes = [row(1, 1), row(0, 0), row(7, 7), row(0, 0), row(0, 0), row(7, 7)]
    assert link(planes)[:, 0, 0].tolist() == [1, 0, 2, 0, 0, 3]
    assert link(planes, max_gap=1)[:, 0, 0].tolist() == [1, 0, 1, 0, 0, 2]


def test_an_object_that_goes_on_is_not_linked_across_the_gap_too():
    planes = [row(1, 1, 1, 1), row(1, 1, 1, 1), row(2, 2, 3, 3)]
    linked = link(planes, max_gap=1)
    assert linked[2].tolist() == [[1, 1, 2, 2]]


def test_empty_stacks_and_planes():
    assert list(link_planes([])) == []
    assert link([np.zeros((0, 3), np.uint8), np.zeros((0, 3), np.uint8)]).shape == (2, 0, 3)
    assert link([np.zeros((2, 2), int)]).max() == 0
    assert link([np.full((2, 2), 4, np.uint32)] * 2).tolist() == [[[1, 1], [1, 1]]] * 2


def test_planes_are_taken_one_by_one_and_left_as_they_were():
    given_planes = [row(3, 3, 0), row(3, 3, 0), row(0, 5, 5)]
    copies = [plane.copy() for plane in given_planes]
    taken = []

    def source():
        for plane in given_planes:
            taken.append(1)
            yield plane

    linked = link_planes(source(), max_gap=1)
    first = next(linked)
    assert len(taken) == 1
    first[:] = 99
    assert next(linked).tolist() == [[1, 1, 0]]
    assert all(np.array_equal(a, b) for a, b in zip(given_planes, copies, strict=True))


@given(stacks, st.sampled_from([0, 1]), st.floats(0.05, 1))
@settings(max_examples=80, deadline=None)
def test_outlines_of_each_plane_are_kept(stack, max_gap, min_iou):
    for before, after in zip(stack, link(stack, max_gap=max_gap, min_iou=min_iou), strict=True):
        pairs = {(a, b) for a, b in zip(before.ravel().tolist(), after.ravel().tolist(), strict=True)}
        assert len(pairs) == len(set(before.ravel().tolist())) == len(set(after.ravel().tolist()))
        assert all((a == 0) == (b == 0) for a, b in pairs)


@given(stacks, st.sampled_from([0, 1]))
@settings(max_examples=50, deadline=None)
def test_ids_are_consecutive_and_each_runs_without_longer_gaps(stack, max_gap):
    linked = link(stack, max_gap=max_gap)
    ids = np.unique(linked[linked > 0])
    assert ids.tolist() == list(range(1, ids.size + 1))
    for index in ids:
        at = np.flatnonzero((linked == index).any(axis=(1, 2)))
        assert np.diff(at).max(initial=1) <= max_gap + 1


@given(hnp.arrays(np.uint16, (6, 7), elements=st.integers(0, 3)))
@settings(max_examples=30, deadline=None)
def test_the_same_plane_again_is_the_same_objects(plane):
    linked = link([plane, plane, plane], min_iou=1.0)
    assert np.array_equal(linked[0], linked[1])
    assert np.array_equal(linked[0], linked[2])


def test_refusals():
    with pytest.raises(ParameterError, match="IoU"):
        next(link_planes([row(1)], min_iou=0))
    with pytest.raises(ParameterError, match="0 or 1"):
        next(link_planes([row(1)], max_gap=2))
    with pytest.raises(LabelsError, match="cannot be compared"):
        list(link_planes([row(1), row(1, 2)]))
