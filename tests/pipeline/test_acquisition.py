"""Runs over images that were not taken alike say so, in the table of images, in the record and at the end."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import tifffile

import cellmetry as cm
from cellmetry.errors import ParameterError
from cellmetry.io.tables import read_columns
from cellmetry.ops.synthetic import make_cells
from cellmetry.pipeline.acquisition import compare_settings, settings_of
from cellmetry.pipeline.batch import run
from cellmetry.pipeline.recipe import load_recipe, parse_recipe

RECIPE = load_recipe("nuclei", ['measure.features=["size"]'])


def write_ome(path: Path, exposure_ms: float | None, gain: float = 2.0) -> None:
    plane = f'<Plane TheC="0" TheZ="0" TheT="0" ExposureTime="{exposure_ms}" ExposureTimeUnit="ms"/>'
    xml = (
        '<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image ID="Image:0">'
        '<Pixels ID="P:0" DimensionOrder="XYCZT" Type="uint16" SizeX="240" SizeY="200" SizeC="1" SizeZ="1" SizeT="1">'
        f'<Channel ID="C:0" Name="DNA"><DetectorSettings ID="D:0" Gain="{gain}" Binning="2x2"/></Channel>'
        f"<TiffData/>{plane if exposure_ms else ''}</Pixels></Image></OME>"
    )
    pixels = make_cells((200, 240), 6, seed=1).image[1].astype(np.uint16)
    tifffile.imwrite(path, pixels, description=xml, metadata=None)


@pytest.fixture
def images(tmp_path: Path) -> Path:
    folder = tmp_path / "images"
    folder.mkdir()
    for name, exposure in (("a", 100), ("b", 100.0), ("c", 250)):
        write_ome(folder / f"{name}.ome.tif", exposure)
    return folder


def test_images_taken_differently_are_named(images: Path, tmp_path: Path) -> None:
    result = run(RECIPE, [images], tmp_path / "out")
    assert result.problems == (
        "The images were not taken alike: exposure_ms is 100 in 2 images, and differs in c (250); "
        "do not compare their intensities.",
    )
    table = cm.read_table(tmp_path / "out" / "tables" / "images.csv")
    assert table["exposure_ms"].tolist() == [100, 100, 250]
    assert table["binning"].tolist() == ["2x2"] * 3
    assert table["flag_settings"].tolist() == [False, False, True]
    described = {column.name: column for column in read_columns(tmp_path / "out" / "tables" / "images.csv")}
    assert described["flag_settings"].source == "Cellmetry"
    assert described["exposure_ms"].unit == "ms"
    assert json.loads((tmp_path / "out" / "run.json").read_text())["problems"] == list(result.problems)
    again = run(RECIPE, [images], tmp_path / "out")
    assert again.reused == 3
    assert again.problems == result.problems


def test_images_taken_alike_or_of_files_that_say_nothing_are_no_problem(images: Path, tmp_path: Path) -> None:
    write_ome(images / "c.ome.tif", 100)
    tifffile.imwrite(images / "d.tif", make_cells((200, 240), 6, seed=1).image[1])
    result = run(RECIPE, [images], tmp_path / "out")
    assert result.problems == ()
    table = cm.read_table(tmp_path / "out" / "tables" / "images.csv")
    assert table["flag_settings"].isna().tolist() == [False, False, False, True]
    silent = tmp_path / "silent"
    silent.mkdir()
    tifffile.imwrite(silent / "d.tif", make_cells((200, 240), 6, seed=1).image[1])
    run(RECIPE, [silent], tmp_path / "out2")
    assert "flag_settings" not in cm.read_table(tmp_path / "out2" / "tables" / "images.csv")


def test_settings_are_text_that_compares() -> None:
    metadata = {
        "exposure_ms": [100.00001, None],
        "light_percent": {"488 nm": 0.499851, "552 nm": 50.0},
        "objective": "Plan 20x",
        "scene_name": "S0",
    }
    assert settings_of(metadata) == {
        "exposure_ms": "100; ?",
        "light_percent": "488 nm: 0.4999; 552 nm: 50",
        "objective": "Plan 20x",
    }


def test_most_images_say_what_is_usual() -> None:
    stated = {"a": {"gain": "1"}, "b": {"gain": "2"}, "c": {"gain": "2", "objective": "x"}, "d": {}}
    flags, sentences = compare_settings(stated)
    assert flags == {"a": True, "b": False, "c": False, "d": None}
    assert sentences[0].startswith("The images were not taken alike: gain is 2 in 2 images, and differs in a (1);")
    many = {f"i{number}": {"gain": str(number)} for number in range(6)}
    assert "i1 (1), i2 (2), i3 (3) and 2 more" in compare_settings(many)[1][0]


def test_a_filter_and_a_passport_in_a_recipe(tmp_path: Path) -> None:
    recipe = tmp_path / "careful.toml"
    text = (
        '[[steps]]\nstep = "segment"\nengine = "classical"\n[[steps]]\nstep = "measure"\nfeatures = ["size"]\n'
        '[[steps]]\nstep = "passport"\n[[steps]]\nstep = "filter_cells"\nkeep = ["not flag_edge"]\n'
    )
    recipe.write_text(text)
    tifffile.imwrite(tmp_path / "a.tif", make_cells((400, 480), 30, seed=1).image[1, 40:360, 40:440])
    result = run(load_recipe(recipe), [tmp_path / "a.tif"], tmp_path / "out")
    tables = tmp_path / "out" / "tables"
    cells, filtered = cm.read_table(tables / "cells.parquet"), cm.read_table(tables / "filtered.csv")
    assert len(cells) + len(filtered) == result.outcomes[0].n_objects["cells"]
    assert len(filtered) > 0
    assert not cells["flag_edge"].any()
    assert set(filtered["condition"]) == {"not flag_edge"}
    assert {"cells", "filtered"} <= set(json.loads((tmp_path / "out" / "run.json").read_text())["tables"])
    assert any("filtered out" in sentence for sentence in result.outcomes[0].warnings)
    described = {column.name for column in read_columns(tables / "cells.csv")}
    assert described == set(cm.read_table(tables / "cells.csv").columns)


PASSPORT = [
    {"step": "segment", "engine": "classical"},
    {"step": "measure", "features": ["size"]},
    {"step": "passport"},
]


def test_cells_of_images_taken_differently_are_flagged(images: Path, tmp_path: Path) -> None:
    result = run(parse_recipe({"steps": PASSPORT}), [images], tmp_path / "out")
    assert not result.failed
    cells = cm.read_table(tmp_path / "out" / "tables" / "cells.parquet")
    assert cells.groupby("image")["flag_settings"].unique().map(list).to_dict() == {
        **{"a": [False], "b": [False]},
        "c": [True],
    }
    described = {column.name for column in read_columns(tmp_path / "out" / "tables" / "cells.csv")}
    assert described == set(cells.columns)
    run(parse_recipe({"steps": PASSPORT[:2]}), [images], tmp_path / "bare")
    assert "flag_settings" not in cm.read_table(tmp_path / "bare" / "tables" / "cells.csv")


def test_no_step_filters_by_what_is_known_only_at_the_end(images: Path, tmp_path: Path) -> None:
    recipe = parse_recipe({"steps": [*PASSPORT, {"step": "filter_cells", "keep": ["not flag_settings"]}]})
    with pytest.raises(ParameterError, match=r"no step can filter by it.*tables/cells.csv"):
        run(recipe, [images], tmp_path / "out")
    assert not (tmp_path / "out").exists()
