"""Flat-field correction: known illumination is taken out again, part by part, and what cannot serve is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cellmetry.core.image import Box, image_from_array
from cellmetry.errors import InputError
from cellmetry.ops.correct import corrected
from cellmetry.ops.flat_field import FlatFieldCorrection, Illumination, correct_flat_field, illumination

Y, X = np.mgrid[-1:1:60j, -1:1:70j]
FLAT = (1 - 0.25 * (Y**2 + X**2)).astype(np.float32)


def test_even_light_comes_back_whatever_the_brightness_of_the_flat_field() -> None:
    light = illumination(700 * FLAT, np.full(FLAT.shape, 100, np.float32))
    seen = 250 * FLAT / FLAT.mean() + 100
    np.testing.assert_allclose(correct_flat_field(seen.astype(np.float32), light.flat, light.dark), 250, rtol=1e-5)
    assert light.flat.mean() == pytest.approx(1, abs=1e-6)


def test_values_below_the_dark_field_become_negative() -> None:
    light = illumination(np.ones((4, 4), np.float32), np.full((4, 4), 10, np.float32))
    assert (correct_flat_field(np.full((4, 4), 7, np.float32), light.flat, light.dark) == -3).all()


@given(st.floats(0.1, 1e4), st.floats(0, 500))
def test_brightness_scales_and_offsets_move_as_they_should(scale: float, offset: float) -> None:
    pixels = np.random.default_rng(0).uniform(10, 1000, FLAT.shape).astype(np.float32)
    flat = illumination(FLAT).flat
    expected = correct_flat_field(pixels, flat) * scale
    dark = np.full(FLAT.shape, offset, np.float32)
    made = correct_flat_field((pixels * scale + offset).astype(np.float32), flat, dark)
    np.testing.assert_allclose(made, expected, rtol=1e-3, atol=1e-3 * (scale + offset))


@pytest.mark.parametrize("bad", [0, -1, np.nan, np.inf])
def test_a_flat_field_by_which_nothing_can_be_divided_is_refused(bad: float) -> None:
    flat = FLAT.copy()
    flat[3, 4] = flat[5, 6] = bad
    with pytest.raises(InputError, match=r"2 of 4,200 pixels of the flat-field are 0"):
        illumination(flat)


def test_a_dark_field_of_another_size_or_without_numbers_is_refused() -> None:
    with pytest.raises(InputError, match="60 × 70 pixels and the dark-field 60 × 71"):
        illumination(FLAT, np.zeros((60, 71), np.float32))
    with pytest.raises(InputError, match="NaN"):
        illumination(FLAT, np.full(FLAT.shape, np.nan, np.float32))


def test_a_part_is_the_same_part_of_the_whole_and_other_channels_stay() -> None:
    pixels = np.random.default_rng(1).integers(0, 4000, (2, 60, 70), dtype=np.uint16)
    image = image_from_array(pixels, "CYX", channel_names=["DNA", "GFP"])
    made = corrected(image, FlatFieldCorrection({1: illumination(FLAT)}), ["GFP"])
    box = Box(7, 31, 20, 66)
    np.testing.assert_array_equal(made.plane(c=1, box=box), made.plane(c=1)[box.slices])
    np.testing.assert_array_equal(made.plane(c=0), pixels[0])
    np.testing.assert_allclose(made.plane(c=1), pixels[1] / (FLAT / FLAT.mean()), rtol=1e-5)


def test_a_plane_of_another_size_is_refused() -> None:
    image = image_from_array(np.ones((50, 70), np.uint16))
    made = corrected(image, FlatFieldCorrection({0: Illumination(FLAT)}))
    with pytest.raises(InputError, match=r"60 × 70 pixels but the image 50 × 70"):
        made.plane()
