"""Nested regions: relations, cytoplasm and rings, against brute force."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import cellmetry as cm
from cellmetry.core.image import PixelSize
from cellmetry.core.labels import Labels
from cellmetry.core.sample import Sample
from cellmetry.errors import LabelsError, ParameterError, PixelSizeNeeded
from cellmetry.ops.distance import nearest_labels
from cellmetry.ops.regions import Cytoplasm, Relate, Ring, Width, cytoplasm_labels, relate_labels, ring_labels

few_labels = arrays(
    np.uint32, st.tuples(st.integers(1, 14), st.integers(1, 14)), elements=st.sampled_from([0] * 9 + [1, 2, 3])
)


def brute_force(labels: np.ndarray, beyond: float, up_to: float, sides: tuple[float, float]) -> np.ndarray:
    """Return the same as `nearest_labels`, by looking at every pair of pixels."""
    out = np.zeros_like(labels)
    spots = np.argwhere(labels > 0)
    for y, x in np.argwhere(labels == 0):
        if not len(spots):
            continue
        distance = np.hypot((spots[:, 0] - y) * sides[0], (spots[:, 1] - x) * sides[1]).round(9)
        nearest = distance.min()
        if beyond < nearest <= up_to:
            out[y, x] = labels[tuple(spots[distance == nearest].T)].min()
    return out


@settings(deadline=None, max_examples=80)
@given(
    few_labels,
    st.sampled_from([0, 1, 1.5]),
    st.sampled_from([1, 2, 3.2, 40]),
    st.sampled_from([(1, 1), (2, 1), (1, 3)]),
)
def test_nearest_labels_are_exact(labels, beyond, width, sides):
    made = nearest_labels(labels, beyond, beyond + width, sides=sides)
    np.testing.assert_array_equal(made, brute_force(labels, beyond, beyond + width, sides))


@pytest.mark.parametrize("band", [1, 3, 16])
def test_bands_change_no_ring(band):
    labels = (np.random.default_rng(1).random((60, 50)) > 0.99).cumsum().reshape(60, 50).astype(np.uint32)
    labels *= np.random.default_rng(2).random((60, 50)) > 0.98
    whole = nearest_labels(labels, 1, 6.5)
    np.testing.assert_array_equal(nearest_labels(labels, 1, 6.5, band=band), whole)


def test_a_ring_of_one_pixel_is_the_four_neighbours():
    labels = np.zeros((7, 7), np.uint32)
    labels[3, 3] = 4
    ring = ring_labels(cm.labels_from_array(labels), Width(1)).read()
    assert np.argwhere(ring == 4).tolist() == [[2, 3], [3, 2], [3, 4], [4, 3]]
    far = ring_labels(cm.labels_from_array(labels), Width(1, gap=1.5)).read()
    assert not (far[2:5, 2:5]).any()
    assert far[1, 3] == 4


def test_ring_in_um():
    labels = np.zeros((9, 9), np.uint32)
    labels[4, 4] = 1
    known = Labels(labels, "YX", PixelSize(0.2, 0.2))
    np.testing.assert_array_equal(ring_labels(known, Width(0.6, um=True)).read(), ring_labels(known, Width(3)).read())
    with pytest.raises(PixelSizeNeeded):
        ring_labels(cm.labels_from_array(labels), Width(0.6, um=True))


def test_relation_is_the_largest_overlap():
    outer = np.array([[1, 1, 1, 2, 2, 2, 0, 0]], np.uint32)
    inner = np.array([[0, 5, 5, 5, 6, 7, 7, 7]], np.uint32)
    table = relate_labels(cm.labels_from_array(inner), cm.labels_from_array(outer))
    assert table["label"].tolist() == [5, 6, 7]
    assert table["parent_label"].tolist() == [1, 2, 0]
    assert table["parent_overlap"].tolist() == pytest.approx([2 / 3, 1, 0])
    loose = relate_labels(cm.labels_from_array(inner), cm.labels_from_array(outer), least_overlap=0.3)
    assert loose["parent_label"].tolist() == [1, 2, 2]


def test_equal_overlaps_go_to_the_lower_id_and_bands_do_not_matter():
    outer = np.zeros((3000, 4), np.uint32)
    outer[:, :2], outer[:, 2:] = 9, 3
    inner = np.full((3000, 4), 1, np.uint32)
    table = relate_labels(cm.labels_from_array(inner), cm.labels_from_array(outer))
    assert table.to_numpy().tolist() == [[1, 3, 0.5]]


def test_relations_of_a_movie_and_of_nothing():
    outer = np.array([[[1, 1]], [[2, 2]]], np.uint32)
    inner = np.array([[[7, 0]], [[7, 0]]], np.uint32)
    table = relate_labels(cm.labels_from_array(inner, "TYX"), cm.labels_from_array(outer, "TYX"))
    assert table[["label", "t", "parent_label"]].to_numpy().tolist() == [[7, 0, 1], [7, 1, 2]]
    empty = cm.labels_from_array(np.zeros((4, 4), np.uint32))
    nothing = relate_labels(empty, empty)
    assert len(nothing) == 0
    assert list(nothing.columns) == ["label", "parent_label", "parent_overlap"]
    with pytest.raises(LabelsError, match="one size"):
        relate_labels(empty, cm.labels_from_array(np.zeros((4, 5), np.uint32)))


def test_cytoplasm_is_the_cell_without_nuclei():
    cells = np.array([[1, 1, 1, 0, 2]], np.uint32)
    nuclei = np.array([[0, 8, 0, 8, 0]], np.uint32)
    made = cytoplasm_labels(cm.labels_from_array(cells), cm.labels_from_array(nuclei))
    assert made.read().tolist() == [[1, 0, 1, 0, 2]]


def test_steps():
    cells = np.zeros((8, 8), np.uint32)
    cells[2:6, 2:6] = 1
    nuclei = np.zeros((8, 8), np.uint32)
    nuclei[3:5, 3:5] = 4
    image = cm.image_from_array(cells, pixel_size_um=0.5)
    sample = Sample(image, {"cells": cm.labels_from_array(cells), "nuclei": cm.labels_from_array(nuclei)})
    for step in (Relate(), Cytoplasm(), Ring(width_px=1), Ring(made="halo", width_um=0.5)):
        sample = step(sample)
        assert type(step).model_validate_json(step.model_dump_json()) == step
    assert sample.tables["relations"]["parent_label"].tolist() == [1]
    assert np.count_nonzero(sample.labels["cytoplasm"].read()) == 12
    assert np.count_nonzero(sample.labels["ring"].read()) == 16
    np.testing.assert_array_equal(sample.labels["halo"].read(), sample.labels["ring"].read())
    for wrong in (Ring(), Ring(width_px=1, width_um=1), Ring(width_um=1, gap_px=1)):
        with pytest.raises(ParameterError, match="either in px"):
            wrong(sample)
