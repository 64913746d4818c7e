"""A finished run as a folder for Fiji: what is written, and what is refused in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import tifffile
from typer.testing import CliRunner

from cellmetry.cli.app import app
from cellmetry.errors import CellmetryError
from cellmetry.export.rois import read_rois
from cellmetry.io.labels import read_labels, write_labels
from cellmetry.io.tables import read_columns, read_table
from cellmetry.pipeline.batch import run
from cellmetry.pipeline.fiji_check import FijiOptions, fiji_check
from cellmetry.pipeline.reading import Reading
from cellmetry.pipeline.recipe import parse_recipe

if TYPE_CHECKING:
    from pathlib import Path

SEGMENT = {"step": "segment", "engine": "labels"}
MEASURE = {"step": "measure", "features": ["size", "intensity"]}
BALL = {"step": "rolling_ball", "radius_px": 10, "channels": ["1"]}


def make_run(folder: Path, *between: dict[str, Any], after: tuple[dict[str, Any], ...] = (), **changes: Any) -> Path:
    """Return the folder of a run over two images of two channels, one of them without objects."""
    rng = np.random.default_rng(0)
    for name, most in (("a", 9), ("ä,b", 5), ("empty", 1)):
        labels = np.kron(rng.integers(0, most, (6, 7)), np.ones((5, 5), int)).astype(np.uint16)
        shape = changes.get("lead", (2,))
        pixels = rng.integers(0, 4000, (*shape, *labels.shape)).astype(changes.get("dtype", np.uint16))
        (folder / "in").mkdir(exist_ok=True)
        axes = {"axes": "ZCYX"[-pixels.ndim :]}
        form = {"ome": True, "metadata": axes, "photometric": "minisblack", **changes.get("storage", {})}
        tifffile.imwrite(folder / "in" / f"{name}.tif", pixels, **form)
        tifffile.imwrite(folder / "in" / f"{name}_labels.tif", labels)
    images = sorted(path for path in (folder / "in").glob("*.tif") if not path.stem.endswith("_labels"))
    steps = [SEGMENT, *between, {**MEASURE, **changes.get("measure", {})}, *after]
    run(parse_recipe({"steps": steps}), images, folder / "run", reading=Reading(pixel_size_um=changes.get("size")))
    return folder / "run"


def test_the_folder_holds_outlines_copies_macro_and_numbers(tmp_path: Path) -> None:
    made = make_run(tmp_path, BALL, size=0.5)
    done = fiji_check(made, tmp_path / "fiji", FijiOptions(channel=1))
    files = {"a.tif", "a.zip", "_,b.tif", "_,b.zip", "measure.ijm", "ours.csv", "ours_columns.csv"}
    assert {path.name for path in done.folder.iterdir()} == files
    cells = read_table(made / "tables" / "cells.csv")
    assert (done.images, done.objects) == (2, len(cells))
    assert done.notes == ("empty has no objects in the table and is left out.",)
    ours = read_table(done.folder / "ours.csv")
    name = next(column for column in cells if column.startswith("mean_") and column.endswith("1"))
    assert ours["label"].tolist() == cells["label"].tolist()
    assert ours["Area"].tolist() == pytest.approx((cells["area_px"] * 0.25).tolist())
    assert ours["Mean"].tolist() == cells[name].tolist()
    assert ours["IntDen"].tolist() == pytest.approx((ours["Area"] * ours["Mean"]).tolist())
    assert [column.name for column in read_columns(done.folder / "ours.csv")] == list(ours)
    assert [roi.name for roi in read_rois(done.folder / "a.zip")] == cells.loc[cells["image"] == "a", "label"].astype(
        str
    ).tolist()
    copied = tifffile.imread(done.folder / "a.tif")
    np.testing.assert_array_equal(copied, tifffile.imread(tmp_path / "in" / "a.tif")[1])
    text = (done.folder / "measure.ijm").read_text("ascii")
    assert 'var background = "rolling=10";' in text
    assert 'var units = newArray("um", "um");' in text


def test_the_background_of_another_channel_does_not_count(tmp_path: Path) -> None:
    made = make_run(tmp_path, BALL)
    done = fiji_check(made, tmp_path / "fiji", FijiOptions(channel=0))
    assert 'var background = "";' in (done.folder / "measure.ijm").read_text("ascii")


def test_originals_stay_where_they_are(tmp_path: Path) -> None:
    made = make_run(tmp_path)
    done = fiji_check(made, tmp_path / "fiji", FijiOptions(channel=1, originals=True, images=("a",)))
    text = (done.folder / "measure.ijm").read_text("ascii")
    assert 'var imageFiles = newArray("../in/a.tif");' in text
    assert "var channels = newArray(2, 0);" in text
    assert "var planes = newArray(2, 0);" in text
    assert not list(done.folder.glob("*.tif"))


def test_originals_that_imagej_might_misread_are_refused(tmp_path: Path) -> None:
    made = make_run(tmp_path, storage={"compression": "zlib", "predictor": True})
    with pytest.raises(CellmetryError, match="leave out --originals"):
        fiji_check(made, tmp_path / "fiji", FijiOptions(channel=1, originals=True))


def test_objects_that_the_table_leaves_out_have_no_outline(tmp_path: Path) -> None:
    made = make_run(tmp_path, after=({"step": "filter_cells", "keep": ["label > 3"]},))
    done = fiji_check(made, tmp_path / "fiji", FijiOptions(channel=0))
    assert min(int(roi.name) for roi in read_rois(done.folder / "a.zip")) == 4
    assert any(note.startswith("a: 3 of 8 objects are not in the table") for note in done.notes)


def test_labels_that_were_edited_after_the_run_are_refused(tmp_path: Path) -> None:
    made = make_run(tmp_path)
    path = made / "labels" / "a_labels.tif"
    labels = read_labels(path)
    array = labels.read()
    array[np.nonzero(array == 3)[0][0], np.nonzero(array == 3)[1][0]] = 0
    write_labels(labels.__class__(array), path)
    with pytest.raises(CellmetryError, match="object 3 .* changed after they were measured"):
        fiji_check(made, tmp_path / "fiji", FijiOptions(channel=0))
    assert not (tmp_path / "fiji").exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "name one with --channel"),
        ({"channel": "EdU"}, "channel"),
        ({"channel": 0, "images": ("b",)}, "image worked"),
        ({"channel": 0, "table": "nuclei"}, "table of a step measure"),
    ],
)
def test_what_is_not_there_is_refused(tmp_path: Path, options: dict[str, Any], words: str) -> None:
    made = make_run(tmp_path)
    with pytest.raises(CellmetryError, match=words):
        fiji_check(made, tmp_path / "fiji", FijiOptions(**options))


@pytest.mark.parametrize(
    ("changes", "between", "words"),
    [
        ({}, ({"step": "subtract_value", "values": [5]},), "changed the pixels by subtract_value"),
        ({}, (BALL, BALL), "twice"),
        ({}, ({**BALL, "variant": "native"},), "scikit-image"),
        ({"lead": (3, 2), "measure": {"plane": 1}}, (), "is a stack"),
        ({"dtype": np.int16}, (), "would change"),
        ({"measure": {"features": ["size"]}}, (), "no column mean"),
    ],
)
def test_what_imagej_cannot_repeat_is_refused(
    tmp_path: Path, changes: dict[str, Any], between: tuple[dict[str, Any], ...], words: str
) -> None:
    made = make_run(tmp_path, *between, **changes)
    with pytest.raises(CellmetryError, match=words):
        fiji_check(made, tmp_path / "fiji", FijiOptions(channel=1))
    assert not (tmp_path / "fiji").exists()


def test_the_command_says_what_to_do(tmp_path: Path) -> None:
    made = make_run(tmp_path)
    done = CliRunner().invoke(app, ["fiji", str(made), "--channel", "1", "--out", str(tmp_path / "fiji")])
    assert done.exit_code == 0, done.output
    assert "note: empty has no objects" in done.output
    assert "measure.ijm" in done.output
    said = CliRunner().invoke(app, ["fiji", str(made), "--channel", "1", "--out", str(tmp_path / "fiji"), "--json"])
    assert '"images": 2' in said.output
