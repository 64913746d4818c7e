"""`cellmetry evaluate` as a user types it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile
from typer.testing import CliRunner

from cellmetry.cli.app import app
from cellmetry.errors import CellmetryError
from cellmetry.ops.synthetic import make_cells


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Images, their truth, a prediction that lacks half of the objects, one of another size, one without an image."""
    for name in ("images", "truth", "found", "small", "few", "empty"):
        (tmp_path / name).mkdir()
    for seed in range(2):
        field = make_cells((200, 240), 8, seed=seed)
        cells = field.labels.astype(np.uint16)
        tifffile.imwrite(tmp_path / "images" / f"f{seed}.tif", field.image[1])
        tifffile.imwrite(tmp_path / "truth" / f"f{seed}.tif", cells)
        tifffile.imwrite(tmp_path / "found" / f"f{seed}_labels.tif", np.where(cells % 2, cells, 0))
        tifffile.imwrite(tmp_path / "small" / f"f{seed}_labels.tif", cells[::2, ::2])
    tifffile.imwrite(tmp_path / "few" / "f0.tif", cells)
    (tmp_path / "split.csv").write_text("data,name,split,group\n")
    return tmp_path


def cellmetry(*arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "cellmetry", "evaluate", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", cwd=cwd, check=False)


def test_predicted_labels(folder):
    done = cellmetry("--truth", "truth", "--predicted", "found", "images", "--out", "report", cwd=folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert "found: AP 0.500 at IoU 0.5" in done.stdout
    assert "Found: 8 of 16 true objects (50.0 %)" in done.stdout
    assert "4.0 too few on the whole" in done.stdout
    assert (folder / "report" / "index.html").is_file()


def test_an_engine_as_json(folder):
    arguments = ("--truth", "truth", "images/f0.tif", "--engine", "classical", "--diameter-px", "26")
    done = cellmetry(*arguments, "--out", "report", "--json", cwd=folder)
    assert (done.returncode, done.stderr) == (0, "")
    (found,) = json.loads(done.stdout)["evaluations"]
    assert found["overall"]["mean_over_images"]["n_images"] == 1
    assert found["overall"]["mean_over_images"]["ap_50"] > 0.5


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--truth", "truth", "--predicted", "few"), "1 of 2 true images have no prediction in few"),
        (("--truth", "truth", "--predicted", "small"), "the prediction is of 100 × 120 pixels"),
        (("--truth", "truth", "--predicted", "empty"), "empty holds no label image"),
        (("--truth", "empty", "--predicted", "found"), "empty holds no label image"),
        (("--truth", "nowhere", "--predicted", "found"), "nowhere does not exist"),
        (("--truth", "truth"), "--predicted"),
        (("--truth", "truth", "--engine", "classical"), "needs images"),
        (("--truth", "truth", "images", "--engine", "clasical"), "Did you mean 'classical'"),
        (("--truth", "truth", "--predicted", "found", "--diameter-px", "9"), "--diameter-px is for an engine"),
        (("--truth", "truth", "--predicted", "found", "--set", "segment.tile_px=128"), "--set is for an engine"),
        (("--truth", "truth", "--predicted", "found", "--patch-px", "0"), "patch_px"),
        (("--truth", "truth", "--predicted", "found", "--split", "split.csv", "--part", "tset"), "'tset'"),
        (("--truth", "truth", "--predicted", "found", "--part", "train"), "give the file of the split with --split"),
        (("--truth", "few", "images", "--predicted", "found"), "f1.tif has no truth"),
    ],
)
def test_wrong_use_is_one_sentence_with_exit_code_2_and_nothing_written(folder, monkeypatch, arguments, words):
    monkeypatch.chdir(folder)
    done = CliRunner().invoke(app, ["evaluate", *arguments, "--out", "report"])
    assert isinstance(done.exception, CellmetryError)
    assert done.exception.exit_code == 2
    assert words in str(done.exception)
    assert not (folder / "report").exists()


def test_an_error_on_the_terminal(folder):
    done = cellmetry("--truth", "truth", "--predicted", "few", "--out", "report", cwd=folder)
    assert done.returncode == 2
    assert done.stderr.startswith("Error: 1 of 2 true images have no prediction in few")
    assert "Traceback" not in done.stderr


def test_help_has_an_example():
    shown = CliRunner().invoke(app, ["evaluate", "--help"])
    assert shown.exit_code == 0
    assert "Example: cellmetry" in " ".join(shown.stdout.split())
