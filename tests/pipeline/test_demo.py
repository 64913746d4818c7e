"""The demonstration: real pictures out of scikit-image's wheel, a generated plate, and an honest score."""

from __future__ import annotations

import filecmp
import json
from importlib.resources import files
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from cellmetry.cli.app import app
from cellmetry.io.labels import read_labels
from cellmetry.ops.synthetic import Condition, PlateOptions
from cellmetry.pipeline.demo import PICTURES, DemoResult, run_demo

SMALL = PlateOptions(
    conditions=(Condition(name="control"), Condition(name="treated", signal_factor=2, count_factor=0.5)),
    repeats=1,
    fields=1,
    shape=(300, 300),
    cells=16,
)


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> DemoResult:
    return run_demo(tmp_path_factory.mktemp("demo"), plate=SMALL)


def test_the_inputs_are_the_pictures_of_the_wheel(result: DemoResult) -> None:
    for folder, name in PICTURES.items():
        copied = result.index.parent / "input" / folder / name
        assert filecmp.cmp(copied, Path(str(files("skimage") / "data" / name)), shallow=False)


def test_it_finds_the_one_cell_and_the_24_coins(result: DemoResult) -> None:
    counts = {name: result.runs[name].outcomes[0].n_objects["cells"] for name in PICTURES}
    assert counts["cell"] == 1
    assert counts["coins"] == 24
    assert 250 < counts["tissue"] < 450
    assert not any(run.failed for run in result.runs.values())


def test_the_score_is_that_of_the_written_labels_against_the_written_truth(result: DemoResult) -> None:
    out, score = result.index.parent, result.score
    truth = pd.read_csv(out / "truth" / "cells.csv")
    found = pd.read_csv(out / "plate" / "tables" / "cells.csv")
    assert score.true_cells == len(truth) == 24
    assert score.found_cells == len(found)
    for name in ("A01_f1", "A02_f1"):
        labels = read_labels(out / "truth" / f"{name}_labels.tif")
        assert len(labels.ids()) == (truth["image"] == name).sum()
        assert labels.pixel_size.x == 0.5
    assert score.f1 > 0.95
    assert score.intensity_error < 0.02
    assert score.conditions == ("control", "treated")
    assert score.found_effect == pytest.approx(score.true_effect, rel=0.03)


def test_everything_the_index_page_shows_is_there(result: DemoResult) -> None:
    page = result.index.read_text(encoding="utf-8")
    pictures = [*(f"{folder}/overlays/{Path(name).stem}" for folder, name in PICTURES.items()), "plate/overlays/A02_f1"]
    for picture in pictures:
        assert f"{picture}_overlay.png" in page
        assert (result.index.parent / f"{picture}_overlay.png").stat().st_size > 1000


def test_the_command_says_what_it_found_and_where_to_look(tmp_path: Path) -> None:
    told = CliRunner().invoke(app, ["demo", "--out", str(tmp_path)])
    assert told.exit_code == 0, told.output
    assert "24 in coins" in told.output
    assert "in truth there are 324" in told.output
    assert str(tmp_path / "index.html") in told.output
    again = CliRunner().invoke(app, ["demo", "--out", str(tmp_path), "--json"])
    assert json.loads(again.output)["plate"]["true_cells"] == 324
