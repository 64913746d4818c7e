"""A recipe of corrections from file to files."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tifffile

import cellmetry as cm
from cellmetry.io.images import write_image
from cellmetry.ops.synthetic import make_cells
from cellmetry.pipeline.batch import run
from cellmetry.pipeline.recipe import load_recipe

RECIPE = """
[[steps]]
step = "segment"
engine = "classical"
channel = "GFP"
diameter_um = 12.0

[[steps]]
step = "subtract_local"
width_um = 3.0
gap_um = 0.5

[[steps]]
step = "bleed_through"
coefficients = [{ from = "DAPI", into = "GFP", share = 0.05 }]

[[steps]]
step = "denoise"
method = "gaussian"
sigma_px = 0.7

[[steps]]
step = "keep_image"

[[steps]]
step = "keep_image"
made = "small"
channels = ["GFP"]
bits = 16

[[steps]]
step = "keep_image"
made = "seen"
bits = 8
percentiles = [0.5, 99.5]

[[steps]]
step = "measure"
features = ["size", "intensity"]
"""


def test_a_recipe_writes_them(tmp_path: Path) -> None:
    field = make_cells((200, 240), 8, seed=3).image
    pixels = np.stack([field[0], field[1]]).astype(np.uint16)
    source = cm.image_from_array(pixels, "CYX", channel_names=["DAPI", "GFP"], pixel_size_um=0.5)
    (tmp_path / "in").mkdir()
    write_image(source, tmp_path / "in" / "a.ome.tif")
    (tmp_path / "mine.toml").write_text(RECIPE)
    recipe = load_recipe(tmp_path / "mine.toml")
    result = run(recipe, [tmp_path / "in"], tmp_path / "out")
    assert [outcome.status for outcome in result.outcomes] == ["done"]
    paths = {name: tmp_path / "out" / "maps" / f"a_{name}.tif" for name in ("corrected", "small", "seen")}
    found = {name: tifffile.imread(path) for name, path in paths.items()}
    assert {name: (each.dtype, each.shape) for name, each in found.items()} == {
        "corrected": (np.float32, (2, 200, 240)),
        "small": (np.uint16, (200, 240)),
        "seen": (np.uint8, (2, 200, 240)),
    }
    np.testing.assert_array_equal(found["small"], np.clip(np.rint(found["corrected"][1]), 0, 65535))
    written = cm.open_image(tmp_path / "out" / "maps" / "a_corrected.tif")
    assert written.channel_names == ("DAPI", "GFP")
    assert written.pixel_size.x == pytest.approx(0.5)
    labels = tifffile.imread(tmp_path / "out" / "labels" / "a_labels.tif")
    cells = pd.read_csv(tmp_path / "out" / "tables" / "cells.csv", comment="#")
    first = cells.iloc[0]
    assert first["mean_GFP"] == pytest.approx(found["corrected"][1][labels == first["label"]].mean(), rel=1e-5)
    background = pd.read_csv(tmp_path / "out" / "tables" / "local_background.csv", comment="#")
    assert background["label"].tolist() == cells["label"].tolist()
    record = json.loads((tmp_path / "out" / "run.json").read_text())
    assert load_recipe(tmp_path / "out" / record["recipe"]["file"]).hash == recipe.hash
