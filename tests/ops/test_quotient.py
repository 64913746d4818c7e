"""Quotients are missing where there is nothing to divide by."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cellmetry.ops.quotient import quotient

NUMBERS = st.floats(1e-6, 1e6) | st.floats(-1e6, -1e-6) | st.sampled_from([0.0, np.nan])


def test_nothing_is_divided_by_0_nor_by_less() -> None:
    above, below = np.array([1.0, 0, 1, -1, 1]), np.array([2.0, 0, 0, -2, np.nan])
    np.testing.assert_array_equal(quotient(above, below), [0.5, np.nan, np.nan, np.nan, np.nan])
    np.testing.assert_array_equal(quotient(above, below, negative=True), [0.5, np.nan, np.nan, 0.5, np.nan])


def test_whole_numbers_and_shapes() -> None:
    found = quotient(np.array([[1, 2], [3, 4]], np.uint8), np.array([2, 0], np.uint8))
    assert found.dtype == np.float64
    np.testing.assert_array_equal(found, [[0.5, np.nan], [1.5, np.nan]])
    assert quotient(3, 2) == 1.5


@given(arrays(np.float64, 8, elements=NUMBERS), arrays(np.float64, 8, elements=NUMBERS))
def test_a_quotient_times_what_it_was_divided_by_is_what_was_divided(above, below) -> None:
    for negative in (False, True):
        found = quotient(above, below, negative=negative)
        defined = ~np.isnan(above) & (below != 0 if negative else below > 0) & ~np.isnan(below)
        np.testing.assert_array_equal(np.isnan(found), ~defined)
        np.testing.assert_allclose((found * below)[defined], above[defined], rtol=1e-12)
