"""`cellmetry count` and `cellmetry maps` as a user has them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image as Picture
from typer.testing import CliRunner

import cellmetry as cm
from cellmetry.cli.app import app
from cellmetry.errors import ParameterError
from cellmetry.models.count_calibration import CountCalibration, CountedBy

COUNTS = (9, 14)


def discs(count: int) -> np.ndarray:
    """Return bright discs of 24 px, in reading order on a grid."""
    y, x = np.mgrid[:230, :260]
    place = (y // 46) * 5 + x // 52
    disc = np.hypot(y % 46 - 23, x % 52 - 26) <= 12
    return np.where(disc & (place < count), 1500, 500).astype(np.uint16)


@pytest.fixture(scope="module")
def model(tmp_path_factory, tiny_models) -> Path:
    fitted = CountCalibration(factor=0.5, largest_count=50, largest_disagreement=5, images=30, images_fitted=30)
    return tiny_models(tmp_path_factory.mktemp("models"), diameter_px=20.0, counting=fitted)


@pytest.fixture
def images(tmp_path: Path) -> Path:
    folder = tmp_path / "images"
    folder.mkdir()
    for seed, count in enumerate(COUNTS):
        tifffile.imwrite(folder / f"f{seed}.tif", discs(count))
    return folder


def cellmetry(*arguments: object) -> str:
    done = CliRunner().invoke(app, [str(each) for each in arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def test_count_writes_table_maps_and_previews_and_goes_on_where_it_stopped(images, model, tmp_path) -> None:
    out = tmp_path / "results" / "counts.csv"
    command = ("count", images, "--out", out, "--model", model)
    cellmetry(*command)
    table = cm.read_table(out)
    assert table["image"].tolist() == ["f0", "f1"]
    assert table["n_instances"].tolist() == list(COUNTS)
    assert table["n_low"].le(list(COUNTS)).all()
    assert table["n_high"].ge(list(COUNTS)).all()
    described = cm.read_table(out.with_name("counts_columns.csv"))
    assert set(described["name"]) == set(table.columns)
    for stem, total in zip(("f0", "f1"), table["n_density"], strict=True):
        density = tifffile.imread(out.parent / "counts" / "maps" / f"{stem}_density.tif")
        assert (density.dtype, density.shape) == (np.float32, (230, 260))
        assert density.sum(dtype=float) == pytest.approx(total, rel=1e-6)
        assert tifffile.imread(out.parent / "counts" / "maps" / f"{stem}_disagreement.tif").shape == (4, 5)
        with Picture.open(out.parent / "counts" / "previews" / f"{stem}_counts.png") as preview:
            assert min(preview.size) > 800
    again = json.loads(cellmetry(*command, "--json"))
    assert again["reused"] == 2
    tifffile.imwrite(images / "f0.tif", np.zeros((230, 260), np.uint16))
    assert json.loads(cellmetry(*command, "--json"))["reused"] == 1


def test_counts_in_labelled_and_drawn_regions(images, model, tmp_path) -> None:
    halves = np.zeros((230, 260), np.uint8)
    halves[:, :130], halves[:, 130:] = 1, 2
    tifffile.imwrite(tmp_path / "halves.tif", halves)
    cellmetry("count", images, "-o", tmp_path / "a.csv", "--model", model, "--regions", tmp_path / "halves.tif")
    table = cm.read_table(tmp_path / "a.csv", text=("region",))
    whole = table[table["region"] == ""].set_index("image")
    parts = table[table["region"] != ""].groupby("image")
    assert table["region"].tolist() == ["", "1", "2"] * 2
    assert parts["n_instances"].sum().tolist() == whole["n_instances"].tolist()
    np.testing.assert_allclose(parts["n_density"].sum(), whole["n_density"])

    (tmp_path / "rois").mkdir()
    for stem in ("f0", "f1"):
        tifffile.imwrite(tmp_path / "rois" / f"{stem}_roi.tif", halves)
    each = tmp_path / "rois" / "{stem}_roi.tif"
    cellmetry("count", images, "-o", tmp_path / "b.csv", "--model", model, "--regions", each)
    assert cm.read_table(tmp_path / "b.csv", text=("region",)).equals(table)

    drawn = tmp_path / "drawn.json"
    drawn.write_text(json.dumps([{"name": "left", "rectangle": [0, 0, 230, 130]}]))
    cellmetry("count", images, "-o", tmp_path / "c.csv", "--model", model, "--regions", drawn)
    left = cm.read_table(tmp_path / "c.csv", text=("region",)).query("region == 'left'")
    pd_left = table.query("region == '1'")
    assert left["n_instances"].tolist() == pd_left["n_instances"].tolist()
    np.testing.assert_allclose(left["n_density"], pd_left["n_density"])


def test_a_drawn_region_is_counted_on_the_image_that_it_names_and_on_no_other(images, model, tmp_path) -> None:
    (images / "day 2").mkdir()
    tifffile.imwrite(images / "day 2" / "f1.tif", discs(5))
    drawn = tmp_path / "drawn.json"
    rectangle = [0, 0, 230, 130]
    drawn.write_text(json.dumps([{"name": "clot", "rectangle": rectangle, "image": "day 2/f1"}]))
    cellmetry("count", images, "-o", tmp_path / "a.csv", "--model", model, "--regions", drawn)
    table = cm.read_table(tmp_path / "a.csv", text=("region",))
    assert table[table["region"] == "clot"]["image"].tolist() == ["day 2/f1"]

    drawn.write_text(json.dumps([{"name": "clot", "rectangle": rectangle, "image": "f7"}]))
    command = ["count", str(images), "-o", str(tmp_path / "b.csv"), "--model", str(model), "--regions", str(drawn)]
    assert "'clot' lies on the image 'f7', which is not among the 3 images" in str(
        CliRunner().invoke(app, command).exception
    )
    assert not list(tmp_path.glob("b*"))


def test_a_calibration_of_ones_own(images, model, tmp_path) -> None:
    own = CountCalibration(factor=0, largest_count=99, largest_disagreement=99, images=9, images_fitted=9)
    (tmp_path / "own.json").write_text(own.model_dump_json())
    cellmetry("count", images, "-o", tmp_path / "a.csv", "--model", model, "--calibration", tmp_path / "own.json")
    table = cm.read_table(tmp_path / "a.csv")
    assert table["n_low"].tolist() == table["n"].tolist() == table["n_high"].tolist()


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        (("--diameter-px", "24"), "diameter_px"),
        (("--set", "segment.options.foreground_threshold=0.4"), "foreground_threshold"),
        (("--set", "segment.cleanup.min_area_px=5"), "cleanup.min_area_px"),
    ],
)
def test_choices_that_the_model_was_not_calibrated_with_give_no_interval(images, model, tmp_path, choice, said) -> None:
    cellmetry("count", images, "-o", tmp_path / "a.csv", "--model", model, *choice)
    table = cm.read_table(tmp_path / "a.csv")
    assert table["n_instances"].tolist() == list(COUNTS)
    assert table["n"].notna().all()
    assert table[["n_low", "n_high", "coverage"]].isna().all(axis=None)
    warnings = cm.read_table(tmp_path / "a" / "tables" / "images.csv")["warnings"]
    assert warnings.str.contains(f"No interval is given for f., because the model was calibrated without {said}").all()


def test_the_calibration_is_that_of_the_model_which_was_set(images, model, tmp_path, tiny_models) -> None:
    path = tiny_models(tmp_path / "models", "uncalibrated")
    cellmetry("count", images, "-o", tmp_path / "a.csv", "--model", model, "--set", f"segment.model='{path}'")
    assert cm.read_table(tmp_path / "a.csv")[["n_low", "n_high", "coverage"]].isna().all(axis=None)


def test_a_calibration_of_another_model_is_refused(images, model, tmp_path) -> None:
    other = CountedBy(engine="cellmetry", model="other", sha256="0" * 64)
    own = CountCalibration(
        factor=0, largest_count=99, largest_disagreement=99, images=9, images_fitted=9, counted_by=other
    )
    (tmp_path / "own.json").write_text(own.model_dump_json())
    command = ["count", images, "-o", tmp_path / "a.csv", "--model", model, "--calibration", tmp_path / "own.json"]
    done = CliRunner().invoke(app, [str(each) for each in command])
    assert isinstance(done.exception, ParameterError)
    assert "made with the model other" in str(done.exception)
    assert not list(tmp_path.glob("a*"))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--out", "counts"), "must end in .csv or .parquet"),
        (("--out", "a.csv", "--regions", "none.tif"), "does not exist"),
        (("--out", "a.csv", "--calibration", "none.json"), "does not exist"),
    ],
)
def test_wrong_arguments_are_told(images, model, tmp_path, monkeypatch, arguments, said) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, ["count", str(images), "--model", str(model), *arguments])
    assert said in str(done.exception)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["images"]


def test_maps_of_a_model_that_only_knows_foreground(images, tmp_path, tiny_models) -> None:
    path = tiny_models(tmp_path / "models", heads=("foreground",))
    cellmetry("maps", images, "--out", tmp_path / "out", "--model", path)
    found = tifffile.imread(tmp_path / "out" / "f0_foreground.tif")
    assert found.dtype == np.float32
    assert 0 <= found.min() < 0.1
    assert 0.9 < found.max() <= 1


def test_segment_keeps_maps_when_asked(images, model, tmp_path) -> None:
    cellmetry("segment", images, "--out", tmp_path / "out", "--engine", "cellmetry", "--model", model,
              "--set", 'segment.maps=["foreground"]')  # fmt: skip
    assert tifffile.imread(tmp_path / "out" / "maps" / "f0_foreground.tif").shape == (230, 260)
    assert (tmp_path / "out" / "f0_labels.tif").is_file()
