"""Denoised planes, against SciPy and scikit-image."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError
from scipy import ndimage
from skimage.restoration import denoise_nl_means

import cellmetry as cm
from cellmetry.core.sample import Sample
from cellmetry.ops.correct import PlaneReader
from cellmetry.ops.denoise import Denoise, noise_of


def field(noise: float, shape: tuple[int, int] = (300, 330)) -> tuple[np.ndarray, np.ndarray]:
    """Return discs without and with noise."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    clean = 100 + 300.0 * (np.hypot(y % 60 - 30, x % 60 - 30) < 18)
    return clean, (clean + np.random.default_rng(4).normal(0, noise, shape)).astype(np.float32)


def denoised(array: np.ndarray, **parameters) -> np.ndarray:
    return Denoise(**parameters)(Sample(cm.image_from_array(array))).image.read()


def test_median_and_gaussian_are_scipys():
    _, noisy = field(20)
    whole = noisy.clip(0).astype(np.uint16)
    np.testing.assert_array_equal(denoised(whole), ndimage.median_filter(whole, 3))
    np.testing.assert_array_equal(denoised(whole, size_px=7), ndimage.median_filter(whole, 7))
    np.testing.assert_allclose(denoised(noisy, method="gaussian"), ndimage.gaussian_filter(noisy, 1.0), rtol=1e-6)
    made = denoised(noisy, method="gaussian", sigma_px=3.5)
    np.testing.assert_allclose(made, ndimage.gaussian_filter(noisy, 3.5), rtol=1e-6)


def test_non_local_means_are_scikit_images():
    _, noisy = field(20)
    noise = noise_of(PlaneReader(cm.image_from_array(noisy), 0, 0, 0))
    expected = denoise_nl_means(
        noisy.astype(np.float64), patch_size=5, patch_distance=6, h=0.8 * noise, sigma=noise, preserve_range=True
    )
    np.testing.assert_allclose(denoised(noisy, method="nlm"), expected, rtol=1e-5)


@pytest.mark.parametrize("method", ["median", "gaussian", "nlm"])
def test_noise_becomes_less(method):
    clean, noisy = field(20)
    away = ndimage.distance_transform_edt(clean == 100) > 6
    assert np.std(denoised(noisy, method=method)[away]) < 0.5 * np.std(noisy[away])


@pytest.mark.parametrize("noise", [5.0, 40.0])
def test_noise_is_told_from_structure(noise):
    _, noisy = field(noise)
    assert noise_of(PlaneReader(cm.image_from_array(noisy), 0, 0, 0)) == pytest.approx(noise, rel=0.1)


def test_small_and_flat_planes_have_no_noise_and_stay():
    for array in (np.full((20, 21), 7, np.uint8), np.array([[5]], np.uint8), np.array([[1, 5, 9]], np.uint16)):
        np.testing.assert_array_equal(denoised(array, method="nlm"), array)
        assert denoised(array, method="gaussian").shape == array.shape


def test_parameters_of_another_method_and_even_squares_are_errors():
    with pytest.raises(ValidationError, match="goes with the method gaussian"):
        Denoise(method="median", sigma_px=2)
    with pytest.raises(ValidationError, match="must be odd"):
        Denoise(size_px=4)
    with pytest.raises(ValidationError, match="must be odd"):
        Denoise(method="nlm", patch_px=6)
