"""`cellmetry quantify` as a user has it: files, numbers, sentences."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
import tifffile
from typer.testing import CliRunner

import cellmetry as cm
from cellmetry.cli.app import app
from cellmetry.core.image import image_from_array
from cellmetry.errors import CellmetryError

TABLES = ("cells", "radial_profile_cells", "radial_profile_pooled", "peaks")


class Done(NamedTuple):
    """What a command left: its exit code, and what it said."""

    returncode: int
    stdout: str
    stderr: str


def cellmetry(*arguments: object) -> Done:
    """Run a command in this process, as `cellmetry.cli.app.main` does."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if isinstance(result.exception, CellmetryError):
        return Done(result.exception.exit_code, result.stdout, f"{result.exception}")
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Done(result.exit_code, result.stdout, result.stderr)


@pytest.fixture(scope="module")
def pair(tmp_path_factory) -> Path:
    """Two discs with a bright rim in `t.tif`, even in `r.tif`, their labels, and a plate of both in two wells."""
    folder = tmp_path_factory.mktemp("pair")
    y, x = np.mgrid[:100, :150]
    labels = np.zeros((100, 150), np.uint16)
    for number, column in ((1, 40), (2, 105)):
        labels[np.hypot(y - 50, x - column) <= 25] = number
    depth = np.minimum(np.hypot(y - 50, x - 40), np.hypot(y - 50, x - 105))
    target = np.where(labels > 0, 60 + 100 * (depth > 20), 20).astype(np.uint8)
    reference = np.where(labels > 0, 120, 20).astype(np.uint8)
    target[50, 40] = 255
    for name, plane in (("t", target), ("r", reference)):
        cm.write_image(image_from_array(plane, pixel_size_um=0.5), folder / f"{name}.tif")
        (folder / "plate").mkdir(exist_ok=True)
        for well in ("A1", "A2"):
            cm.write_image(image_from_array(plane, pixel_size_um=0.5), folder / "plate" / f"{well}_{name}.tif")
    tifffile.imwrite(folder / "labels.tif", labels)
    for well in ("A1", "A2"):
        tifffile.imwrite(folder / f"{well}_cells.tif", labels)
    return folder


def quantify(pair: Path, out: Path, *more: object) -> subprocess.CompletedProcess[str]:
    files = ("--target", pair / "t.tif", "--reference", pair / "r.tif", "--labels", pair / "labels.tif")
    return cellmetry("quantify", *files, "--out", out, *more)


def test_a_pair_gives_all_that_was_promised(pair, tmp_path):
    more = ("--radial", "80:100", "--profile", "10:5", "--peaks", "global_max", "--mask-target", "per_cell_percentile")
    done = quantify(pair, tmp_path / "q", *more)
    assert (done.returncode, done.stderr) == (0, "")
    assert "2 cells" in done.stdout
    for name in TABLES:
        csv, parquet = (tmp_path / "q/tables" / f"{name}.{form}" for form in ("csv", "parquet"))
        assert len(pd.read_csv(csv)) == len(cm.read_table(parquet)) > 0
        assert set(pd.read_csv(tmp_path / f"q/tables/{name}_columns.csv")["name"]) == set(pd.read_csv(csv).columns)
    labels = tifffile.imread(pair / "labels.tif")
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "q/masks/labels.tif"), labels)
    np.testing.assert_array_equal(np.load(tmp_path / "q/masks/labels.npy"), labels)
    for name in ("target_mask", "reference_mask", "and_mask", "radial_mask"):
        picture = tifffile.imread(tmp_path / f"q/masks/{name}.tif")
        assert set(np.unique(picture)) == {0, 255}
        np.testing.assert_array_equal(np.load(tmp_path / f"q/masks/{name}.npy"), picture > 0)
    radial = tifffile.imread(tmp_path / "q/masks/radial_labels.tif")
    np.testing.assert_array_equal(radial > 0, tifffile.imread(tmp_path / "q/masks/radial_mask.tif") > 0)
    assert set(np.unique(radial)) == {0, 1, 2}
    ratio = tifffile.imread(tmp_path / "q/ratio/ratio.tif")
    np.testing.assert_array_equal(np.load(tmp_path / "q/ratio/ratio.npy"), ratio)
    np.testing.assert_array_equal(np.isfinite(ratio), tifffile.imread(tmp_path / "q/masks/and_mask.tif") > 0)
    record = json.loads((tmp_path / "q/run.json").read_text())
    assert len(record["images"][0]["files"]) == 2


def test_numbers_of_the_table(pair, tmp_path):
    assert quantify(pair, tmp_path / "q", "--background", "manual:20", "--no-pictures").returncode == 0
    assert not list((tmp_path / "q").rglob("*.png"))
    table = pd.read_csv(tmp_path / "q/tables/cells.csv").set_index("label")
    labels, target, reference = (tifffile.imread(pair / f"{name}.tif") for name in ("labels", "t", "r"))
    for number in (1, 2):
        cell = labels == number
        assert table.loc[number, "cell_mean_target"] == pytest.approx(target[cell].mean() - 20)
        kept = cell & (target < 255)
        assert table.loc[number, "target_mask_area_px"] == kept.sum()
        wanted = (target[kept].mean() - 20) / (reference[kept].mean() - 20)
        assert table.loc[number, "and_mask_ratio_of_means_target_to_reference"] == pytest.approx(wanted)
        assert table.loc[number, "cell_area_um2"] == pytest.approx(cell.sum() / 4)


def test_a_single_channel_has_no_ratio(pair, tmp_path):
    files = ("--target", pair / "t.tif", "--labels", pair / "labels.tif")
    done = cellmetry("quantify", *files, "--mask", "per_cell_otsu", "--out", tmp_path / "q")
    assert done.returncode == 0
    table = pd.read_csv(tmp_path / "q/tables/cells.csv")
    assert not [name for name in table if "reference" in name or "_to_reference" in name]
    assert (table["target_mask_mean_target"] > table["cell_mean_target"]).all()
    assert not (tmp_path / "q/ratio").exists()


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        (("--percentile", "60", "--mask", "per_cell_otsu"), "--percentile has no effect: the masks (per_cell_otsu)"),
        (("--ratio-epsilon", "2"), "--ratio-epsilon has no effect: the rule ratio_of_means"),
        (("--normalise", "minmax"), "Ratios of channels after --normalise minmax"),
    ],
)
def test_what_has_no_effect_or_little_meaning_is_said(pair, tmp_path, caplog, more, sentence):
    assert quantify(pair, tmp_path / "q", *more, "--no-pictures").returncode == 0
    assert sentence in caplog.text


def test_a_radial_part_can_be_measured_without_restricting_anything(pair, tmp_path):
    quantify(pair, tmp_path / "q", "--radial", "80:100", "--radial-on", "none", "--no-pictures")
    table = pd.read_csv(tmp_path / "q/tables/cells.csv")
    assert (table["and_mask_area_px"] >= table["cell_area_px"] - 1).all()
    assert (table["radial_mask_area_px"] < table["cell_area_px"]).all()


def test_changes_reach_every_mask(pair, tmp_path):
    quantify(pair, tmp_path / "q", "--set", "mask.saturation=native:100", "--no-pictures")
    recipe = (tmp_path / "q/recipe.toml").read_text()
    assert recipe.count('saturation = "native:100"') == 2


def test_pictures_and_plots_are_written(pair, tmp_path):
    quantify(pair, tmp_path / "q", "--radial", "80:100", "--profile", "10:5", "--peaks", "global_max")
    made = {
        str(path.relative_to(tmp_path / "q")) for path in (tmp_path / "q").rglob("*.p*") if path.suffix != ".parquet"
    }
    wanted = {f"overlays/{name}.png" for name in ("cells", "target_mask", "reference_mask", "and_mask", "radial_mask")}
    wanted |= {f"plots/{name}.{form}" for name in ("profile_pooled", "profile_grid_1") for form in ("png", "pdf")}
    wanted |= {f"plots/profile_cell_{label}.{form}" for label in (1, 2) for form in ("png", "pdf")}
    assert wanted | {"ratio/ratio.png"} <= made


def test_a_ring_beyond_the_cell_is_measured_by_its_masks(pair, tmp_path):
    assert quantify(pair, tmp_path / "q", "--radial", "0:3px").returncode == 0
    table = pd.read_csv(tmp_path / "q/tables/cells.csv")
    np.testing.assert_allclose(table["and_mask_mean_target"], 20)
    assert (table["and_mask_area_px"] == table["radial_mask_area_px"]).all()
    assert quantify(pair, tmp_path / "c", "--radial", "0:3px", "--radial-clip").returncode == 0
    assert (pd.read_csv(tmp_path / "c/tables/cells.csv")["radial_mask_area_px"] == 0).all()


def test_a_batch_by_pattern(pair, tmp_path):
    arguments = ("quantify", pair / "plate", "--pattern", "{well}_{channel}.tif", "--target", "t", "--reference", "r")
    cells = ("--labels", pair / "{stem}_cells.tif")
    done = cellmetry(*arguments, *cells, "--out", tmp_path / "q", "--workers", 2)
    assert (done.returncode, done.stderr) == (0, "")
    table = pd.read_csv(tmp_path / "q/tables/cells.csv")
    assert table[["image", "well", "label"]].to_numpy().tolist() == [
        ["A1", "A1", 1],
        ["A1", "A1", 2],
        ["A2", "A2", 1],
        ["A2", "A2", 2],
    ]
    assert (tmp_path / "q/masks/A2_and_mask.tif").exists()
    again = cellmetry(*arguments, *cells, "--out", tmp_path / "q")
    assert "2 of them by an earlier run" in again.stdout


def test_cells_are_found_on_the_channel_that_is_named(pair, tmp_path):
    files = ("--target", pair / "t.tif", "--reference", pair / "r.tif", "--segment-on", pair / "r.tif")
    done = cellmetry(
        "quantify", *files, "--engine", "classical", "--diameter-px", 50, "--out", tmp_path / "q", "--set",
        "segment.cleanup.min_area_px=200",
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    table = pd.read_csv(tmp_path / "q/tables/cells.csv")
    assert len(table) == 2
    assert not [name for name in table if "segment" in name]


def test_peaks_of_a_target_alone(pair, tmp_path):
    files = ("--target", pair / "t.tif", "--labels", pair / "labels.tif", "--out", tmp_path / "q")
    windows = ("--profile", "2:1px", "--profile-range=-20:8", "--peaks", "first_local_top")
    done = cellmetry("quantify", *files, *windows, "--no-pictures")
    assert (done.returncode, done.stderr) == (0, "")
    for form in ("csv", "parquet"):
        peaks = cm.read_table(tmp_path / f"q/tables/peaks.{form}")
        assert peaks["peak_target_px"].between(-5, 0).all()
        assert peaks["accepted_target"].tolist() == [True, True]
        assert not [name for name in peaks if "reference" in name or "difference" in name]


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        (("--radial", "100:90"), "goes from inner to outer"),
        (("--background", "rolling:50"), "A background is none"),
        (("--mask", "otsu"), "mask"),
        (("--peak-range", "60:90"), "does nothing without --peaks"),
        (("--radial-clip",), "does nothing without --radial"),
        (("--mask", "value"), "--value 300"),
        (("--saturation", "300"), "not within the detector's range"),
        (("--peaks", "global_max"), "--profile 5:1"),
        (("--profile", "5"), "WINDOW:STEP"),
        (("--smooth", "5"), "two numbers with a colon"),
        (("--profile", "5:1", "--smooth", "4:2"), "odd number of windows"),
        (("--profile", "5:1", "--smooth", "5:4"), "changes nothing"),
        (("--engine", "classical"), "leave out --engine"),
        (("--radial", "80:100", "--compat", "dualcellquant", "--radial-clip"), "does not clip"),
        (("--compat", "dualcellquant", "--radial=-1:0um"), "in per cent"),
        (("--compat", "dualcellquant", "--mask", "per_cell_li"), "knows the masks"),
        (("--compat", "dualcellquant", "--background-target", "dark:5"), "one background for both"),
        (("--compat", "dualcellquant", "--saturation", "99%"), "scale 0–255"),
    ],
)
def test_what_cannot_be_is_one_sentence_and_leaves_nothing(pair, tmp_path, more, sentence):
    done = quantify(pair, tmp_path / "q", *more)
    assert done.returncode == 2
    assert sentence in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "q").exists()


def test_a_real_process_ends_with_a_sentence_and_its_code(pair, tmp_path):
    command = [sys.executable, "-m", "cellmetry", "quantify", "--target", pair / "none.tif", "--out", tmp_path / "q"]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("Error: ")
    assert "none.tif" in done.stderr
    assert not (tmp_path / "q").exists()


def test_images_of_two_sizes_are_refused(pair, tmp_path):
    tifffile.imwrite(tmp_path / "wide.tif", np.zeros((100, 151), np.uint8))
    files = ("--target", pair / "t.tif", "--reference", tmp_path / "wide.tif", "--labels", pair / "labels.tif")
    done = cellmetry("quantify", *files, "--out", tmp_path / "q")
    assert done.returncode == 2
    assert "must show one field at one size" in done.stderr
    assert "wide.tif" in done.stderr


GOLDEN = {
    "quant_nobg_none_eps1e-6.csv": (),
    "quant_dark5_none_eps1e-6.csv": ("--background", "dark:5"),
    "quant_manualbg_10_9.csv": ("--background", "manual:10,9"),
    "quant_norm_zscore.csv": ("--normalise", "z"),
    "quant_norm_minmax.csv": ("--normalise", "minmax"),
    "quant_norm_percentile.csv": ("--normalise", "percentile"),
    "quant_nobg_none_radial80_120.csv": ("--radial", "80:120"),
    "quant_nobg_global_percentile_p75.csv": ("--mask", "global_percentile"),
    "quant_nobg_global_otsu_p75.csv": ("--mask-target", "global_otsu", "--mask-reference", "global_otsu"),
    "quant_nobg_per_cell_percentile_p75.csv": ("--mask", "per_cell_percentile", "--percentile", "75"),
    "target_mask_per_cell_otsu_p75_sat254_min50.tif": ("--mask", "per_cell_otsu", "--saturation", "254"),
    "reference_mask_per_cell_otsu_p75_sat254_min50.tif": ("--mask-reference", "per_cell_otsu"),
    "reference_mask_global_otsu_p75_sat254_min50.tif": ("--mask", "global_otsu", "--min-object", "50"),
    "radial_labels_90_100_min50.tif": ("--radial", "90:100"),
    "radial_labels_0_150_min50.tif": ("--radial", "0:150"),
    "radial_profile_all_cells_nobg_w10_s5.csv": ("--profile", "10:5"),
    "radial_profile_pooled_nobg_w10_s5.csv": ("--profile", "10:5", "--profile-range", "0:150"),
    "peaks_dark5_global_max_60_120.csv": (
        *("--background", "dark:5", "--profile", "5:1", "--peaks", "global_max", "--peak-range", "60:120"),
    ),
}
MADE = {
    "quant": "tables/cells.csv",
    "target": "masks/target_mask.tif",
    "reference": "masks/reference_mask.tif",
    "radial_labels": "masks/radial_labels.tif",
    "radial_profile_all": "tables/radial_profile_cells.csv",
    "radial_profile_pooled": "tables/radial_profile_pooled.csv",
    "peaks": "tables/peaks.csv",
}


@pytest.mark.parametrize("reference_file", GOLDEN)
def test_the_compatibility_mode_makes_the_same_files(shared, tmp_path, reference_file):
    data, golden = shared / "data/dualcolour", shared / "golden/dualcolour" / reference_file
    files = ("--target", data / "0.5_C001Z003.png", "--reference", data / "0.5_C002Z003.png")
    labels = ("--labels", data / "0.0_Z003_cell_masks.tif", "--pixel-size", 0.207)
    rules = ("--compat", "dualcellquant", "--no-pictures")
    done = cellmetry("quantify", *files, *labels, *GOLDEN[reference_file], *rules, "--out", tmp_path / "q")
    assert (done.returncode, done.stderr) == (0, "")
    made = tmp_path / "q" / next(path for start, path in MADE.items() if reference_file.startswith(start))
    if golden.suffix == ".tif":
        np.testing.assert_array_equal(tifffile.imread(made), tifffile.imread(golden))
    else:
        pd.testing.assert_frame_equal(pd.read_csv(made), pd.read_csv(golden), rtol=1e-4, atol=1e-9, check_dtype=False)
