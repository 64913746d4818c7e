"""Backgrounds of one value: the darkest pixels, a stated value, a region."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pydantic import ValidationError

import cellmetry as cm
from cellmetry.core.image import ArraySource
from cellmetry.core.sample import Sample
from cellmetry.errors import LabelsError, ParameterError, UnknownName
from cellmetry.ops.correct import PlaneReader
from cellmetry.ops.subtract import SubtractDark, SubtractValue, dark_background, subtracted
from cellmetry.ops.subtract_region import SubtractRegion

images = arrays(np.uint16, st.tuples(st.integers(1, 12), st.integers(1, 12)), elements=st.integers(0, 300))
square = {"name": "empty", "rectangle": [0, 0, 4, 5]}


def two_channels() -> np.ndarray:
    return np.random.default_rng(5).integers(50, 200, (2, 20, 30)).astype(np.uint16)


def sample_of(array: np.ndarray, axes: str = "CYX", **rest) -> Sample:
    return Sample(cm.image_from_array(array, axes, **rest))


@given(images, st.sampled_from([0.0, 5.0, 12.5, 50.0]))
def test_dark_background_is_that_of_dualcellquant(pixels, percentile):
    native = pixels.astype(np.float32)
    expected = native[native <= np.percentile(native.astype(np.float64), percentile)].mean(dtype=np.float64)
    plane = PlaneReader(cm.image_from_array(pixels), 0, 0, 0)
    assert dark_background(plane, percentile) == pytest.approx(expected, rel=1e-9)


@given(images, st.integers(0, 1000))
def test_adding_a_constant_changes_nothing_after_dark_subtraction(pixels, constant):
    plain = SubtractDark()(sample_of(pixels, "YX")).image.read()
    shifted = SubtractDark()(sample_of(pixels + np.uint16(constant), "YX")).image.read()
    np.testing.assert_allclose(shifted, plain, atol=2e-4)


@given(images, st.floats(-500, 500))
def test_a_constant_shifts(pixels, constant):
    made = SubtractValue(values=(constant,))(sample_of(pixels, "YX")).image.read()
    np.testing.assert_allclose(made, pixels - constant, atol=1e-3)
    clipped = SubtractValue(values=(constant,), negatives="clip")(sample_of(pixels, "YX")).image.read()
    np.testing.assert_array_equal(clipped, np.maximum(made, 0))


def test_kept_negatives_leave_means_unbiased_where_clipping_does_not():
    noise = np.random.default_rng(0).normal(100, 10, (400, 400)).astype(np.float32)
    kept = SubtractValue(values=(100.0,))(sample_of(noise, "YX")).image.read()
    clipped = SubtractValue(values=(100.0,), negatives="clip")(sample_of(noise, "YX")).image.read()
    assert abs(kept.mean()) < 0.1
    assert clipped.mean() == pytest.approx(10 / np.sqrt(2 * np.pi), rel=0.02)


def test_channels_are_corrected_by_name_each_with_its_value():
    array = two_channels()
    sample = sample_of(array, channel_names=["DAPI", "GFP"])
    made = SubtractValue(channels=("gfp",), values=(7.0,))(sample)
    np.testing.assert_array_equal(made.image.read(), np.stack([array[0], array[1] - 7.0]))
    swapped = SubtractValue(channels=(1, 0), values=(7.0, 3.0))(sample)
    np.testing.assert_array_equal(swapped.image.read(), np.stack([array[0] - 3.0, array[1] - 7.0]))
    assert made.image.dtype == np.float32
    assert made.original is sample.image
    with pytest.raises(ParameterError, match="3 values for 2 channels"):
        SubtractValue(values=(1, 2, 3))(sample)
    with pytest.raises(UnknownName):
        SubtractDark(channels=("RFP",))(sample)


def test_planes_of_a_stack_have_each_their_own_background():
    array = np.stack([np.full((6, 6), 10), np.full((6, 6), 90)]).astype(np.uint8)
    assert not SubtractDark()(sample_of(array, "ZYX")).image.read().any()


def test_pixels_that_are_no_numbers_stay_so_and_do_not_count():
    array = np.full((8, 8), 5.0, np.float32)
    array[0, 0], array[1, 1] = np.nan, -np.inf
    made = SubtractDark(negatives="clip")(sample_of(array, "YX")).image.read()
    assert np.isnan(made[0, 0])
    assert np.nansum(np.abs(made)) == 0
    assert subtracted(np.float32([[np.nan]]), 1.0, "clip").dtype == np.float32
    none = SubtractDark()(sample_of(np.full((4, 4), np.nan, np.float32), "YX")).image.read()
    assert np.isnan(none).all()


def test_dark_backgrounds_of_real_images(shared):
    pixels = [cm.open_image(shared / "data" / "dualcolour" / f"0.5_C00{n}Z003.png", rgb="channels") for n in (1, 2)]
    found = [dark_background(PlaneReader(image, 0, 0, 0), 5.0) for image in pixels]
    # The old program's grey is 0.9999 of the stored value.
    assert found == pytest.approx([10.990544 / 0.9999, 9.993996 / 0.9999], rel=1e-6)


@pytest.mark.parametrize(("statistic", "of"), [("mean", np.mean), ("median", np.median)])
def test_a_drawn_region(statistic, of):
    array = two_channels()
    made = SubtractRegion(shapes=(square,), statistic=statistic)(sample_of(array)).image.read()
    expected = array - of(array[:, :4, :5].astype(float), axis=(1, 2))[:, None, None]
    np.testing.assert_allclose(made, expected, atol=1e-4)


def test_several_shapes_and_a_polygon_count_each_pixel_once():
    array = two_channels()[:1]
    polygon = {"name": "wedge", "polygon": [[2, 2], [2, 12], [12, 2]]}
    made = SubtractRegion(shapes=(square, polygon))(sample_of(array)).image.read()
    y, x = np.mgrid[:20, :30] + 0.5
    held = ((y < 4) & (x < 5)) | ((y > 2) & (x > 2) & (y + x < 14))
    np.testing.assert_allclose(made[0], array[0] - array[0][held].mean(), atol=1e-4)


def test_labels_as_region_in_each_plane_their_own():
    array = np.stack([two_channels()[0], two_channels()[1]])
    regions = np.zeros((2, 20, 30), np.uint32)
    regions[0, :5], regions[1, 10:, 20:] = 3, 9
    sample = sample_of(array, "TYX").with_labels("empty", cm.labels_from_array(regions, "TYX"))
    made = SubtractRegion(labels="empty", statistic="median")(sample).image.read()
    for t in range(2):
        np.testing.assert_allclose(made[t], array[t] - np.median(array[t][regions[t] > 0]), atol=1e-4)
    flat = sample_of(array, "TYX").with_masks({"empty": cm.labels_from_array(regions[0])})
    made = SubtractRegion(labels="empty")(flat).image.read()
    np.testing.assert_allclose(made[1], array[1] - array[1, :5].mean(), atol=1e-4)


def test_regions_that_are_not_there_are_errors():
    sample = sample_of(two_channels())
    outside = SubtractRegion(shapes=({"name": "far", "rectangle": [100, 100, 120, 120]},))(sample)
    with pytest.raises(ParameterError, match="holds no pixel of image"):
        outside.image.read()
    with pytest.raises(ParameterError, match="None of the background regions"):
        SubtractRegion(shapes=({**square, "image": "other"},))(sample)
    with pytest.raises(ParameterError, match="No step before"):
        SubtractRegion(labels="empty")(sample)
    with pytest.raises(LabelsError):
        SubtractRegion(labels="empty")(sample.with_labels("empty", cm.labels_from_array(np.ones((3, 3), np.uint8))))
    for wrong in ({}, {"shapes": (square,), "labels": "empty"}):
        with pytest.raises(ValidationError, match="either shapes or labels"):
            SubtractRegion(**wrong)


def test_no_whole_slide_is_ever_read():
    class Slide(ArraySource):
        largest = 0

        def read(self, t, c, z, box, level=0):
            Slide.largest = max(Slide.largest, box.shape[0] * box.shape[1])
            return np.full(box.shape, 12, np.uint16)

        @property
        def shape(self):
            return 1, 1, 1, 6000, 7000

    slide = Slide(np.zeros((1, 1, 1, 1, 1), np.uint16))
    image = cm.Image(slide, "YX", cm.image_from_array(np.zeros((1, 1))).channels)
    made = SubtractDark()(Sample(image)).image
    assert not made.plane(box=cm.core.image.Box(5000, 5010, 3, 40)).any()
    assert Slide.largest <= 1 << 24
