"""Shift between two pictures of one field: sign, size, trust, and channels that look unlike each other."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import shift as move

from cellmetry.errors import ParameterError
from cellmetry.learn.generate import FieldLook, generate_field
from cellmetry.ops.shift import measure_shift

PAIR = generate_field(
    FieldLook(kind="brightfield", style="defocus", shape=(256, 256), diameter_px=(28, 32), density=(0.4, 0.5)), 1
)


@pytest.mark.parametrize("by", [(0, 0), (7, -4), (-12, 20), (0, 31)])
def test_the_shift_of_a_moved_picture_is_found_to_a_tenth_of_a_pixel(by: tuple[int, int]) -> None:
    image = PAIR.image.astype(np.uint16)
    found = measure_shift(image, move(image, by, order=1, mode="nearest"))
    assert (found.y, found.x) == pytest.approx((-by[0], -by[1]), abs=0.1)
    assert found.sharpness > 20
    assert found.length_px == pytest.approx(np.hypot(*by), abs=0.15)


@pytest.mark.parametrize("by", [(0, 0), (9, -6), (-15, 3)])
def test_channels_that_look_unlike_each_other_are_compared_by_their_edges(by: tuple[int, int]) -> None:
    moved = move(PAIR.image, by, order=1, mode="nearest")
    found = measure_shift(PAIR.channels["fluorescence"], moved)
    assert (found.y, found.x) == pytest.approx((-by[0], -by[1]), abs=2.0)
    assert found.sharpness > 9


def test_a_shift_between_unrelated_pictures_is_not_trusted() -> None:
    rng = np.random.default_rng(0)
    for _ in range(5):
        assert measure_shift(rng.random((128, 128)), rng.random((128, 128))).sharpness < 9


def test_flat_pictures_have_no_shift_and_no_trust() -> None:
    assert measure_shift(np.ones((32, 40)), np.ones((32, 40))) == (0.0, 0.0, 0.0)


def test_pictures_of_different_sizes_are_refused() -> None:
    with pytest.raises(ParameterError, match=r"\(32, 40\) and \(40, 32\)"):
        measure_shift(np.ones((32, 40)), np.ones((40, 32)))
