"""Every reference file that DualCellQuant made of its own sample, made again by the step."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import tifffile

import cellmetry as cm
from cellmetry.core.image import image_from_array
from cellmetry.core.sample import Sample
from cellmetry.pipeline.recipe import STEPS

PAIR = ("0.5_C001Z003.png", "0.5_C002Z003.png")
LABELS = "0.0_Z003_cell_masks.tif"
DARK = {"background": "dark", "dark_percentile": 5.0}

CELLS = {
    "quant_nobg_none_eps1e-6": {},
    "quant_dark5_none_eps1e-6": DARK,
    "quant_manualbg_10_9": {"background": "manual", "manual_target": 10, "manual_reference": 9},
    "quant_norm_zscore": {"normalise": "z"},
    "quant_norm_minmax": {"normalise": "minmax"},
    "quant_norm_percentile": {"normalise": "percentile"},
    "quant_nobg_none_radial80_120": {"radial_inner": 80, "radial_outer": 120},
    "quant_nobg_global_percentile_p75": {"mask_target": "global_percentile", "mask_reference": "global_percentile"},
    "quant_nobg_global_otsu_p75": {"mask_target": "global_otsu", "mask_reference": "global_otsu"},
    "quant_nobg_per_cell_percentile_p75": {
        "mask_target": "per_cell_percentile",
        "mask_reference": "per_cell_percentile",
    },
}
MASKS = [
    ("target", "global_percentile"),
    ("target", "per_cell_otsu"),
    ("target", "per_cell_percentile"),
    ("reference", "global_percentile"),
    ("reference", "global_otsu"),
    ("reference", "per_cell_otsu"),
]
BANDS = [(90, 100), (0, 150)]
PROFILES = {
    "radial_profile_cells": "radial_profile_all_cells_nobg_w10_s5.csv",
    "radial_profile_pooled": "radial_profile_pooled_nobg_w10_s5.csv",
}
PEAKS = "peaks_dark5_global_max_60_120.csv"
ELSEWHERE = {"langmuir_notebook_output.txt"}


def mask_file(channel: str, mode: str) -> str:
    return f"{channel}_mask_{mode}_p75_sat254_min50.tif"


def radial_file(inner: int, outer: int) -> str:
    return f"radial_labels_{inner}_{outer}_min50.tif"


@pytest.fixture(scope="module")
def sample(shared):
    folder = shared / "data" / "dualcolour"
    planes = [cm.open_image(folder / name).plane() for name in PAIR]
    image = image_from_array(
        np.stack(planes), "CYX", channel_names=["target", "reference"], pixel_size_um=0.207, name="pair"
    )
    return Sample(image, {"cells": cm.read_labels(folder / LABELS)})


@pytest.fixture(scope="module")
def golden(shared):
    return shared / "golden" / "dualcolour"


def quantified(sample: Sample, **parameters) -> Sample:
    return STEPS.load("dualcellquant")(**parameters)(sample)


def assert_same_table(made: pd.DataFrame, path) -> None:
    expected = pd.read_csv(path)
    assert list(made.columns) == list(expected.columns)
    assert [column.name for column in made.attrs["columns"]] == list(expected.columns)
    for name in expected:
        if expected[name].dtype.kind in "ib":
            np.testing.assert_array_equal(made[name], expected[name], err_msg=name)
        else:
            np.testing.assert_allclose(made[name], expected[name], rtol=1e-4, atol=0, equal_nan=True, err_msg=name)


@pytest.mark.parametrize("file", CELLS)
def test_the_table_of_cells_is_reproduced(sample, golden, file):
    assert_same_table(quantified(sample, **CELLS[file]).tables["cells"], golden / f"{file}.csv")


@pytest.mark.parametrize(("channel", "mode"), MASKS)
def test_masks_are_reproduced_pixel_for_pixel(sample, golden, channel, mode):
    made = quantified(sample, **{f"mask_{channel}": mode}).masks[f"{channel}_mask"].read()
    expected = tifffile.imread(golden / mask_file(channel, mode))
    np.testing.assert_array_equal(made > 0, expected > 0)
    cells = sample.labels["cells"].read()
    np.testing.assert_array_equal(made[made > 0], cells[made > 0])


@pytest.mark.parametrize(
    ("mode", "pixels"),
    [
        ("none", (140701, 137766)),
        ("global_percentile", (10076, 114012)),
        ("global_otsu", (1401, 35399)),
        ("per_cell_percentile", (2538, 27194)),
        ("per_cell_otsu", (939, 20966)),
    ],
)
def test_masks_have_the_pixels_that_were_noted(sample, mode, pixels):
    masks = quantified(sample, mask_target=mode, mask_reference=mode).masks
    found = tuple(int(np.count_nonzero(masks[f"{name}_mask"].read())) for name in ("target", "reference"))
    assert found == pixels


@pytest.mark.parametrize(("inner", "outer"), BANDS)
def test_radial_labels_are_reproduced_pixel_for_pixel(sample, golden, inner, outer):
    made = quantified(sample, radial_inner=inner, radial_outer=outer).masks["radial_mask"].read()
    np.testing.assert_array_equal(made, tifffile.imread(golden / radial_file(inner, outer)))


@pytest.mark.parametrize(
    ("inner", "outer", "pixels"),
    [(0, 100, 140700), (90, 100, 22194), (80, 120, 91860), (100, 120, 48099), (0, 150, 269020)],
)
def test_radial_regions_have_the_pixels_that_were_noted(sample, inner, outer, pixels):
    made = quantified(sample, radial_inner=inner, radial_outer=outer).masks["radial_mask"].read()
    assert np.count_nonzero(made) == pixels


def test_radial_profiles_are_reproduced(sample, golden):
    tables = quantified(sample, profile_window=10, profile_step=5).tables
    for name, file in PROFILES.items():
        assert_same_table(tables[name], golden / file)


def test_peaks_are_reproduced(sample, golden):
    made = quantified(sample, **DARK, profile_window=5, profile_step=1, peaks="global_max").tables["peaks"]
    assert_same_table(made, golden / PEAKS)


def test_the_dark_level_is_the_one_that_was_noted(sample):
    table = quantified(sample).tables["cells"]
    less = quantified(sample, **DARK).tables["cells"]
    for name, level in (("target", 10.990544), ("reference", 9.993996)):
        # clipping at 0 keeps a little more than the level takes away
        apart = table[f"mean_{name}_whole"] - less[f"mean_{name}_whole"]
        assert (apart <= level + 1e-4).all()
        assert apart.max() == pytest.approx(level, rel=2e-3)


def test_every_reference_file_of_the_program_has_a_test(golden):
    tried = {f"{name}.csv" for name in CELLS} | {mask_file(*mask) for mask in MASKS}
    tried |= {radial_file(*band) for band in BANDS} | {*PROFILES.values(), PEAKS}
    assert {path.name for path in golden.iterdir()} - ELSEWHERE == tried
