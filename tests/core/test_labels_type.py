"""`Labels` and their hash."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from cellmetry.core.image import PixelSize
from cellmetry.core.labels import Labels, count_objects, count_outlines, labels_from_array, labels_hash
from cellmetry.errors import LabelsError


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint32, np.int64, np.float32, np.float64, bool])
def test_whole_numbers_of_any_type_become_uint32(dtype: type) -> None:
    labels = labels_from_array(np.array([[0, 1], [1, 0]], dtype), pixel_size=PixelSize(0.5, 0.5))
    assert labels.read().dtype == np.uint32
    np.testing.assert_array_equal(labels.read(), [[0, 1], [1, 0]])
    np.testing.assert_array_equal(labels.ids(), [1])
    assert labels.pixel_size.x == 0.5


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.array([[-1, 2]]), "cells.tif has negative values"),
        (np.array([[0.5, 2]]), "fractional"),
        (np.array([[np.nan, 2]]), "fractional|not finite"),
        (np.array([[np.inf, 2]]), "ids up to inf|not finite|fractional"),
        (np.array([[2**32, 2]]), "the largest possible is 4294967295"),
        (np.array([[1j, 2]]), "whole numbers"),
        (np.array([["a", "b"]]), "whole numbers"),
    ],
)
def test_what_labels_cannot_be(values: np.ndarray, message: str) -> None:
    with pytest.raises(LabelsError, match=message):
        labels_from_array(values, name="cells.tif")


def test_axes_are_checked() -> None:
    stack = np.zeros((2, 3, 4), np.uint32)
    assert Labels(stack, "ZYX").shape == (2, 3, 4)
    for axes in ("YX", "CYX", "YXZ", "ZY"):
        with pytest.raises(LabelsError):
            Labels(stack, axes)
    with pytest.raises(LabelsError, match="unsigned"):
        Labels(np.zeros((2, 2)), "YX")


def test_the_hash_is_that_of_axes_shape_and_little_endian_ids() -> None:
    array = np.array([[0, 1, 2], [3, 70_000, 0]], np.uint32)
    expected = hashlib.sha256(b"YX(2, 3)" + array.astype("<u4").tobytes()).hexdigest()
    assert labels_hash(labels_from_array(array)) == expected


@given(hnp.arrays(np.uint16, hnp.array_shapes(min_dims=2, max_dims=2, max_side=20)))
def test_the_hash_knows_the_ids_not_how_they_lie(array: np.ndarray) -> None:
    first = labels_hash(Labels(array))
    assert first == labels_hash(labels_from_array(array.astype(np.int64)))
    assert first == labels_hash(Labels(np.asfortranarray(array.astype(np.uint32))))
    assert first == labels_hash(Labels(array.astype(">u4")))
    changed = array.astype(np.uint32)
    changed[-1, -1] += 1
    assert first != labels_hash(Labels(changed))


@given(st.sampled_from([(4, 6), (6, 4), (2, 12)]))
def test_the_hash_knows_the_shape(shape: tuple[int, int]) -> None:
    assert (labels_hash(Labels(np.zeros(shape, np.uint8))) == labels_hash(Labels(np.zeros((4, 6), np.uint8)))) is (
        shape == (4, 6)
    )


def test_the_hash_of_a_tall_stack_reads_in_parts() -> None:
    rng = np.random.default_rng(0)
    array = rng.integers(0, 99, (2, 2500, 7), dtype=np.uint32)
    expected = hashlib.sha256(f"ZYX{array.shape}".encode() + array.tobytes()).hexdigest()
    assert labels_hash(Labels(array, "ZYX")) == expected


@pytest.mark.parametrize(
    ("axes", "linked_z", "ids_along", "objects", "outlines"),
    [
        ("ZYX", False, None, 4, 4),
        ("ZYX", False, "Z", 3, 4),
        ("ZYX", True, None, 3, 3),
        ("ZYX", None, None, 3, 3),
        ("TYX", None, None, 4, 4),
        ("TYX", None, "T", 3, 4),
    ],
)
def test_an_object_counts_once_where_it_keeps_its_id(axes, linked_z, ids_along, objects, outlines) -> None:
    labels = Labels(np.array([[[1, 2, 0]], [[0, 2, 5]]], np.uint32), axes, linked_z=linked_z, ids_along=ids_along)
    assert count_objects(labels) == objects
    assert count_outlines(labels) == outlines


def test_ids_that_run_along_one_of_two_axes_count_once_along_it() -> None:
    array = np.array([[[[1, 2]], [[1, 2]]], [[[1, 0]], [[1, 3]]]], np.uint32)
    numbers = {
        along: count_objects(Labels(array, "TZYX", linked_z=False, ids_along=along)) for along in (None, "Z", "T")
    }
    assert numbers == {None: 7, "Z": 4, "T": 5}
    moving = Labels(array, "TZYX", linked_z=True, ids_along="T")
    assert (count_objects(moving), count_outlines(moving)) == (3, 4)
