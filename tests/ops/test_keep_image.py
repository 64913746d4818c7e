"""Kept images: their types, and what is clipped."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pydantic import ValidationError

import cellmetry as cm
from cellmetry.core.image import Box
from cellmetry.core.sample import Sample
from cellmetry.errors import ParameterError
from cellmetry.ops.keep_image import KeepImage
from cellmetry.ops.subtract import SubtractValue

values = arrays(np.float32, (4, 5), elements=st.floats(-1e5, 1e5, width=32))


def kept(array: np.ndarray, axes: str = "YX", **parameters) -> tuple[cm.Image, tuple[str, ...]]:
    made = KeepImage(**parameters)(Sample(cm.image_from_array(array, axes)))
    return made.maps[parameters.get("made", "corrected")], made.warnings


@given(values)
def test_32_bits_change_nothing_and_16_round_and_clip(array):
    image, notes = kept(array)
    assert image.dtype == np.float32
    np.testing.assert_array_equal(image.read(), array)
    assert not notes
    image, notes = kept(array, bits=16)
    assert image.dtype == np.uint16
    np.testing.assert_array_equal(image.read(), np.clip(np.rint(array), 0, 65535))
    clipped = int(((np.rint(array) < 0) | (np.rint(array) > 65535)).sum())
    assert [note.split()[0] for note in notes] == ([str(clipped)] if clipped else [])


def test_what_is_no_number_becomes_0_in_whole_numbers():
    array = np.array([[np.nan, np.inf, -np.inf, 3.4]], np.float32)
    image, notes = kept(array, bits=16)
    assert image.read().tolist() == [[0, 65535, 0, 3]]
    assert notes[0].startswith("3 pixels")
    assert kept(array, bits=8, limits=(0, 6.8))[0].read().tolist() == [[0, 255, 0, 128]]
    flat = np.array([[5, 5, np.inf]], np.float32)
    assert kept(flat, bits=8)[0].read().tolist() == [[0, 0, 0]]


def test_8_bits_are_stretched_for_each_channel_over_all_its_planes():
    array = np.stack([np.arange(100).reshape(4, 5, 5), 1000 + 3 * np.arange(100).reshape(4, 5, 5)], axis=1)
    image, notes = kept(array.astype(np.uint16), "ZCYX", bits=8)
    assert not notes
    assert image.dtype == np.uint8
    made = image.read()
    np.testing.assert_array_equal(made[0], made[1])
    np.testing.assert_array_equal(made[0].ravel(), np.rint(np.arange(100) / 99 * 255))
    narrow = kept(array.astype(np.uint16), "ZCYX", bits=8, percentiles=(10, 90))[0].read()
    assert (narrow[1] == 255).sum() == 11
    assert (narrow[1] == 0).sum() == 11
    np.testing.assert_array_equal(image.plane(c=1, z=2, box=Box(1, 3, 2, 5)), made[1, 2, 1:3, 2:5])


def test_some_channels_under_a_name_as_they_are_at_this_step():
    array = np.random.default_rng(0).integers(0, 99, (3, 6, 7)).astype(np.uint8)
    sample = Sample(cm.image_from_array(array, "CYX", channel_names=["a", "b", "c"]))
    sample = KeepImage(made="before", channels=("c", 0))(sample)
    sample = KeepImage(made="after", channels=("b",))(SubtractValue(values=(9.5,))(sample))
    assert sample.maps["before"].channel_names == ("c", "a")
    np.testing.assert_array_equal(sample.maps["before"].read(), array[[2, 0]])
    np.testing.assert_array_equal(sample.maps["after"].read(), array[[1]] - 9.5)
    with pytest.raises(ParameterError, match="already"):
        KeepImage(made="after")(sample)


def test_parameters_that_do_not_fit_are_errors():
    for wrong in (
        {"limits": (0, 9)},
        {"bits": 8, "limits": (0, 9), "percentiles": (1, 99)},
        {"bits": 8, "limits": (9, 9)},
        {"bits": 8, "percentiles": (1, 101)},
        {"bits": 12},
        {"made": "../up"},
    ):
        with pytest.raises(ValidationError):
            KeepImage(**wrong)
