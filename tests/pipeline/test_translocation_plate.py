"""The shipped recipe translocation tells the controls of a real plate apart, for both of its drugs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cellmetry.core.image import image_from_array
from cellmetry.core.progress import SILENT
from cellmetry.core.sample import Sample
from cellmetry.io.opening import open_image
from cellmetry.pipeline.recipe import load_recipe
from cellmetry.stats.screens import z_prime


@pytest.mark.parametrize(("rows", "least"), [("ABCD", 0.85), ("EFGH", 0.75)], ids=["wortmannin", "LY294002"])
def test_controls_are_told_apart(shared: Path, rows: str, least: float) -> None:
    plate = pd.read_csv(shared / "data" / "bbbc013" / "platemap.csv", dtype={"Column": str})
    controls = plate[(plate["SBS_Controls"] != 0) & plate["Row"].isin(list(rows))]
    recipe = load_recipe("translocation")
    medians: dict[int, list[float]] = {1: [], -1: []}
    for well in controls.itertuples():
        names = [f"Channel{c}-{well.ImageNumber:02d}-{well.Row}-{well.Column}.tif" for c in (1, 2)]
        planes = [open_image(shared / "data" / "bbbc013" / "images" / name).read() for name in names]
        image = image_from_array(np.stack(planes), "CYX", channel_names=["GFP", "DNA"])
        cells = recipe.apply(Sample(image), SILENT).tables["cells"]
        medians[well.SBS_Controls].append(cells[["correlation_GFP", "nuclear_share_GFP"]].median().to_numpy())
    positive, negative = (np.array(medians[role]).T for role in (1, -1))
    assert (positive.shape, negative.shape) == ((2, 4), (2, 8))
    assert (z_prime(positive, negative) >= least).all()
