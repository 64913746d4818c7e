"""The promises of docs/promises.md, kept on the way from files to tables."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from hashlib import sha256
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import cellmetry as cm
from cellmetry.cli.app import app
from cellmetry.core.image import Box
from cellmetry.errors import AxesError, CellmetryError, ParameterError, PixelSizeNeeded
from cellmetry.io.images import write_image
from cellmetry.ops.matching import match_labels
from cellmetry.ops.synthetic import field_image, make_cells, tile_field

if TYPE_CHECKING:
    from pathlib import Path

RECIPE = ["nuclei", "--set", "segment.channel=signal"]


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four small two-channel fields on disk."""
    folder = tmp_path_factory.mktemp("images")
    for seed in range(4):
        field = make_cells((200, 220), 6, seed=seed)
        write_image(field_image(field, pixel_size_um=0.5), folder / f"f{seed}.ome.tif")
    return folder


def cli(*arguments: str | Path) -> Any:
    """Return what the command line did, exceptions turned to exit codes as `main` does."""
    done = CliRunner().invoke(app, [str(each) for each in arguments])
    if isinstance(done.exception, CellmetryError):
        done.exit_code = done.exception.exit_code
    return done


def hashes(out: Path) -> dict[str, str]:
    """Return image → hash of its labels, as recorded."""
    return {
        path.name.removesuffix("_labels.tif"): cm.labels_hash(cm.read_labels(path))
        for path in sorted((out / "labels").glob("*.tif"))
    }


def test_1_one_recipe_one_answer(images: Path, tmp_path: Path) -> None:
    assert cli("run", *RECIPE, images, "--out", tmp_path / "one").exit_code == 0
    assert cli("run", *RECIPE, images, "--out", tmp_path / "two", "--workers", "2").exit_code == 0
    result = cm.run(cm.load_recipe("nuclei", ["segment.channel=signal"]), [images], tmp_path / "python")
    once = hashes(tmp_path / "one")
    assert len(once) == 4
    assert once == hashes(tmp_path / "two") == hashes(tmp_path / "python")
    assert [each.labels_sha256["cells"] for each in result.outcomes] == list(once.values())
    parameters = {"channel": "signal", "model": "base", "cleanup": {"min_area_px": 20}}
    direct = cm.segment(cm.open_image(images / "f2.ome.tif"), **parameters)
    assert cm.labels_hash(direct) == once["f2"]
    one, two = (pd.read_csv(tmp_path / name / "tables" / "cells.csv") for name in ("one", "two"))
    pd.testing.assert_frame_equal(one, two, check_exact=True)


@pytest.mark.parametrize(
    "parameters", [{"engine": "cellmetry", "model": "base"}, {"engine": "classical", "options": {"look": "bright"}}]
)
def test_2_tiles_change_no_cell(parameters: dict[str, Any]) -> None:
    field = tile_field(Box(0, 700, 0, 700), seed=5)
    image = cm.image_from_array(field.image[1])
    whole, tiled = (cm.segment(image, tile_px=side, **parameters).read() for side in (1024, 128))
    matching = match_labels(whole, tiled, iou=0.99)
    assert whole.max() == tiled.max() > 100
    assert matching.f1 == 1


def test_3_originals_are_untouched_and_bits_are_kept(images: Path, tmp_path: Path) -> None:
    before = {path: (sha256(path.read_bytes()).digest(), path.stat().st_mtime_ns) for path in images.iterdir()}
    cli("run", *RECIPE, images, "--out", tmp_path)
    assert before == {path: (sha256(path.read_bytes()).digest(), path.stat().st_mtime_ns) for path in images.iterdir()}
    cells = pd.read_csv(tmp_path / "tables" / "cells.csv")
    brightest = {int(make_cells((200, 220), 6, seed=seed).image[1].max()) for seed in range(4)}
    assert set(cells.groupby("image")["max_signal"].max()) == brightest
    assert min(brightest) > 255


def test_5_nothing_is_fetched(tmp_path: Path) -> None:
    script = f"""
import socket
def refuse(*arguments, **options):
    raise AssertionError("a connection was asked for")
socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse
from cellmetry.pipeline.demo import run_demo
run_demo({str(tmp_path)!r})
"""
    subprocess.run([sys.executable, "-c", script], check=True)
    assert (tmp_path / "index.html").is_file()


def test_6_a_bad_image_is_a_row_and_the_others_are_done(images: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.tif"
    bad.write_bytes(b"II*\0 this is no image")
    done = cli("run", *RECIPE, images, bad, "--out", tmp_path / "out")
    assert done.exit_code == 3
    rows = pd.read_csv(tmp_path / "out" / "tables" / "images.csv").set_index("image")
    assert rows.loc["bad", "status"] == "failed"
    assert "bad.tif" in str(rows.loc["bad", "reason"])
    assert (rows.drop(index="bad")["status"] == "done").all()


def test_6_only_bad_input_writes_nothing(tmp_path: Path) -> None:
    bad = tmp_path / "bad.tif"
    bad.write_bytes(b"II*\0 this is no image")
    done = cli("run", *RECIPE, bad, "--out", tmp_path / "out")
    assert done.exit_code == 2
    assert re.search(r"bad\.tif", str(done.exception))
    assert not (tmp_path / "out").exists() or not any((tmp_path / "out").rglob("*"))


def test_7_no_silent_guess() -> None:
    two = field_image(make_cells((128, 128), 1))
    with pytest.raises(ParameterError, match=r"0 \(DNA\), 1 \(signal\)"):
        cm.segment(two)
    with pytest.raises(PixelSizeNeeded, match="--pixel-size"):
        cm.segment(two, channel="0", diameter_um=10)
    with pytest.raises(AxesError, match="axes named"):
        cm.image_from_array(np.zeros((3, 4, 5)))


def test_8_every_column_is_defined_beside_its_table(images: Path, tmp_path: Path) -> None:
    cli("run", *RECIPE, images, "--out", tmp_path)
    for name in ("cells", "images"):
        columns = set(pd.read_csv(tmp_path / "tables" / f"{name}.csv").columns)
        described = pd.read_csv(tmp_path / "tables" / f"{name}_columns.csv").set_index("name")
        assert columns == set(described.index)
        assert described["definition"].str.len().min() > 3
        assert described["source"].notna().all()


def test_9_cells_are_no_replicates_and_the_naive_test_stands_beside(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    parts = []
    for condition in ("none", "drug"):
        for day in range(3):
            values = random.normal(random.normal(100, 10), 5, 200)
            parts.append(pd.DataFrame({"condition": condition, "replicate": f"{condition} {day}", "size": values}))
    pd.concat(parts).to_csv(tmp_path / "cells.csv", index=False)
    said = cli("compare", tmp_path / "cells.csv", "--value", "size", "--control", "none", "--out", tmp_path / "out")
    assert said.exit_code == 0, said.output
    row = json.loads((tmp_path / "out" / "comparison.json").read_text(encoding="utf-8"))["contrasts"][0]
    assert row["n_replicates"] == 6
    assert row["n_cells"] == 1200
    assert row["naive_p_value"] < 1e-6
    assert row["p_value"] > 0.01
    assert row["ci_low"] < 0 < row["ci_high"]


def test_10_labels_come_back_from_fiji_and_qupath_as_they_were(tmp_path: Path) -> None:
    labels = np.zeros((60, 70), np.uint16)
    labels[5:30, 5:30] = 7
    labels[10:20, 10:20] = 0
    labels[12:15, 12:15] = 70
    labels[40:50, 40:45] = labels[50:55, 45:50] = 300
    cm.write_labels(cm.labels_from_array(labels), tmp_path / "labels.tif")
    for form, name in (("rois", "set.zip"), ("geojson", "set.geojson")):
        assert cli("export", tmp_path / "labels.tif", "--to", form, "--out", tmp_path / name).exit_code == 0
        back = tmp_path / f"{form}.tif"
        assert cli("import", tmp_path / name, "--shape", "60,70", "--out", back).exit_code == 0
        np.testing.assert_array_equal(np.squeeze(cm.read_labels(back).read()), labels)


def test_the_record_says_what_was_done(images: Path, tmp_path: Path) -> None:
    cli("run", *RECIPE, images, "--out", tmp_path)
    record = json.loads((tmp_path / "run.json").read_text(encoding="utf-8"))
    text = json.dumps(record)
    recipe = cm.load_recipe("nuclei", ["segment.channel=signal"])
    assert recipe.hash in text
    assert cm.load_recipe(tmp_path / "recipe.toml").hash == recipe.hash
    for path in images.iterdir():
        assert sha256(path.read_bytes()).hexdigest() in text
    assert version("cellmetry") in text
