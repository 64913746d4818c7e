"""Channel registration: moving by parts of a pixel, shifts measured and given, and what cannot be trusted."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from cellmetry.core.image import Box, Image, image_from_array
from cellmetry.core.labels import labels_from_array
from cellmetry.core.parameters import parse_parameters
from cellmetry.core.sample import Sample
from cellmetry.errors import InputError, ParameterError
from cellmetry.measure.step import Measure
from cellmetry.ops.align import SHIFT_COLUMNS, AlignChannels
from cellmetry.ops.chromatic import ShiftOptions, measure_channel_shifts
from cellmetry.ops.moving import move_in

SMOOTH = (100 * ndimage.gaussian_filter(np.random.default_rng(0).random((80, 90)), 3)).astype(np.float32)
SHIFTS = [(0.0, 0.0), (2.3, -1.7), (-0.5, 0.25), (3.0, -4.0), (100.0, 0.0), (0.0, -0.2)]


def move_plane(plane: np.ndarray, shift: tuple[float, float], order: int = 1) -> np.ndarray:
    """Return a whole plane moved."""
    whole = Box(0, plane.shape[0], 0, plane.shape[1])
    return move_in(lambda box: plane[box.slices].astype(np.float32), plane.shape, whole, shift, order)


def beads(*shifts: tuple[float, float], scale: float = 1.0, seed: int = 0) -> Image:
    """Return an image of beads, each channel moved by a shift; the last one scaled too."""
    rng = np.random.default_rng(seed)
    places = rng.uniform(10, 290, (60, 2))
    y, x = np.mgrid[:300, :320]
    planes = []
    for number, (down, right) in enumerate(shifts):
        size = scale if number == len(shifts) - 1 else 1.0
        light = np.full((300, 320), 100.0)
        for row, column in places * size:
            light += 2000 * np.exp(-((y - row - down) ** 2 + (x - column - right) ** 2) / (2 * 1.6**2))
        planes.append(rng.poisson(light))
    names = ["red", "green", "blue", "far"][: len(planes)]
    return image_from_array(np.stack(planes).astype(np.uint16), "CYX", channel_names=names, name="beads")


@pytest.mark.parametrize("shift", SHIFTS)
@pytest.mark.parametrize("order", [0, 1])
def test_moving_is_that_of_scipy(shift: tuple[float, float], order: int) -> None:
    by = shift if order else tuple(np.floor(np.array(shift) + 0.5))
    expected = ndimage.shift(SMOOTH.astype(np.float64), by, order=order, cval=np.nan)
    np.testing.assert_allclose(move_plane(SMOOTH, shift, order), expected, atol=1e-4)


def test_cubic_moving_is_exact_for_parabolas_and_better_than_linear_for_smooth_pictures() -> None:
    y, x = np.mgrid[:40, :50].astype(np.float32)
    moved = move_plane((y - 20) ** 2 - 2 * x, (0.3, -0.6), 3)
    np.testing.assert_allclose(moved[4:-4, 4:-4], ((y - 20.3) ** 2 - 2 * (x + 0.6))[4:-4, 4:-4], atol=1e-3)
    true = ndimage.shift(SMOOTH.astype(np.float64), (0.5, 0.5), order=5, mode="nearest")[9:-9, 9:-9]
    linear, cubic = (np.abs(move_plane(SMOOTH, (0.5, 0.5), order)[9:-9, 9:-9] - true).max() for order in (1, 3))
    assert cubic < linear / 5


@given(
    st.tuples(st.floats(-60, 60), st.floats(-60, 60)),
    st.sampled_from([0, 1, 3]),
    st.tuples(st.integers(0, 60), st.integers(1, 20), st.integers(0, 70), st.integers(1, 20)),
)
def test_a_part_is_the_same_part_of_the_whole(shift: tuple[float, float], order: int, at: tuple) -> None:
    box = Box(at[0], at[0] + at[1], at[2], at[2] + at[3])
    part = move_in(lambda wanted: SMOOTH[wanted.slices], SMOOTH.shape, box, shift, order)
    np.testing.assert_array_equal(part, move_plane(SMOOTH, shift, order)[box.slices])


def test_moving_there_and_back_by_whole_pixels_changes_no_value() -> None:
    back = move_plane(move_plane(SMOOTH, (3, -5), 0), (-3, 5), 0)
    inside = np.isfinite(back)
    assert inside.sum() == 77 * 85
    np.testing.assert_array_equal(back[inside], SMOOTH[inside])


def test_measured_channels_lie_on_the_reference() -> None:
    image = beads((0, 0), (4.4, -2.7), (-1.3, 0.6))
    after = AlignChannels(reference="red", order=3)(Sample(image))
    table = after.tables["shifts"]
    np.testing.assert_allclose(table[["y_px", "x_px"]], [[-4.4, 2.7], [1.3, -0.6]], atol=0.15)
    assert table["moved"].all()
    assert [column.name for column in table.attrs["columns"]] == list(table.columns)
    red, green, blue = (after.image.plane(c=c)[12:-12, 12:-12] for c in range(3))
    before = image.plane(c=1)[12:-12, 12:-12].astype(float)
    assert np.corrcoef(red.ravel(), before.ravel())[0, 1] < 0.3
    assert min(np.corrcoef(red.ravel(), other.ravel())[0, 1] for other in (green, blue)) > 0.97
    np.testing.assert_array_equal(after.image.plane(c=0), image.plane(c=0))
    np.testing.assert_array_equal(after.unprocessed.plane(c=0), image.plane(c=0))


def test_what_comes_in_from_outside_is_nan_and_counted_by_measure() -> None:
    image = image_from_array(np.full((2, 20, 30), 7, np.uint16), "CYX", channel_names=["a", "b"])
    labels = labels_from_array(np.ones((20, 30), np.int32))
    step = AlignChannels(reference="a", method="given", shifts=[{"channel": "b", "y_px": 2, "x_px": 0}])
    after = Measure(features=("intensity",))(step(Sample(image, {"cells": labels})))
    assert after.tables["cells"]["mean_b"].tolist() == [7.0]
    assert after.tables["cells"]["nan_px_b"].tolist() == [60]
    assert after.tables["shifts"]["sharpness"].isna().all()


def test_every_plane_has_a_shift_of_its_own() -> None:
    moved = [beads((0, 0), by, seed=3).read() for by in ((1, 0), (0, 5), (-3, 2))]
    image = image_from_array(np.stack(moved, axis=1), "CZYX", channel_names=["red", "green"])
    table = AlignChannels(reference="red")(Sample(image)).tables["shifts"]
    assert table["z"].tolist() == [0, 1, 2]
    np.testing.assert_allclose(table[["y_px", "x_px"]], [[-1, 0], [0, -5], [3, -2]], atol=0.15)


def test_a_shift_that_cannot_be_trusted_leaves_the_plane_with_a_warning_or_is_refused() -> None:
    noise = np.random.default_rng(0).integers(0, 999, (2, 128, 128), dtype=np.uint16)
    image = image_from_array(noise, "CYX", channel_names=["a", "b"])
    after = AlignChannels(reference="a")(Sample(image))
    np.testing.assert_array_equal(after.image.read(), noise)
    assert not after.tables["shifts"]["moved"].any()
    assert "channel b against a in frame 0, Z plane 0 cannot be trusted" in after.warnings[0]
    with pytest.raises(InputError, match="cannot be trusted"):
        AlignChannels(reference="a", doubtful="refuse")(Sample(image))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"method": "given"}, "needs shifts"),
        ({"shifts": [{"channel": "b", "y_px": 1, "x_px": 0}]}, "shifts has no meaning with method 'measure'"),
        (
            {"method": "given", "shifts": [{"channel": "b", "y_px": 1, "x_px": 0}], "largest_px": 9},
            "largest_px has no meaning with method 'given'",
        ),
    ],
)
def test_parameters_that_would_do_nothing_are_refused(given: dict, said: str) -> None:
    with pytest.raises(ParameterError, match=said):
        parse_parameters(AlignChannels, {"reference": "a", **given}, where="step")


def test_the_reference_is_not_moved() -> None:
    image = beads((0, 0), (1, 1))
    with pytest.raises(ParameterError, match="is the reference"):
        AlignChannels(reference="red", channels=("red",))(Sample(image))
    step = AlignChannels(reference="red", method="given", shifts=[{"channel": "RED", "y_px": 1, "x_px": 1}])
    with pytest.raises(ParameterError, match="or the reference"):
        step(Sample(image))


def test_columns_of_the_shifts_are_described() -> None:
    assert all(column.definition.endswith(".") for column in SHIFT_COLUMNS)


def test_a_calibration_tells_shift_and_what_no_shift_mends() -> None:
    green, far = measure_channel_shifts(beads((0, 0), (1.3, -2.6), (0, 0), scale=1.012), "red")[:2]
    assert (green.shift.y, green.shift.x) == pytest.approx((-1.3, 2.6), abs=0.12)
    assert green.parts == 9
    assert green.residual_px < 0.3
    assert far.channel == "blue"
    assert far.residual_px > 0.7


def test_a_calibration_without_common_structure_or_second_channel_is_refused() -> None:
    noise = np.random.default_rng(0).integers(0, 999, (2, 96, 96), dtype=np.uint16)
    image = image_from_array(noise, "CYX", channel_names=["a", "b"])
    with pytest.raises(InputError, match=r"cannot be trusted in b"):
        measure_channel_shifts(image, "a")
    assert measure_channel_shifts(image, "a", ShiftOptions(least_sharpness=0))
    with pytest.raises(ParameterError, match="1 channels"):
        measure_channel_shifts(image_from_array(noise[0]), "0")


@pytest.mark.parametrize("order", [0, 1, 3])
@pytest.mark.parametrize("shift", [(0.0, 6.0), (2.4, -3.7)])
def test_saturation_moves_with_the_channel(order, shift):
    """A value that a saturated pixel has a part in counts as saturated, at its new place and nowhere else."""
    pixels = np.full((2, 40, 50), 90, np.uint8)
    pixels[1, 20:24, 25:29] = 255
    image = image_from_array(pixels, "CYX", channel_names=["a", "b"])
    moved = {"channel": "b", "y_px": shift[0], "x_px": shift[1]}
    step = AlignChannels(reference="a", method="given", shifts=[moved], order=order)
    made = step(Sample(image))
    values, original = made.image.plane(c=1), made.unprocessed.plane(c=1)
    assert original.dtype == np.uint8
    inside = np.isfinite(values)
    np.testing.assert_array_equal(values[inside] > 90.01, (original[inside] == 255) & (values[inside] > 90.01))
    assert (original[inside & (np.abs(values - 90) < 1e-3)] <= 255).all()
    assert original[20 + round(shift[0]), 25 + round(shift[1])] == 255
    assert 16 <= np.count_nonzero(original == 255) <= {0: 16, 1: 25, 3: 49}[order]
    part = Box(3, 31, 7, 44)
    np.testing.assert_array_equal(made.unprocessed.plane(c=1, box=part), original[part.slices])
