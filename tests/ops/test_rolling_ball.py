"""Rolling ball and sliding paraboloid: ImageJ's own pixels, definitions worked out by hand, and invariants."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage
from skimage.io import imread
from skimage.restoration import rolling_ball

import cellmetry as cm
from cellmetry.core.image import Box
from cellmetry.core.sample import Sample
from cellmetry.errors import CellmetryError, InputError
from cellmetry.measure.imagej import measure_imagej
from cellmetry.measure.table import measure
from cellmetry.ops.correct import PlaneReader
from cellmetry.ops.imagej_ball import imagej_ball, mean_3x3, roll_ball
from cellmetry.ops.paraboloid import paraboloid_background
from cellmetry.ops.rolling_ball import RollingBall, imagej_background, subtract_imagej, subtract_skimage
from cellmetry.pipeline.recipe import parse_recipe

CELLS = "data/dualcolour/0.0_Z003_cell_masks.tif"
CASES = {
    "bbbc039_A21_s1_w1D_r50": ("data/bbbc039/images/A21_s1_w1D.tif", "data/bbbc039/labels/A21_s1_w1D.png"),
    "dual_C001_r50": ("data/dualcolour/0.5_C001Z003.png", CELLS),
    "dual_C001_r8": ("data/dualcolour/0.5_C001Z003.png", CELLS),
    "dual_C002_r50": ("data/dualcolour/0.5_C002Z003.png", CELLS),
}
OPTIONS = [{}, {"light_background": True}, {"sliding_paraboloid": True}, {"smooth": False}]


def scene(shape: tuple[int, int] = (90, 110), dtype: type = np.uint16) -> np.ndarray:
    """Return spots and noise on a slope."""
    rng = np.random.default_rng(3)
    y, x = np.mgrid[: shape[0], : shape[1]]
    light = 20 + 0.3 * x + 0.2 * y + rng.normal(0, 2, shape)
    for cy, cx in rng.uniform(0, 1, (9, 2)) * shape:
        light = light + 60 * np.exp(-((y - cy) ** 2 + (x - cx) ** 2) / 18)
    return light.clip(0, 255).astype(dtype)


def corrected_plane(pixels: np.ndarray, **options: object) -> np.ndarray:
    return RollingBall(**options)(Sample(cm.image_from_array(pixels))).image.plane()


@pytest.mark.parametrize("case", CASES)
def test_every_pixel_and_cell_is_what_imagej_made(shared, case):
    image_path, labels_path = (shared / path for path in CASES[case])
    golden = imread(shared / f"golden/imagej/{case}_bgsub.tif")
    step = RollingBall(radius_px=float(case.rpartition("_r")[2]))
    made = step(Sample(cm.image_from_array(imread(image_path)))).image
    assert made.dtype == np.float32
    np.testing.assert_array_equal(made.plane(), golden)
    labels = cm.labels_from_array(imread(labels_path))
    printed = pd.read_csv(shared / f"golden/imagej/{case}_measure.csv", index_col=0).set_index("label_id")
    as_imagej = measure_imagej(made, labels).set_index("label").loc[printed.index]
    for name in ("Mean", "IntDen", "RawIntDen"):
        np.testing.assert_allclose(as_imagej[name], printed[name], rtol=0, atol=0.000501)
    ours = measure(made, labels).set_index("label").loc[printed.index]
    np.testing.assert_allclose(ours["mean_channel0"], printed["Mean"], rtol=0, atol=0.000501)
    np.testing.assert_allclose(ours["sum_channel0"], printed["IntDen"], rtol=0, atol=0.000501)


def test_native_gives_the_means_known_for_real_cells(shared):
    """Figures of the old program's analysis, where ImageJ gives 8.82, 44.2 and 15.8."""
    pixels, labels = (imread(shared / path) for path in CASES["dual_C002_r50"])
    around = np.s_[:280, 100:380]
    made = subtract_skimage(pixels[around], 50)
    assert made[labels[around] == 1].mean() == pytest.approx(46.1, abs=0.05)


@pytest.mark.parametrize(
    ("radius", "shrink", "side", "top"),
    [(8, 1, 15, 8), (10, 1, 17, 10), (20, 2, 17, 10), (50, 4, 19, 12.5), (200, 8, 31, 25), (1, 1, 3, 1)],
)
def test_the_ball_is_shrunken_and_trimmed(radius, shrink, side, top):
    ball = imagej_ball(radius)
    assert (ball.shrink, ball.patch.shape) == (shrink, (side, side))
    assert ball.patch[side // 2, side // 2] == top
    assert ball.patch.min() >= 0


def test_without_shrinking_it_is_a_grey_opening():
    pixels, ball = scene().astype(np.float32), imagej_ball(7)
    pad = 2 * ball.reach
    wide = np.pad(pixels, pad, constant_values=1e6)
    flat = ndimage.grey_erosion(wide, structure=ball.patch, mode="constant", cval=1e6)
    opened = ndimage.grey_dilation(flat, structure=ball.patch, mode="constant", cval=-1e6)
    np.testing.assert_allclose(roll_ball(pixels, ball), opened[pad:-pad, pad:-pad], atol=1e-3)


def test_the_mean_is_of_3_by_3_pixels():
    pixels = scene().astype(np.float32)
    np.testing.assert_allclose(mean_3x3(pixels), ndimage.uniform_filter(pixels, 3, mode="nearest"), rtol=1e-6)


def test_between_shrunken_pixels_a_ramp_stays_a_ramp():
    """The ball lies on the lowest pixel of each block, half a block less half a pixel before its middle."""
    ramp = np.tile(np.arange(160, dtype=np.float32) * 0.25, (80, 1))
    background = imagej_background(ramp, 50, smooth=False)
    np.testing.assert_allclose((ramp - background)[:, 40:120], 1.5 * 0.25, atol=1e-3)


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.int16, bool])
@pytest.mark.parametrize("shape", [(70, 90), (1, 1), (1, 40), (40, 2), (3, 3)])
def test_a_flat_plane_is_all_background(options, dtype, shape):
    pixels = np.full(shape, 1, dtype)
    light = options.get("light_background", False) and dtype is not np.float32
    largest = 1 if dtype is bool else np.iinfo(dtype).max if light else 0
    made = subtract_imagej(pixels, 20, **options)
    np.testing.assert_allclose(made, largest if light else 0, atol=1e-5)
    background = subtract_imagej(pixels, 20, create_background=True, **options)
    np.testing.assert_allclose(background, 1, atol=1e-5)


@pytest.mark.parametrize("options", OPTIONS)
def test_image_less_background_is_the_result(options):
    pixels = scene()
    result = subtract_imagej(pixels, 12, **options)
    background = subtract_imagej(pixels, 12, create_background=True, **options)
    assert (result == np.floor(result)).all()
    expected = pixels - background + (65535 if "light_background" in options else 0)
    np.testing.assert_allclose(result, expected.clip(0, 65535), atol=1)
    exact = pixels.astype(np.float32)
    parts = [subtract_imagej(exact, 12, create_background=create, **options) for create in (False, True)]
    np.testing.assert_allclose(parts[0] + parts[1], exact, rtol=1e-6)


@pytest.mark.parametrize("paraboloid", [False, True])
def test_light_is_the_inverse_of_dark(paraboloid):
    pixels = scene(dtype=np.uint8)
    dark = subtract_imagej(pixels, 12, sliding_paraboloid=paraboloid)
    light = subtract_imagej(255 - pixels, 12, sliding_paraboloid=paraboloid, light_background=True)
    np.testing.assert_allclose(255 - light, dark, atol=1)
    assert (255 - light == dark).mean() > 0.95


@settings(max_examples=40)
@given(
    arrays(np.float32, st.tuples(st.integers(1, 30), st.integers(1, 30)), elements=st.integers(0, 200)),
    st.sampled_from([1, 3, 7.5]),
)
def test_no_background_is_above_what_it_rolls_or_slides_under(pixels, radius):
    assert (imagej_background(pixels, radius, smooth=False) <= pixels + 1e-3).all()
    assert (paraboloid_background(pixels, radius, smooth=False) <= pixels).all()


def brute_parabola(line: np.ndarray, bend: float) -> np.ndarray:
    """Return the highest value that any parabola below the line has at each place, from all pairs that it may touch."""
    n = np.arange(line.size)
    lifted = line + bend * n**2
    out = lifted.copy()
    for a in n:
        for b in n[a + 1 :]:
            out[a : b + 1] = np.minimum(out[a : b + 1], np.linspace(lifted[a], lifted[b], b - a + 1))
    return out - bend * n**2


@settings(max_examples=40)
@given(arrays(np.float32, st.integers(1, 25), elements=st.integers(0, 60)), st.sampled_from([1, 4, 30]))
def test_along_a_line_the_parabola_is_exact(line, radius):
    expected = brute_parabola(line.astype(np.float64), 0.5 / radius)
    for plane in (line[None], line[:, None]):
        made = paraboloid_background(plane, radius, smooth=False)
        np.testing.assert_allclose(made.ravel(), expected, atol=1e-3)


def test_a_paraboloid_of_larger_radius_is_its_own_background():
    y, x = np.mgrid[-40:41, -40:41]
    wide = (100 - 0.5 / 60 * (x**2 + y**2)).astype(np.float32)
    np.testing.assert_allclose(paraboloid_background(wide, 50, smooth=False), wide, atol=1e-3)
    narrow = (100 - 0.5 / 10 * (x**2 + y**2)).astype(np.float32)
    assert (narrow - paraboloid_background(narrow, 50, smooth=False)).max() > 20


def test_a_ramp_is_its_own_background_for_the_paraboloid():
    y, x = np.mgrid[:60, :70].astype(np.float32)
    ramp = 3 * x + 2 * y
    np.testing.assert_allclose(paraboloid_background(ramp, 20, smooth=False), ramp, atol=1e-3)
    smoothed = paraboloid_background(ramp, 20)
    assert np.abs(smoothed - ramp)[12:-12, 12:-12].max() < 0.1


@pytest.mark.parametrize("corner", [np.s_[:6, :6], np.s_[:6, -6:], np.s_[-6:, :6], np.s_[-6:, -6:]])
def test_an_object_in_a_corner_is_no_background(corner):
    pixels = np.full((80, 100), 10, np.float32)
    pixels[corner] = 110
    assert (pixels - paraboloid_background(pixels, 50, smooth=False))[corner].min() > 90


@pytest.mark.parametrize("turn", [1, 2, 3])
def test_the_ball_knows_no_direction(turn):
    pixels = scene((96, 96))
    for options in ({}, {"radius_px": 8.0}):
        whole = corrected_plane(pixels, **options)
        np.testing.assert_array_equal(corrected_plane(np.rot90(pixels, turn), **options), np.rot90(whole, turn))


PARTS = [
    {"radius_px": 3.0},
    {"radius_px": 16.0},
    {"radius_px": 40.0, "smooth": False},
    {"radius_px": 40.0, "light_background": True},
    {"radius_px": 130.0},
    {"radius_px": 20.0, "sliding_paraboloid": True},
    {"radius_px": 6.5, "variant": "native"},
    {"radius_px": 5.0, "variant": "unit"},
]
LARGE = scene((330, 290))
WHOLE = {}


@settings(max_examples=60)
@given(st.sampled_from(range(len(PARTS))), st.data())
def test_any_part_is_that_part_of_the_whole(which, data):
    step, image = RollingBall(**PARTS[which]), cm.image_from_array(LARGE)
    part = step.correction(image).prepare(PlaneReader(image, 0, 0, 0))
    if which not in WHOLE:
        WHOLE[which] = part(image.plane_box)
    y0, x0 = data.draw(st.integers(0, 329)), data.draw(st.integers(0, 289))
    box = Box(y0, data.draw(st.integers(y0 + 1, 330)), x0, data.draw(st.integers(x0 + 1, 290)))
    np.testing.assert_array_equal(part(box), WHOLE[which][box.slices])


def test_native_and_unit_are_those_of_scikit_image():
    pixels = scene((60, 70), np.uint8)
    values = pixels.astype(np.float32)
    native = corrected_plane(pixels, variant="native", radius_px=9)
    np.testing.assert_array_equal(native, np.maximum(values - rolling_ball(values, radius=9), 0))
    unit = corrected_plane(pixels, variant="unit", radius_px=9)
    expected = np.maximum(values / 255 - rolling_ball(values / 255, radius=9), 0) * 255
    np.testing.assert_allclose(unit, expected, atol=1e-3)
    assert unit.mean() < 0.8 * native.mean()


def test_unit_means_the_detectors_maximum():
    pixels = scene((60, 70)) * np.uint16(16)
    pixels[0, 0] = 3000
    made = corrected_plane(pixels, variant="unit", radius_px=5)
    np.testing.assert_allclose(made, subtract_skimage(pixels, 5, maximum=4095), atol=1e-3)


def test_only_the_channels_named_are_corrected():
    pixels = np.stack([scene(), scene() + 7])
    image = cm.image_from_array(pixels, "CYX", channel_names=["a", "b"])
    sample = RollingBall(channels=("b",), radius_px=9)(Sample(image))
    np.testing.assert_array_equal(sample.image.plane(c=0), pixels[0])
    np.testing.assert_array_equal(sample.image.plane(c=1), subtract_imagej(pixels[1], 9))
    assert sample.unprocessed is image


def test_fractional_pixels_are_neither_rounded_nor_clipped():
    pixels = scene(dtype=np.float32) / 255
    made = corrected_plane(pixels, radius_px=9)
    assert made.min() < 0
    assert (made != np.round(made)).any()


@pytest.mark.parametrize(
    "wrong",
    [
        {"variant": "native", "light_background": True},
        {"variant": "unit", "smooth": True},
        {"variant": "native", "create_background": True},
        {"variant": "unit", "sliding_paraboloid": True},
        {"radius_px": 0},
        {"radius_px": 0.5},
    ],
)
def test_what_a_variant_cannot_do_is_refused(wrong):
    with pytest.raises(CellmetryError):
        parse_recipe({"steps": [{"step": "rolling_ball", **wrong}]})


def test_pixels_that_are_no_numbers_are_refused():
    pixels = np.ones((20, 20), np.float32)
    pixels[3, 4] = np.nan
    for variant in ("imagej", "native"):
        with pytest.raises(InputError, match="channel0"):
            corrected_plane(pixels, variant=variant)
