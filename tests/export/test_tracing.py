"""Outlines of all objects at once, and back to pixels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage

from cellmetry.errors import DamagedFile
from cellmetry.export.filling import fill_objects, join_runs, paint_runs, runs_of_instances
from cellmetry.export.polygons import fill_polygon, polygon_area, trace_polygons
from cellmetry.export.tracing import Outlines, trace_labels
from cellmetry.ops.instances import Instance, instances_of, paint_instances

IMAGES = arrays(
    np.uint32, st.tuples(st.integers(0, 14), st.integers(0, 14)), elements=st.sampled_from([0, 0, 1, 2, 2**32 - 1])
)


def filled(outlines: Outlines, shape: tuple[int, int]) -> np.ndarray:
    """Return the labels that outlines make."""
    objects = [[ring for part in parts for ring in part] for _, parts in outlines.polygons()]
    painted = paint_runs(fill_objects(objects, shape), len(objects), shape)
    assert painted.overlapped_px == 0
    return np.concatenate([[0], outlines.ids]).astype(np.uint32)[painted.labels]


@given(IMAGES)
def test_filling_outlines_gives_the_labels_back(labels: np.ndarray) -> None:
    np.testing.assert_array_equal(filled(trace_labels(labels), labels.shape), labels)


@given(IMAGES)
def test_rings_are_simple_and_run_the_right_way(labels: np.ndarray) -> None:
    for identity, parts in trace_labels(labels).polygons():
        assert len(parts) == ndimage.label(labels == identity)[1]
        assert sum(polygon_area(ring.astype(float)) for part in parts for ring in part) == (labels == identity).sum()
        for part in parts:
            assert [polygon_area(ring.astype(float)) > 0 for ring in part] == [True] + [False] * (len(part) - 1)
            for ring in part:
                assert len(np.unique(ring, axis=0)) == len(ring)  # no corner twice
                steps = np.diff(np.vstack([ring, ring[:1]]), axis=0) != 0
                assert (steps.sum(axis=1) == 1).all()  # along sides of pixels
                assert (steps[:, 0] != np.roll(steps[:, 0], 1)).all()  # corners only


@given(IMAGES)
def test_holes_lie_in_the_outer_ring_of_their_part(labels: np.ndarray) -> None:
    for identity, parts in trace_labels(labels).polygons():
        for part in parts:
            whole = paint_instances([fill_polygon([part[0].astype(float)], labels.shape)], labels.shape).labels > 0
            for hole in part[1:]:
                inside = paint_instances([fill_polygon([hole.astype(float)], labels.shape)], labels.shape).labels > 0
                assert (inside <= whole).all()
                assert not (labels[inside] == identity).all()


@given(IMAGES)
def test_it_agrees_with_tracing_one_object_after_the_other(labels: np.ndarray) -> None:
    outlines = trace_labels(labels)
    one_by_one = dict(instances_of(labels)) if labels.size else {}
    assert outlines.ids.tolist() == sorted(one_by_one)
    for identity, parts in outlines.polygons():
        rings = trace_polygons(one_by_one[identity])
        assert sum(map(len, rings)) == sum(len(ring) for part in parts for ring in part)
        assert {tuple(point) for ring in rings for point in ring} == {
            tuple(p) for part in parts for r in part for p in r
        }


def test_simple_objects_are_those_of_one_ring() -> None:
    labels = np.zeros((9, 20), np.uint32)
    labels[1:5, 1:5], labels[1:5, 7:11], labels[2, 8], labels[1, 13], labels[3, 15] = 1, 2, 0, 3, 3
    assert trace_labels(labels).simple.tolist() == [True, False, False]


EIGHTHS = st.integers(-40, 120).map(lambda number: number / 8)
RINGS = st.lists(st.tuples(EIGHTHS, EIGHTHS), min_size=3, max_size=9).map(np.array)


@given(
    st.lists(st.lists(RINGS, min_size=1, max_size=2), min_size=1, max_size=5),
    st.sampled_from(["smaller", "later", "earlier"]),
)
def test_filling_many_agrees_with_filling_one_by_one(objects: list[list[np.ndarray]], overlap: str) -> None:
    shape = (10, 11)
    wanted = paint_instances([fill_polygon(rings, shape) for rings in objects], shape, overlap=overlap)
    found = paint_runs(fill_objects(objects, shape), len(objects), shape, overlap=overlap)
    np.testing.assert_array_equal(found.labels, wanted.labels)
    assert found[1:] == wanted[1:]


@given(st.lists(st.tuples(st.integers(-4, 12), st.integers(-4, 12), arrays(np.bool_, (3, 4))), max_size=5))
def test_masks_are_painted_as_ever(given_masks: list[tuple[int, int, np.ndarray]]) -> None:
    instances, shape = [Instance(*each) for each in given_masks], (10, 11)
    runs = join_runs(runs_of_instances(instances[:2], shape), runs_of_instances(instances[2:], shape, first=2)
                     if len(instances) > 2 else runs_of_instances([], shape))  # fmt: skip
    found, wanted = paint_runs(runs, len(instances), shape), paint_instances(instances, shape)
    np.testing.assert_array_equal(found.labels, wanted.labels)
    assert found[1:] == wanted[1:]


@pytest.mark.parametrize("ring", [np.zeros((2, 2)), np.array([[0, 0], [1, np.inf], [2, 2]]), np.full((3, 2), 1e9)])
def test_wrong_rings_are_refused(ring: np.ndarray) -> None:
    with pytest.raises(DamagedFile, match="polygon"):
        fill_objects([[ring]], (10, 10))
