"""Thresholds of all cells at once, against scikit-image and numpy cell by cell."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from skimage.filters import threshold_li, threshold_otsu, threshold_triangle

from cellmetry.ops.cell_thresholds import cell_thresholds, pixels_reaching, plane_threshold
from cellmetry.ops.pixel_groups import group_pixels

PEERS = {
    "percentile": lambda values: np.percentile(values, 75),
    "otsu": threshold_otsu,
    "triangle": threshold_triangle,
    "li": threshold_li,
    "mean_sd": lambda values: values.mean(dtype=float) + 75 * values.std(dtype=float),
}


@pytest.fixture(scope="module")
def field():
    rng = np.random.default_rng(4)
    regions = np.zeros((90, 100), np.uint32)
    regions[5:40, 5:50], regions[5:40, 50:95], regions[50:85, 20:80] = 7, 2, 4_000_000_000
    values = rng.gamma(2.0, 30.0, regions.shape).astype(np.float32)
    values[15:25, 15:30] += 300
    return values, regions, values < 400


@pytest.mark.parametrize("method", PEERS)
@pytest.mark.parametrize("dtype", [np.float32, np.uint8, np.uint16])
def test_each_cell_has_the_threshold_of_its_own_valid_pixels(field, method, dtype):
    values, regions, valid = field
    values = np.clip(values, 0, 255).astype(dtype) if dtype != np.float32 else values
    found = cell_thresholds(values, regions, valid, method, 75)
    assert found.ids.tolist() == [2, 7, 4_000_000_000]
    expected = [PEERS[method](values[(regions == label) & valid]) for label in found.ids]
    np.testing.assert_array_equal(found.thresholds, expected)


@pytest.mark.parametrize("method", PEERS)
def test_equal_values_are_their_own_threshold(method):
    assert plane_threshold(np.full(9, 5, np.float32), method, 50) == 5


@pytest.mark.parametrize("method", PEERS)
def test_a_cell_without_valid_pixels_has_none_and_nothing_of_it_passes(method):
    regions = np.array([[1, 1, 2, 2, 0]], np.uint32)
    values = np.array([[1, 2, np.nan, 4, 9]], np.float32)
    valid = np.array([[True, True, True, False, True]])
    found = cell_thresholds(values, regions, valid, method, 0)
    assert np.isnan(found.thresholds).tolist() == [False, True]
    assert not pixels_reaching(values, regions, np.ones_like(valid), found)[regions == 2].any()


def test_a_pixel_at_the_threshold_passes():
    regions = np.array([[3, 3, 3, 0]], np.uint32)
    values = np.array([[1, 2, 3, 9]], np.float32)
    valid = np.ones(regions.shape, bool)
    passed = pixels_reaching(values, regions, valid, cell_thresholds(values, regions, valid, "percentile", 50))
    assert passed.tolist() == [[0, 3, 3, 0]]


@settings(max_examples=60)
@given(
    arrays(np.uint32, (9, 11), elements=st.sampled_from([0, 1, 2, 5])),
    arrays(np.float32, (9, 11), elements=st.floats(-5, 5, width=32)),
    arrays(np.bool_, (9, 11)),
)
def test_groups_hold_each_regions_pixels_in_reading_order(regions, values, valid):
    groups = group_pixels(values, regions, valid)
    assert groups.ids.tolist() == [label for label in np.unique(regions) if label]
    for label, group in zip(groups.ids, groups.each(), strict=True):
        np.testing.assert_array_equal(group, values[(regions == label) & valid])
