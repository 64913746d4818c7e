"""Models on the command line: list, show, compare, roll back, install."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile
from typer.testing import CliRunner

from cellmetry.cli.app import app
from cellmetry.errors import CellmetryError, ModelError
from cellmetry.models.store import find_model
from cellmetry.models.versions import save_version

sys.path.insert(0, str(Path(__file__).parents[1] / "engines"))
from tiny_model import STRIDE, tiny_graph


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A folder with two versions of a model, the second for cells twice as large."""
    monkeypatch.setenv("CELLMETRY_MODELS", str(tmp_path / "user"))
    monkeypatch.setattr("cellmetry.models.store.PACKAGED", tmp_path / "packaged")
    monkeypatch.setenv("COLUMNS", "250")
    for number, diameter in enumerate((20, 60)):
        save_version(tmp_path / "mine", tiny_graph(diameter=diameter).SerializeToString(), fields(number))
    return tmp_path / "mine"


def fields(number: int) -> dict:
    return {
        "name": "mine",
        "summary": f"Made for the test, {number}.",
        "licence": "CC0-1.0",
        "non_commercial": True,
        "training_data": [
            {"name": "discs", "licence": "CC0-1.0", "images": 6},
            {"name": "shut", "licence": "CC-BY-NC-4.0", "non_commercial": True},
        ],
        "heads": ["foreground", "flow", "density"],
        "stride": STRIDE,
        "margin_px": 48,
        "scores": [{"data": "discs, test", "measure": "AP at IoU 0.5", "value": 0.5 + number / 10, "images": 3}],
    }


def run(*arguments: object) -> str:
    result = CliRunner().invoke(app, ["model", *map(str, arguments)])
    if isinstance(result.exception, CellmetryError):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


def test_listing_models_and_versions(folder):
    assert "There is no model yet" in run("list")
    run("install", folder, "--name", "neurons")
    rows = json.loads(run("list", "--json"))
    assert [(row["model"], row["version"], row["non_commercial"]) for row in rows] == [("neurons", "2", True)]
    versions = json.loads(run("list", folder, "--json"))
    assert [(row["version"], row["in_use"]) for row in versions] == [("1", False), ("2", True)]
    text = run("list", folder)
    assert "Made for the test, 1." in text
    assert "CC0-1.0, not for commercial use" in text


def test_a_model_that_cannot_be_used_is_listed_with_its_problem(tmp_path):
    (tmp_path / "user").mkdir()
    (tmp_path / "user" / "bad.json").write_text("{", "utf-8")
    text = run("list")
    assert "cannot be used, see below" in text
    assert "bad.json cannot be read" in text


def test_showing_a_model_in_words(folder):
    text = run("show", folder)
    assert "mine, version 2. Made for the test, 1." in text
    assert "Not for commercial use: shut forbids it." in text
    assert "Learnt from discs, 6 images, licence CC0-1.0." in text
    assert "It labels cells and counts them by density as well." in text
    assert "AP at IoU 0.5" in text
    assert find_model(folder).card.sha256 in text
    shown = json.loads(run("show", folder, "--json"))
    assert shown["card"]["training_data"][1]["non_commercial"] is True


def test_rolling_back(folder):
    assert "is version 1 now" in run("use", folder, "--version", 1)
    assert find_model(folder).card.version == "1"
    assert json.loads(run("use", folder, "--version", 2, "--json"))["version"] == "2"
    with pytest.raises(ModelError, match=r"no version 3; there are: 1, 2\."):
        run("use", folder, "--version", 3)


def test_installing_makes_the_name_known(folder):
    assert "--model mine" in run("install", folder)
    assert find_model("mine").card.version == "2"


def test_comparing_cards(folder):
    old = folder / "versions" / "1"
    found = json.loads(run("compare", old, folder, "--json"))
    assert found["scores"] == [{"data": "discs, test", "measure": "AP at IoU 0.5", "first": 0.5, "second": 0.6}]
    text = run("compare", old, folder)
    assert "0.500" in text
    assert "0.600" in text


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("discs", "--part", "train"), "--part train is a part of a split; give the file of the split with --split"),
        (("--part", "train"), "--part train is a part of a split"),
        (("--split", "split.csv"), "name one after the models"),
    ],
)
def test_a_part_of_nothing_is_refused(folder, options, words):
    result = CliRunner().invoke(app, ["model", "compare", str(folder), str(folder), *options])
    assert isinstance(result.exception, CellmetryError)
    assert result.exception.exit_code == 2
    assert words in str(result.exception)


def test_comparing_on_the_same_images(folder, tmp_path):
    for kind in ("images", "labels"):
        (tmp_path / "discs" / kind).mkdir(parents=True)
    for number in range(2):
        labels = np.zeros((96, 96), np.uint16)
        for cell, (y, x) in enumerate([(16, 20 + 9 * number), (48, 40), (70, 74)], start=1):
            labels[np.hypot(*(np.mgrid[:96, :96] - np.array([y, x])[:, None, None])) < 10] = cell
        image = 100 + 1000 * (labels > 0).astype(np.uint16)
        tifffile.imwrite(tmp_path / "discs" / "images" / f"f{number}.tif", image)
        tifffile.imwrite(tmp_path / "discs" / "labels" / f"f{number}.tif", labels)
    found = json.loads(run("compare", folder / "versions" / "1", folder, tmp_path / "discs", "--json"))
    tried = {row["measure"]: row for row in found["scores"] if "tried now" in row["data"]}
    assert tried["AP at IoU 0.5"]["first"] >= tried["AP at IoU 0.5"]["second"]
    assert tried["AP at IoU 0.5"]["first"] > 0.7
    assert set(tried) >= {"AP at IoU 0.75", "Dice of the foreground", "mean absolute error of the count"}
    assert found["notes"][0].startswith("By AP at IoU 0.5, mine 2 is better on 0 images")
    assert "has learnt from images of discs" in found["notes"][1]
