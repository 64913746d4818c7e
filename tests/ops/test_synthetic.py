"""Generated fields: exact truth, independent of tiling, reproducible."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from cellmetry.core.image import Box
from cellmetry.errors import ParameterError
from cellmetry.ops.synthetic import (
    CHANNELS,
    Condition,
    FieldOptions,
    PlateOptions,
    SyntheticField,
    field_image,
    field_labels,
    make_cells,
    make_plate,
    tile_field,
)

QUIET = FieldOptions(read_noise=0, gain=0, blur_px=0, background=0, gradient=0, brightness_spread=0)


def test_a_field_has_exactly_the_cells_asked_for() -> None:
    field = make_cells((256, 320), 12, seed=3)
    assert field.image.shape == (2, 256, 320)
    assert field.image.dtype == np.uint16
    assert field.labels.dtype == np.uint32
    np.testing.assert_array_equal(np.unique(field.labels), np.arange(13))
    np.testing.assert_array_equal(np.unique(field.nuclei), np.arange(13))
    assert np.all(field.labels[field.nuclei > 0] == field.nuclei[field.nuclei > 0])


def test_every_cell_is_one_piece_and_whole() -> None:
    field = make_cells((400, 400), 20, FieldOptions(touching=1.0), seed=1)
    for cell in range(1, 21):
        assert ndimage.label(field.labels == cell)[1] == 1
    border = np.concatenate([field.labels[0], field.labels[-1], field.labels[:, 0], field.labels[:, -1]])
    assert not border.any()


def test_touching_pairs_touch_and_others_do_not() -> None:
    apart = make_cells((400, 400), 20, FieldOptions(touching=0), seed=1)
    paired = make_cells((400, 400), 20, FieldOptions(touching=1), seed=1)
    assert ndimage.label(apart.labels > 0)[1] == 20
    assert ndimage.label(paired.labels > 0)[1] == 10


def test_the_truth_is_what_the_labels_and_the_light_say() -> None:
    field = make_cells((256, 256), 8, QUIET, seed=5)
    np.testing.assert_array_equal(field.truth.ids, np.arange(1, 9))
    np.testing.assert_array_equal(field.truth.area_px, np.bincount(field.labels.ravel())[1:])
    measured = ndimage.mean(field.image[1], field.labels, field.truth.ids)
    np.testing.assert_allclose(field.truth.mean_signal, measured, atol=0.5)
    assert field.image[0][field.nuclei == 0].max() == 0
    assert field.image[0].max() == 1200
    assert field.image[1].max() <= 700


def test_noise_has_the_variance_of_shot_and_read_noise() -> None:
    flat = FieldOptions(background=400, gradient=0, read_noise=6, gain=2)
    pixels = make_cells((600, 600), 0, flat).image.astype(float)
    assert pixels.mean() == pytest.approx(400, abs=0.2)
    assert pixels.var() == pytest.approx(2 * 400 + 36, rel=0.02)
    assert np.corrcoef(pixels[0].ravel(), pixels[1].ravel())[0, 1] == pytest.approx(0, abs=0.01)


def test_the_detector_saturates() -> None:
    field = make_cells((256, 256), 8, FieldOptions(dna=9000, detector_max=4095))
    assert field.image.max() == 4095
    assert np.mean(field.image[0][field.nuclei > 0] == 4095) > 0.5


def test_dark_cells_on_a_bright_background() -> None:
    field = make_cells((256, 256), 8, FieldOptions(background=3000, dark_on_bright=True))
    inside, outside = field.image[1][field.labels > 0], field.image[1][field.labels == 0]
    assert inside.mean() < outside.mean() - 300


def test_size_and_shape_follow_the_options() -> None:
    round_cells = FieldOptions(diameter_px=40, size_spread=0, irregularity=0, touching=0)
    area = make_cells((512, 512), 10, round_cells).truth.area_px
    np.testing.assert_allclose(area, np.pi * 20**2, rtol=0.01)


def test_the_seed_decides_everything_and_global_state_nothing() -> None:
    first = make_cells((256, 256), 9, seed=4)
    np.random.seed(1)  # noqa: NPY002  (shows that global state has no influence)
    again, other = make_cells((256, 256), 9, seed=4), make_cells((256, 256), 9, seed=5)
    np.testing.assert_array_equal(first.image, again.image)
    np.testing.assert_array_equal(first.labels, again.labels)
    assert not np.array_equal(first.labels, other.labels)


def test_too_many_cells_are_refused_with_the_possible_number() -> None:
    with pytest.raises(ParameterError, match="at most 2 do"):
        make_cells((120, 120), 50)


@cache
def whole_field(seed: int) -> SyntheticField:
    return tile_field(Box(0, 800, 0, 800), seed)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 500), st.integers(0, 500), st.integers(1, 300), st.integers(1, 300), st.integers(0, 3))
def test_any_part_of_the_boundless_field_is_the_same(y: int, x: int, height: int, width: int, seed: int) -> None:
    whole = whole_field(seed)
    box = Box(y, y + height, x, x + width)
    part = tile_field(box, seed)
    np.testing.assert_array_equal(part.image, whole.image[:, *box.slices])
    np.testing.assert_array_equal(part.labels, whole.labels[box.slices])
    np.testing.assert_array_equal(part.nuclei, whole.nuclei[box.slices])


def test_ids_of_the_boundless_field_are_unique_and_far_parts_work() -> None:
    near, far = tile_field(Box(0, 500, 0, 500)), tile_field(Box(50_000, 50_500, 90_000, 90_500))
    assert not set(near.truth.ids) & set(far.truth.ids)
    assert len(far.truth.ids) > 40
    for cell in near.truth.ids[:30]:
        assert ndimage.label(near.labels == cell)[1] == 1


def test_no_part_before_the_origin() -> None:
    with pytest.raises(ParameterError, match="starts at pixel 0"):
        tile_field(Box(-1, 10, 0, 10))


def test_a_plate_has_its_wells_conditions_and_effects() -> None:
    conditions = (Condition(name="control"), Condition(name="treated", signal_factor=2, count_factor=0.5))
    plate = make_plate(PlateOptions(conditions=conditions, shape=(300, 300), cells=16, repeats=2, fields=1), seed=7)
    assert [(field.well, field.number, field.condition) for field in plate] == [
        ("A01", 1, "control"),
        ("A02", 1, "treated"),
        ("B01", 1, "control"),
        ("B02", 1, "treated"),
    ]
    assert [len(field.field.truth.ids) for field in plate] == [16, 8, 16, 8]
    control, treated = plate[0].field.truth.mean_signal, plate[1].field.truth.mean_signal
    assert (treated.mean() - 150) / (control.mean() - 150) == pytest.approx(2, rel=0.3)
    assert not np.array_equal(plate[0].field.image, plate[2].field.image)


def test_core_types_of_a_field() -> None:
    field = make_cells((128, 200), 2)
    image, labels = field_image(field, pixel_size_um=0.5, name="a"), field_labels(field, pixel_size_um=0.5)
    assert image.axes == "CYX"
    assert image.channel_names == CHANNELS
    assert image.pixel_size.area_um2 == 0.25
    assert labels.pixel_size.area_um2 == 0.25
    np.testing.assert_array_equal(image.plane(c=1), field.image[1])
