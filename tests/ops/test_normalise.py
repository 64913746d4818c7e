"""Normalised planes, against the formulas and the old program's tables."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pydantic import ValidationError

import cellmetry as cm
from cellmetry.core.sample import Sample
from cellmetry.errors import ParameterError
from cellmetry.measure.options import MeasureOptions
from cellmetry.ops.normalise import Normalise

shapes = st.tuples(st.integers(1, 12), st.integers(1, 12))
whole = arrays(np.uint16, shapes, elements=st.integers(0, 4000))
fractions = arrays(np.float32, shapes, elements=st.floats(-100, 100, width=32))
methods = st.sampled_from(["z", "robust", "minmax", "percentile"])


def by_formula(x: np.ndarray, method: str) -> np.ndarray:
    x = x.astype(np.float64)
    if method == "z":
        return (x - x.mean()) / (x.std() + 1e-12)
    if method == "robust":
        away = np.median(np.abs((x - np.median(x)).astype(np.float32)))
        return (x - np.median(x)) / (1.4826 * away + 1e-12)
    low, high = (x.min(), x.max()) if method == "minmax" else np.percentile(x, (1, 99))
    scaled = (x - low) / (high - low) if high > low else np.zeros_like(x)
    return np.clip(scaled, 0, 1) if method == "percentile" else scaled


def has_a_scale(x: np.ndarray, method: str) -> bool:
    """Return whether robust normalisation is possible, where it is asked for."""
    x = x.astype(np.float64)
    return method != "robust" or x.min() == x.max() or np.median(np.abs((x - np.median(x)).astype(np.float32))) > 0


def normalised(array: np.ndarray, axes: str = "YX", **parameters) -> np.ndarray:
    return Normalise(**parameters)(Sample(cm.image_from_array(array, axes))).image.read()


@given(whole, methods)
def test_as_the_formulas_say(pixels, method):
    assume(has_a_scale(pixels, method))
    np.testing.assert_allclose(normalised(pixels, method=method), by_formula(pixels, method), rtol=1e-5, atol=1e-5)


@given(fractions, methods)
def test_fractions_too(pixels, method):
    assume(has_a_scale(pixels, method))
    expected = by_formula(pixels, method)
    if np.abs(expected).max() < 1e6:
        np.testing.assert_allclose(normalised(pixels, method=method), expected, rtol=1e-3, atol=1e-3)


@given(st.floats(-1e6, 1e6, width=32), methods)
def test_a_flat_plane_becomes_0(value, method):
    assert not normalised(np.full((5, 7), value, np.float32), method=method).any()


@given(whole, methods, st.integers(1, 50), st.integers(0, 1000))
def test_scale_and_offset_of_the_detector_do_not_matter(pixels, method, gain, offset):
    assume(has_a_scale(pixels, method))
    moved = pixels.astype(np.uint32) * gain + offset
    np.testing.assert_allclose(
        normalised(moved, method=method), normalised(pixels, method=method), rtol=1e-4, atol=1e-4
    )


def test_each_plane_has_a_scale_of_its_own_and_limits_are_named():
    array = np.stack([np.arange(100).reshape(10, 10), 7 * np.arange(100).reshape(10, 10) + 3]).astype(np.uint16)
    made = normalised(array, "ZYX", method="percentile", low_percentile=10, high_percentile=60)
    np.testing.assert_allclose(made[0], made[1], atol=1e-6)
    assert made[0].ravel()[np.argmax(made[0] > 0)] == pytest.approx((10 - 9.9) / 49.5, abs=1e-5)
    assert made.min() == 0
    assert made.max() == 1


def test_values_that_are_no_numbers_stay_out():
    array = np.array([[np.nan, 1, 2], [3, np.inf, 2]], np.float32)
    for method in ("z", "robust", "minmax", "percentile"):
        made = normalised(array, method=method)
        assert np.isnan(made[0, 0])
        assert np.isfinite(made[np.isfinite(array)]).all()
    assert np.isnan(normalised(np.full((2, 2), np.nan, np.float32), method="z")).all()


def test_robust_normalisation_needs_a_spread():
    array = np.zeros((4, 4), np.uint8)
    array[0, 0] = 9
    with pytest.raises(ParameterError, match="finds no scale"):
        normalised(array, method="robust")


def test_negative_values_are_warned_of():
    sample = Sample(cm.image_from_array(np.arange(12).reshape(3, 4)))
    for method, warned in (("z", True), ("robust", True), ("minmax", False), ("percentile", False)):
        notes = Normalise(method=method)(sample).warnings
        assert any("ratios of them mean nothing" in note for note in notes) == warned


def test_limits_that_would_be_ignored_or_do_not_rise_are_errors():
    with pytest.raises(ValidationError, match="go with the method percentile"):
        Normalise(method="z", low_percentile=2)
    with pytest.raises(ValidationError, match="must lie below"):
        Normalise(method="percentile", low_percentile=99)


@pytest.mark.parametrize(("method", "golden"), [("z", "zscore"), ("minmax", "minmax"), ("percentile", "percentile")])
def test_means_of_cells_are_those_of_the_old_program(shared, method, golden):
    table = pd.read_csv(shared / "golden" / "dualcolour" / f"quant_norm_{golden}.csv")
    labels = cm.read_labels(shared / "data" / "dualcolour" / "0.0_Z003_cell_masks.tif")
    for channel, name in ((1, "target"), (2, "reference")):
        image = cm.open_image(shared / "data" / "dualcolour" / f"0.5_C00{channel}Z003.png", rgb="channels")
        made = Normalise(method=method)(Sample(image)).image
        found = cm.measure(made, labels, MeasureOptions(features=("intensity",)))
        # The old program's grey is 0.9999 of the values.
        np.testing.assert_allclose(
            0.9999 * found.filter(like="mean_").iloc[:, 0], table[f"mean_{name}_whole"], rtol=1e-4
        )
