"""Resampling: known averages, and the same pixels whichever part of the plane is asked for."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skimage.transform import resize

from cellmetry.ops.resample import needed_range, resample_range, resampled_size, source_range, working_index


def whole(pixels: np.ndarray, scale: float) -> np.ndarray:
    shape = pixels.shape
    rows, columns = (resampled_size(size, scale) for size in shape)
    return resample_range(pixels, (0, rows), (0, columns), shape, scale)


def test_halving_averages_squares_of_four() -> None:
    pixels = np.arange(24, dtype=np.float32).reshape(4, 6)
    expected = pixels.reshape(2, 2, 3, 2).mean(axis=(1, 3))
    np.testing.assert_allclose(whole(pixels, 0.5), expected)


def test_doubling_agrees_with_linear_interpolation_of_scikit_image() -> None:
    pixels = np.random.default_rng(0).random((7, 9)).astype(np.float32)
    expected = resize(pixels, (14, 18), order=1, mode="edge", anti_aliasing=False)
    np.testing.assert_allclose(whole(pixels, 2.0), expected, atol=1e-6)


@given(
    scale=st.sampled_from([0.13, 0.4, 0.5, 0.77, 1.3, 2.0, 3.7]), start=st.integers(0, 20), length=st.integers(1, 20)
)
def test_a_part_is_the_same_as_in_the_whole(scale: float, start: int, length: int) -> None:
    pixels = np.random.default_rng(1).random((61, 47)).astype(np.float32)
    full = whole(pixels, scale)
    rows = (min(start, full.shape[0] - 1), min(start + length, full.shape[0]))
    columns = (0, full.shape[1])
    y0, y1 = needed_range(*rows, 61, scale)
    x0, x1 = needed_range(*columns, 47, scale)
    part = resample_range(pixels[y0:y1, x0:x1], rows, columns, (61, 47), scale)
    np.testing.assert_array_equal(part, full[rows[0] : rows[1]])


@given(size=st.integers(1, 300), scale=st.floats(0.05, 8), cut=st.integers(0, 300))
def test_source_ranges_part_the_plane(size: int, scale: float, cut: int) -> None:
    result = resampled_size(size, scale)
    cut = min(cut, result)
    low, high = source_range(0, cut, (size, result), scale), source_range(cut, result, (size, result), scale)
    assert low[0] == 0
    assert low[1] == high[0]
    assert high[1] == size


def test_a_mean_is_kept() -> None:
    pixels = np.random.default_rng(2).random((90, 60)).astype(np.float32)
    assert whole(pixels, 1 / 3).mean() == pytest.approx(pixels.mean(), rel=1e-6)


def test_indices_stay_inside() -> None:
    assert working_index(0, 10, 3, 0.3).tolist() == [0, 0, 0, 1, 1, 1, 1, 2, 2, 2]
