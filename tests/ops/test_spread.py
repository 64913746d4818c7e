"""The factor from the median absolute deviation to the standard deviation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from cellmetry.ops.spread import SD_OF_MAD


def test_it_is_that_of_scipy() -> None:
    assert SD_OF_MAD * stats.norm.ppf(0.75) == pytest.approx(1, rel=1e-15)
    values = np.random.default_rng(0).normal(5, 3, 101)
    mad = np.median(np.abs(values - np.median(values)))
    assert SD_OF_MAD * mad == pytest.approx(stats.median_abs_deviation(values, scale="normal"), rel=1e-12)
