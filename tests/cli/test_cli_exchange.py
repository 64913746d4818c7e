"""`cellmetry export` and `cellmetry import`."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from cellmetry.cli.app import app
from cellmetry.core.labels import Labels, labels_from_array
from cellmetry.errors import ParameterError
from cellmetry.io.labels import read_labels, write_labels
from cellmetry.testing.exporter import label_cases


def run(*arguments: object) -> str:
    done = CliRunner().invoke(app, [str(each) for each in arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


@pytest.mark.parametrize(
    ("form", "file"), [("rois", "a.zip"), ("geojson", "a.geojson"), ("coco", "a.json"), ("seg-npy", "a_seg.npy")]
)
def test_there_and_back(form: str, file: str, tmp_path: Path) -> None:
    array = label_cases()["holes"]
    write_labels(labels_from_array(array), tmp_path / "in.tif")
    assert "Written" in run("export", tmp_path / "in.tif", "--to", form, "--out", tmp_path / file)
    assert "1 objects" in run("import", tmp_path / file, "--shape", "12,15", "--out", tmp_path / "out.tif")
    np.testing.assert_array_equal(read_labels(tmp_path / "out.tif").read(), array)


def test_json_for_scripts_options_and_pixel_size(tmp_path: Path) -> None:
    array = np.zeros((3, 12, 15), np.uint32)
    array[1, 2:5, 2:6] = 9
    write_labels(Labels(array, "ZYX"), tmp_path / "in.tif")
    said = run("export", tmp_path / "in.tif", "--to", "rois", "--out", tmp_path / "a.zip",
               "--set", "positions=hyperstack", "--json")  # fmt: skip
    assert json.loads(said)["format"] == "rois"
    said = run("import", tmp_path / "a.zip", "--shape", "3,12,15", "--axes", "zyx", "--pixel-size", 0.5,
               "--out", tmp_path / "out.tif", "--json")  # fmt: skip
    assert json.loads(said)["n_objects"] == 1
    found = read_labels(tmp_path / "out.tif")
    assert found.pixel_size.x == 0.5
    np.testing.assert_array_equal(found.read(), array)


def test_notes_are_shown(tmp_path: Path) -> None:
    write_labels(labels_from_array(label_cases()["holes"]), tmp_path / "in.tif")
    said = run("export", tmp_path / "in.tif", "--to", "coco", "--set", "form=polygons", "--out", tmp_path / "a.json")
    assert "note: 1 objects have holes" in said


@pytest.mark.parametrize(
    "more", [[], ["--shape", "12"], ["--shape", "a,b"], ["--shape", "12,15", "--like", "a.tif"]]
)  # fmt: skip
def test_a_size_is_needed_and_must_be_right(more: list[str], tmp_path: Path) -> None:
    write_labels(labels_from_array(label_cases()["parts"]), tmp_path / "in.tif")
    with pytest.raises(ParameterError, match="--like|--shape"):
        run("import", tmp_path / "in.tif", "--out", tmp_path / "out.tif", *more)
    assert not (tmp_path / "out.tif").exists()
