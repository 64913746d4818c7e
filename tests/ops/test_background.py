"""The background on a coarse grid: known percentiles, gradients followed, objects left out."""

from __future__ import annotations

import numpy as np
import pytest

from cellmetry.core.image import Box
from cellmetry.ops.background import background_in, block_percentile, open_background


def test_percentiles_of_whole_and_cut_squares() -> None:
    pixels = np.arange(5 * 6, dtype=np.float32).reshape(5, 6)
    found = block_percentile(pixels, 4, 0)
    assert found.tolist() == [[0, 4], [24, 28]]


def test_a_gradient_is_followed_beneath_objects() -> None:
    y, x = np.mgrid[:320, :320]
    ground = (100 + 0.2 * y + 0.1 * x).astype(np.float32)
    pixels = ground.copy()
    pixels[100:130, 100:130] += 500
    coarse = block_percentile(pixels, 16, 25)
    found = background_in(Box(0, 320, 0, 320), open_background(coarse, 5), 16)
    assert found.shape == (320, 320)
    assert np.abs(found - ground)[64:-64, 64:-64].max() < 12


def test_a_part_is_the_same_as_in_the_whole() -> None:
    coarse = np.random.default_rng(0).random((7, 9)).astype(np.float32)
    full = background_in(Box(0, 100, 0, 140), coarse, 16)
    np.testing.assert_array_equal(background_in(Box(30, 60, 50, 90), coarse, 16), full[30:60, 50:90])


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (40, 1)])
def test_thin_planes(shape: tuple[int, int]) -> None:
    coarse = block_percentile(np.full(shape, 3, np.float32), 16, 25)
    opened = open_background(coarse, 1)
    np.testing.assert_array_equal(background_in(Box(0, shape[0], 0, shape[1]), opened, 16), np.full(shape, 3))
