"""Cleaning of masks, against scikit-image one label at a time."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage
from skimage import morphology

from cellmetry.ops.mask_cleaning import drop_and_open, drop_small_parts, open_with_cross

masks = arrays(
    np.uint32, st.tuples(st.integers(1, 16), st.integers(1, 16)), elements=st.sampled_from([0, 0, 1, 1, 1, 2, 2, 9])
)


def opened(mask: np.ndarray) -> np.ndarray:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # scikit-image 0.26 renames it
        return morphology.binary_opening(mask, morphology.disk(1))


def without_small(mask: np.ndarray, least: int, structure: np.ndarray) -> np.ndarray:
    parts, _ = ndimage.label(mask, structure)
    return mask & (np.bincount(parts.ravel()) >= least)[parts]


@settings(max_examples=150)
@given(masks)
def test_opening_is_that_of_each_label_alone(mask):
    made = open_with_cross(mask)
    for label in (1, 2, 9):
        np.testing.assert_array_equal(made == label, opened(mask == label))


@settings(max_examples=100)
@given(masks, st.integers(0, 12), st.sampled_from([4, 8]))
def test_small_parts_go_label_by_label(mask, least, connectivity):
    made = drop_small_parts(mask, least, connectivity=connectivity)
    structure = ndimage.generate_binary_structure(2, connectivity // 4)
    for label in (1, 2, 9):
        np.testing.assert_array_equal(made == label, without_small(mask == label, least, structure))


@settings(max_examples=60)
@given(masks, st.integers(0, 12))
def test_of_a_boolean_mask_the_same(mask, least):
    one = mask == 1
    made = drop_and_open(one, least)
    assert made.dtype == bool
    np.testing.assert_array_equal(made, drop_and_open(one.astype(np.uint32), least) == 1)
    np.testing.assert_array_equal(drop_and_open(one, 0), one)


@pytest.mark.parametrize("dtype", [np.bool_, np.uint32])
def test_what_fills_the_plane_stays(dtype):
    mask = np.ones((4, 5), dtype)
    np.testing.assert_array_equal(drop_and_open(mask, 3), mask)
