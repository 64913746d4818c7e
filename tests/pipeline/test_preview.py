"""A recipe walked step by step: which steps changed pixels, which part is looked at."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile

from cellmetry.core.image import Box, image_from_array
from cellmetry.errors import ParameterError
from cellmetry.ops.synthetic import make_cells
from cellmetry.pipeline.preview import View, walk_recipe, whole_view
from cellmetry.pipeline.recipe import parse_recipe

FIELD = make_cells((120, 140), 2, seed=1).image
IMAGE = image_from_array(FIELD, "CYX", channel_names=["DNA", "GFP"], pixel_size_um=0.5, name="field")


def test_only_steps_that_change_pixels_have_changes(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "flat.tif", np.linspace(0.8, 1.2, 120 * 140, dtype=np.float32).reshape(120, 140))
    given = [{"channel": "DNA", "y_px": 2, "x_px": 0}]
    recipe = parse_recipe(
        {
            "steps": [
                {"step": "flat_field", "flat": str(tmp_path / "flat.tif")},
                {"step": "segment", "engine": "classical", "channel": "DNA", "diameter_px": 20},
                {"step": "align_channels", "reference": "GFP", "method": "given", "shifts": given},
                {"step": "measure"},
            ]
        }
    )
    box = Box(10, 90, 20, 100)
    walked = list(walk_recipe(recipe, IMAGE, View(box)))
    assert [each.step.name for each in walked] == ["flat_field", "segment", "align_channels", "measure"]
    assert [[change.channel for change in each.changes] for each in walked] == [["DNA", "GFP"], [], ["DNA"], []]
    np.testing.assert_array_equal(walked[0].changes[0].before, FIELD[0][box.slices])
    corrected = walked[0].changes[0].after
    np.testing.assert_array_equal(walked[2].changes[0].before, corrected)
    np.testing.assert_array_equal(walked[2].changes[0].after[2:], corrected[:-2])
    assert walked[0].parameters == {"flat": str(tmp_path / "flat.tif")}


def test_a_step_that_changes_nothing_where_one_looks_has_no_picture() -> None:
    given = [{"channel": "DNA", "y_px": 0, "x_px": 0}]
    steps = [{"step": "align_channels", "reference": "GFP", "method": "given", "shifts": given}]
    [walked] = walk_recipe(parse_recipe({"steps": steps}), IMAGE, View(IMAGE.plane_box))
    assert walked.changes == ()


def test_warnings_are_those_of_the_step() -> None:
    noise = image_from_array(np.random.default_rng(0).integers(0, 99, (2, 64, 64)), "CYX", channel_names=["a", "b"])
    recipe = parse_recipe({"steps": [{"step": "align_channels", "reference": "a"}]})
    [walked] = walk_recipe(recipe, noise, View(noise.plane_box))
    assert "cannot be trusted" in walked.warnings[0]


def test_the_view_is_the_crop_the_whole_or_the_middle_of_a_large_plane() -> None:
    assert whole_view(IMAGE) == View(IMAGE.plane_box)
    assert whole_view(IMAGE, crop=Box(100, 300, 20, 220)).box == Box(100, 120, 20, 140)
    large = image_from_array(np.zeros((5, 1, 5000), np.uint8), "ZYX")
    assert whole_view(large) == View(Box(0, 1, 1476, 3524), 0, 2)


def test_a_view_outside_the_image_is_refused() -> None:
    with pytest.raises(ParameterError, match="lies outside field, which is 120 × 140"):
        whole_view(IMAGE, crop=Box(120, 130, 0, 10))
    with pytest.raises(ParameterError, match="not t=0, z=1"):
        whole_view(IMAGE, z=1)
