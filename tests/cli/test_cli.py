"""The command line as a user has it: real processes, exit codes, sentences, files."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile
from typer.testing import CliRunner

import cellmetry as cm
from cellmetry.cli.app import app, main
from cellmetry.ops.synthetic import make_cells


def cellmetry(*arguments: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "cellmetry", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", cwd=cwd, check=False)


@pytest.fixture
def images(tmp_path: Path) -> Path:
    folder = tmp_path / "images"
    folder.mkdir()
    for seed in range(2):
        tifffile.imwrite(folder / f"f{seed}.tif", make_cells((200, 240), 8, seed=seed).image[1])
    return folder


def test_segment_writes_a_label_image_for_each(images: Path, tmp_path: Path) -> None:
    done = cellmetry(
        "segment", images, "--out", tmp_path / "out", "--engine", "classical", "--diameter-px", 30, "--json"
    )
    assert (done.returncode, done.stderr) == (0, "")
    report = json.loads(done.stdout)
    assert report["done"] == 2
    for entry in report["images"]:
        labels = cm.read_labels(tmp_path / "out" / f"{entry['image']}_labels.tif")
        direct = cm.segment(cm.open_image(entry["path"]), engine="classical", diameter_px=30)
        assert cm.labels_hash(labels) == cm.labels_hash(direct) == entry["labels_sha256"]["cells"]


def test_measure_writes_the_table_of_the_run(images: Path, tmp_path: Path) -> None:
    assert cellmetry("run", "nuclei", images / "f0.tif", "--out", tmp_path / "out").returncode == 0
    labels = tmp_path / "out" / "labels" / "f0_labels.tif"
    done = cellmetry("measure", "--image", images / "f0.tif", "--labels", labels, "--out", tmp_path / "t.csv")
    assert done.returncode == 0
    table, run_table = cm.read_table(tmp_path / "t.csv"), cm.read_table(tmp_path / "out/tables/cells.csv")
    np.testing.assert_allclose(table["area_px"], run_table["area_px"])
    assert f"{len(table)} objects" in done.stdout


def test_measure_refuses_and_tells_of_pixels_without_a_number(tmp_path: Path) -> None:
    pixels = np.ones((20, 30), np.float32)
    labels = np.zeros((20, 30), np.uint8)
    labels[5:10, 5:10] = 1
    np.save(tmp_path / "labels.npy", labels)
    arguments = ("measure", "--image", "image.npy", "--labels", "labels.npy", "--set", "measure.table=other")
    pixels[6, 6] = np.nan
    np.save(tmp_path / "image.npy", pixels)
    told = cellmetry(*arguments, "--out", "a.csv", "--json", cwd=tmp_path)
    assert told.returncode == 0
    assert "NaN" in json.loads(told.stdout)["warnings"][0]
    np.save(tmp_path / "image.npy", np.full((20, 30), np.nan, np.float32))
    refused = cellmetry(*arguments, "--out", "b.csv", cwd=tmp_path)
    assert refused.returncode == 2
    assert not (tmp_path / "b.csv").exists()


def test_one_bad_image_is_exit_3_and_is_named(images: Path, tmp_path: Path) -> None:
    (images / "bad.tif").write_bytes(b"")
    done = cellmetry("segment", images, "--out", tmp_path / "out", "--workers", 2)
    assert done.returncode == 3
    assert "2 of 3 images done" in done.stdout
    assert "bad.tif" in done.stdout
    assert "empty" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("segment", "nothing.tif", "--out", "o"), "nothing.tif does not exist"),
        (("segment", "images", "--out", "o", "--engine", "celpose"), "no engine 'celpose'"),
        (("segment", "images", "--out", "o", "--diameter-um", "9"), "--pixel-size"),
        (("segment", "images", "--out", "o", "--set", "segment.tile=9"), "tile_px"),
        (("run", "nuklei", "images", "--out", "o"), "Did you mean 'nuclei'"),
        (("recipe", "check", "none.toml"), "no recipe"),
        (("info", "images/../empty.tif"), "empty"),
        (("measure", "--image", "images/f0.tif", "--labels", "images/f0.tif", "--out", "t.txt"), ".csv or .parquet"),
        (("segment", "images", "--out", "o", "--role", "DNA"), "channel=name"),
        (("segment", "images", "--out", "o", "--pixel-size", "0"), "greater than 0"),
        (("segment", "images", "--out", "o", "--pattern", "nope{channel}.tif"), "fits the pattern"),
        (("run", "nuclei", "images", "--out", "o", "--set", "measure.features=size,shape"), '["size", "shape"]'),
        (("segment", "images", "--out", "o", "--engine", "classical", "--device", "cuda"), "--device cuda"),
        (("engines", "clasical"), "Did you mean 'classical'"),
    ],
)
@pytest.mark.usefixtures("images")
def test_wrong_use_is_exit_2_one_sentence_and_nothing_written(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    words: str,
) -> None:
    (tmp_path / "empty.tif").write_bytes(b"")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["cellmetry", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    said = capfd.readouterr().err
    assert ended.value.code == 2
    assert words in said
    assert said.count("Error:") == 1
    assert not (tmp_path / "o").exists()


def test_wrong_use_of_the_program_is_exit_2_without_a_traceback(tmp_path: Path) -> None:
    done = cellmetry("segment", "nothing.tif", "--out", "o", cwd=tmp_path)
    assert (done.returncode, done.stderr.count("Error:")) == (2, 1)
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", ["info", "segment", "measure", "run", "engines", "demo", "recipe check"])
def test_every_command_has_help_with_an_example(command: str) -> None:
    shown = CliRunner().invoke(app, [*command.split(), "--help"])
    assert shown.exit_code == 0
    assert "Example: cellmetry" in " ".join(shown.stdout.split())


def test_info_as_json(images: Path) -> None:
    shown = CliRunner().invoke(app, ["info", str(images), "--json"])
    report = json.loads(shown.stdout)
    assert [entry["name"] for entry in report["images"]] == ["f0", "f1"]
    assert report["images"][0]["axes"] == "YX"
    assert report["images"][0]["shape"] == [200, 240]


def test_info_names_bad_files_beside_good_ones(images: Path) -> None:
    (images / "bad.tif").write_text("no")
    shown = CliRunner().invoke(app, ["info", str(images)])
    assert shown.exit_code == 3
    assert "failed:" in shown.stdout


def test_engines_and_recipes_are_listed() -> None:
    runner = CliRunner()
    listed = json.loads(runner.invoke(app, ["engines", "--json"]).stdout)
    assert {"cellmetry", "classical", "labels"} <= {entry["engine"] for entry in listed}
    assert "sensitivity" in runner.invoke(app, ["engines", "classical"]).stdout
    assert "whole-cells" in runner.invoke(app, ["recipe", "list"]).stdout
    assert "segment" in runner.invoke(app, ["recipe", "steps"]).stdout
    assert "diameter_um" in runner.invoke(app, ["recipe", "steps", "segment"]).stdout


def test_a_shown_recipe_can_be_run(images: Path, tmp_path: Path) -> None:
    shown = CliRunner().invoke(app, ["recipe", "show", "nuclei", "--set", "segment.diameter_px=30"])
    (tmp_path / "mine.toml").write_text(shown.stdout, encoding="utf-8")
    checked = CliRunner().invoke(app, ["recipe", "check", str(tmp_path / "mine.toml"), "--json"])
    assert json.loads(checked.stdout)["steps"] == ["segment", "measure"]
    assert cellmetry("run", tmp_path / "mine.toml", images, "--out", tmp_path / "out").returncode == 0


def test_version() -> None:
    assert CliRunner().invoke(app, ["--version"]).stdout.strip() == f"cellmetry {cm.__version__}"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for another process")
@pytest.mark.parametrize("workers", [1, 2])
def test_ctrl_c_keeps_what_is_done_and_leaves_no_process(tmp_path: Path, workers: int) -> None:
    import os
    import signal
    import time

    folder = tmp_path / "images"
    folder.mkdir()
    for number in range(40):
        tifffile.imwrite(folder / f"f{number}.tif", make_cells((300, 340), 20, seed=number).image[1])
    out = tmp_path / "out"
    command = [sys.executable, "-m", "cellmetry", "run", "nuclei", folder, "--out", out, "--workers", str(workers)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)
    try:
        deadline = time.monotonic() + 120
        while not list(out.glob("labels/*.tif")) and time.monotonic() < deadline:
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGINT)
        _, said = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 130
    assert "goes on from there" in said
    assert "Traceback" not in said
    done = len(list(out.glob("labels/*.tif")))
    again = cellmetry("run", "nuclei", folder, "--out", out, "--workers", 2, "--json")
    report = json.loads(again.stdout)
    assert report["done"] == 40
    assert done - workers <= report["reused"] <= done
