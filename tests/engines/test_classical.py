"""The engine classical: contract, known truth, bad pixels, every option does what it says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from skimage.io import imread

import cellmetry as cm
from cellmetry.engines.base import load_engine
from cellmetry.engines.segment import Segment, segment_with
from cellmetry.errors import InputError, ParameterError, UnknownName
from cellmetry.ops.matching import match_labels
from cellmetry.ops.synthetic import FieldOptions, make_cells
from cellmetry.testing.engine import EngineContract, disc_image


class TestContract(EngineContract):
    """The engine keeps to the contract of all tile engines."""

    def make(self):
        return load_engine("classical")


@pytest.fixture(scope="module")
def field():
    return make_cells((512, 512), 60, seed=3)


def found(pixels: np.ndarray, **parameters: object) -> np.ndarray:
    image = cm.image_from_array(pixels, "CYX" if pixels.ndim == 3 else None)
    return cm.segment(image, engine="classical", cleanup={"min_area_px": 20}, **parameters).read()


def discs(n: int = 12, radius: float = 12, side: int = 256) -> tuple[np.ndarray, np.ndarray]:
    centres = tuple((40 + 60 * (i // 4), 35 + 55 * (i % 4)) for i in range(n))
    light, labels = disc_image(centres, radius, (side, side))
    noise = np.random.default_rng(0).normal(0, 4, light.shape)
    return np.clip(100 + 400 * light + noise, 0, None).astype(np.uint16), labels


def test_generated_cells_are_found(field) -> None:
    labels = found(field.image[1])
    assert match_labels(field.labels, labels).f1 > 0.9


@pytest.mark.parametrize("diameter_px", [14, 24, 60])
def test_touching_cells_of_any_size_are_found_without_being_told_their_size(diameter_px: float) -> None:
    side = int(16 * diameter_px)
    field = make_cells((side, side), 40, FieldOptions(diameter_px=diameter_px, touching=0.6), seed=2)
    assert match_labels(field.labels, found(field.image[1])).f1 > 0.9


def test_one_large_noisy_nucleus_is_one_object() -> None:
    light, truth = disc_image(((100, 100),), 58, (200, 200))
    pixels = np.random.default_rng(0).poisson(2 + 40 * light)
    assert match_labels(truth, found(pixels.astype(np.uint8)), iou=0.75).f1 == 1.0


def test_dark_objects_on_bright() -> None:
    pixels, truth = discs()
    inverted = (1000 - pixels).astype(np.uint16)
    assert match_labels(truth, found(inverted)).f1 == 1.0
    assert match_labels(truth, found(inverted, options={"look": "dark"})).f1 == 1.0
    assert match_labels(truth, found(pixels, options={"look": "dark"})).f1 == 0.0


def test_a_slope_of_the_background_hides_nothing() -> None:
    pixels, truth = discs()
    y, x = np.mgrid[:256, :256]
    assert match_labels(truth, found((pixels + 1.0 * y + 0.5 * x).astype(np.uint16))).f1 == 1.0


def test_touching_discs_are_parted_unless_told_otherwise() -> None:
    light, truth = disc_image(((60, 50), (60, 72), (150, 100)), 12, (200, 200))
    pixels = (100 + 400 * light).astype(np.uint16)
    assert match_labels(truth, found(pixels, diameter_px=24)).f1 == 1.0
    assert found(pixels, diameter_px=24, options={"split": 0}).max() == 2


def test_colour_pictures_are_unmixed() -> None:
    light, truth = disc_image(((60, 50), (150, 100)), 14, (200, 200))
    density = light[..., None] * np.array([0.65, 0.70, 0.29]) + 0.05
    picture = (255 * 10**-density).astype(np.uint8)
    image = cm.image_from_array(np.moveaxis(picture, -1, 0), "CYX", colour=True)
    assert match_labels(truth, cm.segment(image, engine="classical").read()).f1 == 1.0
    assert cm.segment(image, engine="classical", options={"stain": "dab"}).read().max() == 0


def bright_and_dim() -> np.ndarray:
    """Return two discs 1000 above the background and one 150 above it."""
    light, _ = disc_image(((60, 50), (140, 50), (60, 150)), 14, (200, 200))
    pixels = 100 + light * np.where(np.arange(200) < 100, 1000, 150)
    return (pixels + np.random.default_rng(0).normal(0, 2, pixels.shape)).astype(np.float32)


@pytest.mark.parametrize(
    ("options", "count"),
    [
        ({"faint": 0.0}, 3),
        ({"faint": 0.3}, 2),
        ({"contrast": 600, "faint": 0.0}, 2),
        ({"contrast": 0, "faint": 0.0, "sensitivity": 0.001}, 0),
    ],
)
def test_options_move_what_is_found(options: dict, count: int) -> None:
    assert found(bright_and_dim(), options={"threshold": "otsu"} | options).max() == count


def test_edge_cuts_at_the_share_of_the_object() -> None:
    y, x = np.mgrid[:120, :120]
    pixels = (100 + 1000 * np.exp(-((y - 60) ** 2 + (x - 60) ** 2) / (2 * 15**2))).astype(np.float32)
    half, fifth = (found(pixels, options={"edge": edge}, diameter_px=40) > 0 for edge in (0.5, 0.2))
    assert fifth.sum() > 1.5 * half.sum() > 0


@pytest.mark.parametrize("value", [0, 37])
def test_case_37_38_a_constant_image_has_no_objects(value: int) -> None:
    assert found(np.full((64, 64), value, np.uint16)).max() == 0


@pytest.mark.parametrize("shape", [(1, 50), (50, 1), (1, 1), (2, 2)])
def test_case_39_40_thin_images(shape: tuple[int, int]) -> None:
    pixels = np.zeros(shape, np.uint16)
    pixels[0, 0] = 500
    assert found(pixels).shape == shape


def test_case_34_35_pixels_that_are_not_finite_are_ignored_with_a_warning() -> None:
    pixels, truth = discs()
    broken = pixels.astype(np.float32)
    broken[:5, :5], broken[250, :] = np.nan, np.inf
    result = segment_with(Segment(engine="classical"), cm.image_from_array(broken))
    assert match_labels(truth, result.labels.read()).f1 == 1.0
    assert "281 pixels that are NaN or infinite" in result.warnings[0]


def test_case_36_only_nan_is_refused() -> None:
    with pytest.raises(InputError, match="no valid pixel"):
        found(np.full((32, 32), np.nan, np.float32))


@pytest.mark.parametrize(("factor", "offset"), [(1 / 65535, 0.0), (1.0, 0.0), (1.0, -5000.0)])
def test_case_41_any_float_scale_gives_the_same_objects(factor: float, offset: float) -> None:
    pixels, truth = discs()
    assert match_labels(truth, found((pixels * factor + offset).astype(np.float32))).f1 == 1.0


def test_case_48_several_channels_must_be_told_apart(field) -> None:
    with pytest.raises(ParameterError, match=r"2 channels; say which .*0 \(channel0\), 1 \(channel1\)"):
        found(field.image)
    assert found(field.image, channel="channel1").max() > 0
    with pytest.raises(UnknownName, match="channel"):
        found(field.image, channel="DAPI")


def test_stained_needs_colour() -> None:
    with pytest.raises(ParameterError, match="colour picture"):
        found(discs()[0], options={"look": "stained"})


def test_a_model_is_refused() -> None:
    with pytest.raises(ParameterError, match="no models"):
        found(discs()[0], model="base")


def test_mean_f1_on_nuclei_of_bbbc039(shared: Path) -> None:
    """Every seventh of the 70 fields; the bar for all of them is 0.88."""
    folder = shared / "data" / "bbbc039"
    scores = []
    for path in sorted((folder / "images").iterdir())[::7]:
        truth = next((folder / "labels").glob(f"{path.stem}.*"))
        scores.append(match_labels(imread(truth), found(imread(path))).f1)
    assert np.mean(scores) >= 0.88
