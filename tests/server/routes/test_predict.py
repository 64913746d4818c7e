"""One-shot calls over a real server: ten unlike files, labels of the command line, several files, limits."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
import psutil
import pytest
import tifffile
from PIL import Image as Picture

from cellmetry.core.labels import labels_hash
from cellmetry.io.labels import read_labels
from cellmetry.pipeline.batch import run
from cellmetry.pipeline.recipe import load_recipe
from cellmetry.server.scratch import Scratch

CLASSICAL = {"engine": "classical"}


@pytest.fixture(scope="module")
def pixels():
    """Twelve cells on a noisy ground, uint16 (128, 128)."""
    centres = [(20 + 40 * row, 20 + 30 * column) for row in range(3) for column in range(4)]
    y, x = np.mgrid[:128, :128]
    light = sum(3000 * np.exp(-((y - a) ** 2 + (x - b) ** 2) / 40) for a, b in centres)
    return (light + np.random.default_rng(0).normal(400, 10, (128, 128))).astype(np.uint16)


def tiff(pixels, **options):
    """Return the bytes of a TIFF."""
    file = io.BytesIO()
    tifffile.imwrite(file, pixels, **options)
    return file.getvalue()


def png(pixels, mode):
    """Return the bytes of a PNG (or JPEG of CMYK) of an 8-bit colour picture in a mode."""
    file = io.BytesIO()
    light = 255 - (pixels // 16).clip(0, 255).astype(np.uint8)  # as a stain darkens it
    picture = Picture.fromarray(np.dstack([light, light // 2 + 127, light]))
    picture = picture.quantize(256, dither=Picture.Dither.NONE) if mode == "P" else picture.convert(mode)
    picture.save(file, format="JPEG" if mode == "CMYK" else "PNG")
    return file.getvalue()


def zipped_zarr():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a.zarr/zarr.json", "{}")
    return file.getvalue()


def send(client, files, *, verb="predict", **fields):
    return client.post(verb, files=[("files", each) for each in files], data={**CLASSICAL, **fields})


@pytest.fixture(scope="module")
def unlike(pixels):
    """Ten unlike files by name: their bytes, the status for each, and words of the refusal."""
    noisy = pixels.astype(np.float32)
    noisy[3, 3] = np.nan
    whole = tiff(pixels)
    return {
        "grey.tif": (whole, 200, ""),
        "colour.png": (png(pixels, "RGB"), 200, ""),
        "stack.tif": (tiff(np.stack([pixels] * 3), imagej=True, metadata={"axes": "ZYX"}), 200, ""),
        "nan.tif": (tiff(noisy), 200, ""),
        "palette.png": (png(pixels, "P"), 200, ""),
        "tiny.tif": (tiff(np.ones((1, 1), np.uint16)), 200, ""),
        "cut.tif": (whole[: len(whole) // 2], 422, "ends early"),
        "text.tif": (b"hello, I am text", 415, "is not a TIFF"),
        "print.jpg": (png(pixels, "CMYK"), 415, "CMYK"),
        "cells.ome.zarr.zip": (zipped_zarr(), 415, "no image by its content"),
    }


def test_ten_unlike_files_give_right_files_or_a_clear_refusal(client, unlike):
    for name, (data, status, said) in unlike.items():
        answer = send(client, [(name, data)])
        assert answer.status_code == status, (name, answer.text)
        assert answer.headers["x-content-type-options"] == "nosniff"
        if status == 200:
            ids = tifffile.imread(io.BytesIO(answer.content))
            sizes = {"stack.tif": (3, 128, 128), "tiny.tif": (1, 1)}
            assert np.squeeze(ids).shape == np.zeros(sizes.get(name, (128, 128))).squeeze().shape, name
            assert answer.headers["content-disposition"].startswith("attachment")
            for plane in np.atleast_3d(ids).reshape(-1, 128, 128) if name != "tiny.tif" else ():
                assert plane.max() == 12, name
        else:
            error = answer.json()["error"]
            assert error["message"].startswith(name), error
            assert said in error["message"]
            assert "Traceback" not in answer.text
            assert "/tmp" not in answer.text


def test_all_ten_at_once_are_a_zip_with_a_row_for_each(client, unlike):
    answer = send(client, [(name, data) for name, (data, _, _) in unlike.items()])
    assert answer.status_code == 207
    assert answer.headers["x-cellmetry-failed"] == "4"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        rows = json.loads(archive.read("results.json"))["images"]
        assert [row["file"] for row in rows] == list(unlike)
        for row in rows:
            assert row["http_status"] == unlike[row["file"]][1]
            assert (row["output"] in archive.namelist()) == (row["status"] == "done")
            assert bool(row["reason"]) == (row["status"] == "failed")


def test_labels_are_those_of_the_command_line(client, pixels, tmp_path):
    (tmp_path / "a.tif").write_bytes(tiff(pixels))
    ran = run(load_recipe("nuclei", ["segment.diameter_px=14"]), [tmp_path / "a.tif"], tmp_path / "run")
    answer = client.post(
        "predict",
        files={"files": ("a.tif", tiff(pixels))},
        data={"recipe": "nuclei", "set": ["segment.diameter_px=14"]},
    )
    assert answer.status_code == 200, answer.text
    (tmp_path / "b.tif").write_bytes(answer.content)
    assert labels_hash(read_labels(tmp_path / "b.tif")) == ran.outcomes[0].labels_sha256["cells"]


def test_tables_and_counts_are_json(client, pixels):
    table = send(client, [("a.tif", tiff(pixels))], output="json").json()
    assert len(table["tables"]["cells"]["rows"]) == 12
    [image] = client.post("count", files={"files": ("a.tif", tiff(pixels))}).json()["images"]
    [counted] = image["counts"]
    assert counted["n_low"] <= counted["n"] <= counted["n_high"]
    assert counted["coverage"] == pytest.approx(0.9)
    two = send(client, [("a.tif", tiff(pixels)), ("a.tif", b"")], output="json")
    assert two.status_code == 207
    assert [row["status"] for row in two.json()["images"]] == ["done", "failed"]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"diameter_px": "-3"}, "diameter_px"),
        ({"diameter_px": "1e999"}, "diameter_px"),
        ({"engine": "nonsense"}, "nonsense"),
        ({"engine": "labels"}, "looks label files up"),
        ({"model": "../../etc/passwd"}, "file of the server's computer"),
        ({"engine": "cellmetry", "model": "bse"}, "no model 'bse'. Did you mean 'base'? Known: base"),
        ({"output": "exe"}, "output"),
        ({"recipe_text": "x" * 250_000}, "recipe_text"),
        ({"unknown": "1"}, "unknown"),
    ],
)
def test_a_wrong_parameter_is_refused_before_any_work(client, pixels, fields, said):
    answer = send(client, [("a.tif", tiff(pixels))], **fields)
    assert answer.status_code in {404, 413, 422}, answer.text
    assert said in answer.json()["error"]["message"]


def test_what_is_no_form_or_has_no_file_or_too_many_is_refused(client, pixels):
    assert client.post("predict", json={"engine": "classical"}).status_code == 415
    assert client.post("predict", data={"engine": "classical"}, files={"other": b"x"}).status_code == 422
    many = [(f"{number}.tif", b"x") for number in range(101)]
    answer = send(client, many)
    assert answer.status_code == 413, answer.text
    form = {"Content-Type": "multipart/form-data; boundary=x"}
    broken = client.post("predict", content=b"--x\r\nnonsense", headers=form)
    assert broken.status_code in {400, 422}


@pytest.mark.parametrize(
    "name", ["../../evil.tif", "C:\\x\\evil.tif", "<img onerror=x>.tif", "CON", "", "é" * 120 + ".tif", "a\nb.tif"]
)
def test_names_are_text_never_paths(client, pixels, name):
    answer = send(client, [(name or "x", tiff(pixels))], output="json")
    assert answer.status_code == 200, answer.text
    assert "/" not in answer.json()["file"]
    assert "\\" not in answer.json()["file"]


def test_who_leaves_stops_the_work_and_nothing_is_left_behind(server, client, pixels):
    assert send(client, [("a.tif", tiff(pixels))]).status_code == 200
    process = psutil.Process(server.process.pid)
    workers = [
        each for each in process.children(recursive=True) if "cellmetry.pipeline.oneshot.worker" in each.cmdline()
    ]
    for each in workers:
        each.suspend()
    impatient = server.client()
    impatient.timeout = 1.0
    with pytest.raises(Exception, match="timed out"):
        send(impatient, [("a.tif", tiff(pixels))])
    for _ in range(100):
        if not any(psutil.pid_exists(each.pid) for each in workers):
            break
        time.sleep(0.1)
    assert not any(psutil.pid_exists(each.pid) for each in workers)
    assert send(client, [("a.tif", tiff(pixels))]).status_code == 200
    for _ in range(100):  # an answer's folder goes when all of it was sent
        left = [each for own in (server.home / "one-shot").iterdir() for each in own.iterdir() if each.is_dir()]
        if not left:
            break
        time.sleep(0.1)
    assert left == []


def test_what_a_killed_server_left_is_removed_by_the_next_and_of_one_that_runs_nothing(tmp_path):
    code = """
import sys, pathlib
from cellmetry.server.scratch import Scratch
folder = Scratch(pathlib.Path(sys.argv[1])).folder()
pathlib.Path(folder.name, "patient.tif").write_bytes(b"x")
print("there", flush=True)
sys.stdin.read()
"""
    other = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert other.stdout.readline() == b"there\n"
    scratch = Scratch(tmp_path)
    own = scratch.folder()
    for alive in (True, False):
        scratch.clear()
        assert bool(list(tmp_path.rglob("patient.tif"))) is alive
        other.kill()
        other.communicate()
    assert Path(own.name).is_dir()
    own.cleanup()
    scratch.close()
    assert list((tmp_path / "one-shot").iterdir()) == []
