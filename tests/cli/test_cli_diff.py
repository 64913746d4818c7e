"""`cellmetry diff` as a user types it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import tifffile
from typer.testing import CliRunner

from cellmetry.cli.app import app
from cellmetry.errors import MissingInput, ParameterError
from cellmetry.ops.synthetic import make_cells
from cellmetry.pipeline.batch import run
from cellmetry.pipeline.recipe import load_recipe

RUNNER = CliRunner()


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    tifffile.imwrite(folder / "field.tif", make_cells((200, 240), 8, seed=1).image[1])
    settings = ["segment.engine=classical", 'measure.features=["size"]']
    for name, more in (("a", []), ("b", ["segment.diameter_px=11"])):
        run(load_recipe("nuclei", [*settings, *more]), [folder / "field.tif"], folder / name)
    return folder


def test_words(runs: Path, tmp_path: Path) -> None:
    done = RUNNER.invoke(app, ["diff", str(runs / "a"), str(runs / "b"), "--out", str(tmp_path / "out")])
    assert done.exit_code == 0, done.output
    assert "segment.diameter_px: not set → 11.0" in done.output
    assert "with another outline" in done.output
    assert (tmp_path / "out" / "index.html").is_file()
    same = RUNNER.invoke(app, ["diff", str(runs / "a"), str(runs / "a")])
    assert (same.exit_code, same.output.startswith("The two are equal")) == (0, True)


def test_json(runs: Path) -> None:
    done = RUNNER.invoke(app, ["diff", str(runs / "a"), str(runs / "b"), "--iou", "0.9", "--json"])
    found = json.loads(done.output)
    assert found["equal"] is False
    assert found["options"]["iou"] == 0.9
    assert found["changes"] == [
        {"section": "recipe", "what": "segment.diameter_px", "before": None, "after": 11.0},
    ]
    assert sum(found["objects"].values()) >= 5


def test_mistakes(runs: Path) -> None:
    wrong = RUNNER.invoke(app, ["diff", str(runs / "a"), str(runs / "b"), "--iou", "2"])
    assert isinstance(wrong.exception, ParameterError)
    assert "iou" in str(wrong.exception)
    absent = RUNNER.invoke(app, ["diff", str(runs / "a"), str(runs / "c")])
    assert isinstance(absent.exception, MissingInput)
