"""By which largest value saturation was judged is on record; images in which it was guessed differently are named."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import tifffile

import cellmetry as cm
from cellmetry.core.image import image_from_array
from cellmetry.io.tables import read_columns
from cellmetry.ops.saturation import detector_maximum, find_detectors
from cellmetry.pipeline.batch import run
from cellmetry.pipeline.detectors import compare_detectors
from cellmetry.pipeline.reading import Reading
from cellmetry.pipeline.recipe import parse_recipe

STEPS = [
    {"step": "segment", "engine": "labels"},
    {"step": "measure", "features": ["size"]},
    {"step": "passport", "saturation": "90%"},
]


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """Return a folder with two images of one 12-bit camera, of which one is dim."""
    folder = tmp_path / "images"
    folder.mkdir()
    labels = np.zeros((40, 40), np.uint32)
    labels[10:30, 10:30] = 1
    for name, top in (("bright", 4095), ("dim", 980)):
        pixels = np.full((40, 40), 100, np.uint16)
        pixels[10:30, 10:12] = top
        tifffile.imwrite(folder / f"{name}.tif", pixels)
        cm.write_labels(cm.labels_from_array(labels), folder / f"{name}_labels.tif")
    return folder


def test_a_dim_image_taken_for_another_camera_is_named(images: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = run(parse_recipe({"steps": STEPS}), [images / "bright.tif", images / "dim.tif"], out)
    assert not result.failed
    [sentence] = result.problems
    assert "1023 in dim; 4095 in bright" in sentence
    assert "--detector-bits" in sentence
    table = cm.read_table(out / "tables" / "images.csv")
    [maximum, source] = [name for name in table if name.startswith("detector_max_")]
    assert table[maximum].tolist() == [4095, 1023]
    assert table[source].tolist() == ["guessed", "guessed"]
    assert {maximum, source} <= {column.name for column in read_columns(out / "tables" / "images.csv")}
    record = json.loads((out / "run.json").read_text(encoding="utf-8"))
    assert [list(each["detectors"].values()) for each in record["images"]] == [
        [{"maximum": 4095.0, "source": "guessed"}],
        [{"maximum": 1023.0, "source": "guessed"}],
    ]


def test_bits_that_were_given_are_those_of_all_images(images: Path, tmp_path: Path) -> None:
    recipe, files = parse_recipe({"steps": STEPS}), [images / "bright.tif", images / "dim.tif"]
    result = run(recipe, files, tmp_path / "out", reading=Reading(detector_bits=12))
    assert result.problems == ()
    table = cm.read_table(tmp_path / "out" / "tables" / "images.csv")
    [maximum, source] = [name for name in table if name.startswith("detector_max_")]
    assert table[maximum].tolist() == [4095, 4095]
    assert set(table[source]) == {"given"}
    cells = cm.read_table(tmp_path / "out" / "tables" / "cells.csv")
    assert cells.filter(like="saturated_fraction").to_numpy().ravel().tolist() == [0.1, 0.0]


def test_a_recipe_that_judges_no_saturation_records_no_detector(images: Path, tmp_path: Path) -> None:
    run(parse_recipe({"steps": STEPS[:2]}), [images / "dim.tif"], tmp_path / "out")
    assert not [name for name in cm.read_table(tmp_path / "out/tables/images.csv") if name.startswith("detector")]


def test_only_guesses_that_differ_are_a_problem() -> None:
    def found(maximum: float, source: str) -> dict:
        return {"GFP": {"maximum": maximum, "source": source}}

    assert compare_detectors({"a": found(255, "file"), "b": found(4095, "file"), "c": {}}) == []
    assert compare_detectors({"a": found(1023, "guessed"), "b": found(1023, "guessed")}) == []
    many = {f"i{number}": found(4095, "file") for number in range(5)} | {"dim": found(1023, "guessed")}
    [sentence] = compare_detectors(many)
    assert "1023 in dim; 4095 in i0, i1, i2 and 2 more" in sentence


@pytest.mark.parametrize(
    ("values", "maximum"),
    [
        (np.array([[True, False]]), 1),
        (np.array([[3, 255]], np.uint8), 255),
        (np.array([[3, 980]], np.uint16), 1023),
        (np.array([[3, 60000]], np.uint16), 65535),
        (np.array([[3, 30000]], np.int16), 32767),
        (np.array([[-3, 4000]], np.int16), 4095),
        (np.array([[3, 2**30]], np.int32), 2**31 - 1),
        (np.array([[0.2, 1.0]], np.float32), 1),
        (np.array([[0.2, 900.5]], np.float32), 1023),
        (np.array([[0.2, 1e12]], np.float64), 1e12),
    ],
)
def test_what_was_found_is_what_steps_use(values: np.ndarray, maximum: float) -> None:
    image = image_from_array(values)
    known, found = find_detectors(image, [0])
    assert found["channel0"].maximum == maximum
    assert detector_maximum(known, 0) == detector_maximum(image, 0) == maximum
    assert find_detectors(image, [])[1] == {}
