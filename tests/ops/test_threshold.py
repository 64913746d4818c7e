"""Thresholds: background statistics of known noise, empty fields, objects' own edges."""

from __future__ import annotations

import numpy as np
import pytest

from cellmetry.ops.threshold import (
    METHODS,
    background_level,
    global_threshold,
    object_brightness,
    own_edges,
    weighted_median,
)


def test_level_and_deviation_of_the_background_despite_objects() -> None:
    generator = np.random.default_rng(0)
    values = np.concatenate([generator.normal(100, 5, 90_000), generator.normal(600, 80, 20_000)]).astype(np.float32)
    level, deviation = background_level(values)
    assert level == pytest.approx(100, abs=3)
    assert deviation == pytest.approx(5, rel=0.3)


@pytest.mark.parametrize("name", METHODS)
def test_two_populations_are_parted(name: str) -> None:
    generator = np.random.default_rng(1)
    low, high = generator.normal(100, 5, 50_000), generator.normal(600, 40, 20_000)
    values = np.concatenate([low, high]).astype(np.float32)
    threshold = global_threshold(values, METHODS[name], least_contrast=5)
    assert low.max() < threshold + 10
    assert threshold < np.percentile(high, 1)


@pytest.mark.parametrize("name", METHODS)
def test_pure_noise_stays_below_the_threshold(name: str) -> None:
    values = np.random.default_rng(2).normal(100, 5, 100_000).astype(np.float32)
    threshold = global_threshold(values, METHODS[name], least_contrast=5)
    assert (values > threshold).mean() < 1e-3


def test_equal_values_have_nothing_above() -> None:
    assert global_threshold(np.full(9, 7, np.float32), METHODS["otsu"], least_contrast=5) == np.inf
    assert global_threshold(np.empty(0, np.float32), METHODS["otsu"], least_contrast=5) == np.inf


def test_coarse_steps_count_as_noise() -> None:
    values = np.repeat(np.array([0, 1], np.float32), [990, 10])
    assert global_threshold(values, METHODS["triangle"], least_contrast=5, quantum=1) >= 2.5


def test_brightness_is_that_of_the_upper_half() -> None:
    labels = np.array([[1, 1, 1, 1, 2]], np.int32)
    brightness = np.array([[10, 8, 1, 1, 4]], np.float32)
    assert object_brightness(labels, brightness).tolist() == [0, 9, 4]


def test_an_object_ends_at_its_share() -> None:
    labels = np.array([[1, 1, 1, 2, 2]], np.int32)
    brightness = np.array([[100, 60, 40, 4, 3]], np.float32)
    assert own_edges(labels, brightness, 0.6).tolist() == [[1, 1, 0, 2, 2]]


def test_weighted_median() -> None:
    assert weighted_median(np.array([3.0, 1.0, 2.0]), np.array([1, 1, 10])) == 2.0
