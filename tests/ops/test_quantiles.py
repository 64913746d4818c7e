"""Percentiles of bands, against NumPy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cellmetry.ops.quantiles import percentiles_of

floats = st.floats(-1e30, 1e30, width=32)
dtypes = st.sampled_from([np.uint8, np.uint16, np.int16, np.int8, np.float32, np.bool_])
shapes = st.tuples(st.integers(1, 9), st.integers(1, 9))


def in_bands(values: np.ndarray, rows: int):
    return lambda: (values[y : y + rows] for y in range(0, len(values), rows))


@given(dtypes.flatmap(lambda kind: arrays(kind, shapes)), st.integers(1, 4), st.floats(0, 100))
def test_as_numpy_whatever_the_type_and_the_bands(values, rows, percent):
    finite = values[np.isfinite(values)].astype(np.float64)
    found = percentiles_of(in_bands(values, rows), (percent, 0, 50, 100))
    if not finite.size:
        assert np.isnan(found).all()
        return
    largest = float(np.abs(finite).max())
    expected = np.percentile(finite, (percent, 0, 50, 100))
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12 * largest)


def test_values_that_are_no_numbers_are_left_out():
    values = np.array([[1, np.nan, 3], [np.inf, 2, -np.inf]], np.float32)
    assert percentiles_of(lambda: [values], (0, 50, 100)).tolist() == [1, 2, 3]
    assert np.isnan(percentiles_of(lambda: [values[:0]], (50,))).all()


def test_both_signs_and_both_zeros_are_in_order():
    values = np.array([[-0.0, 0.0, -1.5, 1e-40, -1e-40, 7.0, -3e38]], np.float32)
    ordered = percentiles_of(lambda: [values], np.arange(7) * 100 / 6)
    np.testing.assert_array_equal(ordered, np.sort(values[0]).astype(np.float64))


def test_a_large_camera_image():
    values = np.random.default_rng(3).poisson(300, (1500, 1100)).astype(np.uint16)
    found = percentiles_of(in_bands(values, 64), (5, 99.9))
    assert found == pytest.approx(np.percentile(values, (5, 99.9)), abs=1e-9)
