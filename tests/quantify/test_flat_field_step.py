"""The step flat_field: which plane is for which channel, plain errors, and runs that notice a changed file."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import tifffile

from cellmetry.core.image import image_from_array
from cellmetry.core.sample import Sample
from cellmetry.errors import InputError, MissingInput, ParameterError
from cellmetry.io.images import write_image
from cellmetry.pipeline.batch import run
from cellmetry.pipeline.recipe import Recipe, parse_recipe
from cellmetry.quantify.flat_field import FlatField

PIXELS = np.random.default_rng(0).integers(100, 4000, (2, 40, 50), dtype=np.uint16)
FLATS = np.random.default_rng(1).uniform(0.5, 1.5, (2, 40, 50)).astype(np.float32)


def sample() -> Sample:
    return Sample(image_from_array(PIXELS, "CYX", channel_names=["DNA", "GFP"], name="field"))


def written(folder: Path, name: str, values: np.ndarray) -> Path:
    """Return the path of a file with these values."""
    path = folder / f"{name}.tif"
    axes = {"axes": "CYX"[-values.ndim :]}
    tifffile.imwrite(path, values, metadata=axes, imagej=values.ndim == 3, photometric="minisblack")
    return path


def test_one_plane_is_for_all_channels_and_several_each_for_its_own(tmp_path: Path) -> None:
    one = FlatField(flat=written(tmp_path, "one", FLATS[0]))(sample()).image
    each = FlatField(flat=written(tmp_path, "each", FLATS))(sample()).image
    for c in (0, 1):
        np.testing.assert_allclose(one.plane(c=c), PIXELS[c] / FLATS[0] * FLATS[0].mean(), rtol=1e-5)
        np.testing.assert_allclose(each.plane(c=c), PIXELS[c] / FLATS[c] * FLATS[c].mean(), rtol=1e-5)


def test_only_the_chosen_channels_change_and_the_original_stays(tmp_path: Path) -> None:
    before = sample()
    after = FlatField(flat=written(tmp_path, "flat", FLATS[0]), channels=("gfp",))(before)
    np.testing.assert_array_equal(after.image.plane(c=0), PIXELS[0])
    assert not np.array_equal(after.image.plane(c=1), PIXELS[1])
    assert after.unprocessed is before.image


def test_the_dark_field_is_taken_from_the_image_and_where_said_from_the_flat_field(tmp_path: Path) -> None:
    dark = np.full((40, 50), 90, np.uint16)
    files = {"flat": written(tmp_path, "flat", 1000 * FLATS[0]), "dark": written(tmp_path, "dark", dark)}
    lit = PIXELS[0] - 90.0
    free = FlatField(**files)(sample()).image.plane()
    np.testing.assert_allclose(free, lit / FLATS[0] * FLATS[0].mean(), rtol=1e-4)
    held = 1000 * FLATS[0] - 90
    taken = FlatField(**files, flat_has_dark=True)(sample()).image.plane()
    np.testing.assert_allclose(taken, lit / held * held.mean(), rtol=1e-4)


def test_what_does_not_fit_is_said_with_the_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"^small\.tif: The flat-field is 20 × 50 pixels but the image 40 × 50"):
        FlatField(flat=written(tmp_path, "small", FLATS[0, :20]))(sample())
    with pytest.raises(InputError, match=r"^zero\.tif: 2,000 of 2,000 pixels"):
        FlatField(flat=written(tmp_path, "zero", 0 * FLATS[0]))(sample())
    with pytest.raises(InputError, match=r"three\.tif has 1 frames, 3 channels"):
        FlatField(flat=written(tmp_path, "three", np.concatenate([FLATS, FLATS[:1]])))(sample())
    with pytest.raises(MissingInput, match=r"no file .*none\.tif"):
        FlatField(flat=tmp_path / "none.tif")(sample())
    with pytest.raises(ParameterError, match="needs the dark-field"):
        FlatField(flat=written(tmp_path, "flat", FLATS[0]), flat_has_dark=True)(sample())


def recipe(flat: Path) -> Recipe:
    return parse_recipe(
        {
            "steps": [
                {"step": "flat_field", "flat": str(flat)},
                {"step": "segment", "engine": "classical", "diameter_px": 10},
            ]
        }
    )


def test_a_run_fails_before_the_first_image_if_the_file_is_missing(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", PIXELS[0])
    with pytest.raises(MissingInput, match=r"The step flat_field reads .*none\.tif, but there is no such file"):
        run(recipe(tmp_path / "none.tif"), [tmp_path / "a.tif"], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_run_is_done_again_when_the_content_of_the_file_changed_and_records_its_hash(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", PIXELS[0])
    flat = written(tmp_path, "flat", FLATS[0])
    steps, out = recipe(flat), tmp_path / "out"

    def record() -> dict[str, str]:
        return json.loads((out / "run.json").read_text("utf-8"))["files_read"]

    assert run(steps, [tmp_path / "a.tif"], out).reused == 0
    first = record()
    assert list(first) == [str(flat)]
    assert run(steps, [tmp_path / "a.tif"], out).reused == 1
    written(tmp_path, "flat", FLATS[1])
    assert run(steps, [tmp_path / "a.tif"], out).reused == 0
    assert record()[str(flat)] != first[str(flat)]


def test_channels_are_matched_by_name_where_the_file_has_names(tmp_path: Path) -> None:
    flat = image_from_array(FLATS, "CYX", channel_names=["GFP", "DNA"])
    write_image(flat, tmp_path / "flat.ome.tif")
    made = FlatField(flat=tmp_path / "flat.ome.tif")(sample()).image
    for c, of_flat in ((0, 1), (1, 0)):
        np.testing.assert_allclose(made.plane(c=c), PIXELS[c] / FLATS[of_flat] * FLATS[of_flat].mean(), rtol=1e-5)
    write_image(image_from_array(FLATS, "CYX", channel_names=["GFP", "RFP"]), tmp_path / "other.ome.tif")
    with pytest.raises(InputError, match="some names agree and some do not"):
        FlatField(flat=tmp_path / "other.ome.tif")(sample())
