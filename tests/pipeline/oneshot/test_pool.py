"""One-shot work in real processes: the labels of a run, every output, limits, crashes, turns."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import pytest
import tifffile
from PIL import Image as Picture

from cellmetry.core.labels import labels_hash
from cellmetry.io.labels import read_labels
from cellmetry.pipeline.batch import run
from cellmetry.pipeline.oneshot import process
from cellmetry.pipeline.oneshot.doing import do_file
from cellmetry.pipeline.oneshot.limits import OneShotLimits
from cellmetry.pipeline.oneshot.pool import OneShotPool, PoolBusy
from cellmetry.pipeline.oneshot.task import FileTask
from cellmetry.pipeline.recipe import load_recipe

CLASSICAL = {"engine": "classical"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with an image of twelve cells on a noisy ground."""
    folder = tmp_path_factory.mktemp("oneshot")
    centres = [(20 + 40 * row, 20 + 30 * column) for row in range(3) for column in range(4)]
    y, x = np.mgrid[:128, :128]
    light = sum(3000 * np.exp(-((y - a) ** 2 + (x - b) ** 2) / 40) for a, b in centres)
    noise = np.random.default_rng(0).normal(400, 10, (128, 128))
    tifffile.imwrite(folder / "cells.tif", (light + noise).astype(np.uint16))
    return folder


@pytest.fixture(scope="module")
def pool():
    """A pool of one process that all tests share."""
    pool = OneShotPool(OneShotLimits(time_s=60, waiting=3))
    yield pool
    pool.stop()
    assert not workers()


def workers():
    """Return the processes that work files."""
    return [each for each in psutil.Process().children() if "cellmetry.pipeline.oneshot.worker" in each.cmdline()]


def task(folder, request, out, *, verb="predict", path=None, name="Zellen №1.tif"):
    return FileTask(verb, request, str(path or folder / "cells.tif"), name, str(out))


def one(pool, each):
    [[answer]] = pool.submit([each]).answers.result(120)
    return answer


def test_labels_are_those_of_a_run_of_the_same_recipe(folder, pool, tmp_path):
    ran = run(load_recipe("whole-cells"), [folder / "cells.tif"], tmp_path / "run")
    answer = one(pool, task(folder, {"recipe": "whole-cells"}, tmp_path / "out"))
    assert answer.status == "done", answer.reason
    assert answer.labels_sha256 == ran.outcomes[0].labels_sha256
    assert labels_hash(read_labels(answer.output)) == answer.labels_sha256["cells"]
    assert answer.file == "Zellen №1.tif"


def test_requests_are_answered_though_a_process_does_not_start_or_its_thread_fails(folder, tmp_path, monkeypatch):
    wrong = [OSError(11, "Resource temporarily unavailable"), RuntimeError("can't start new thread")]
    start = subprocess.Popen

    def sometimes(*args, **options):
        if wrong:
            raise wrong.pop(0)
        return start(*args, **options)

    hooked = []
    monkeypatch.setattr(threading, "excepthook", hooked.append)
    pool = OneShotPool(OneShotLimits(time_s=60))
    monkeypatch.setattr(process.subprocess, "Popen", sometimes)
    batches = [pool.submit([task(folder, CLASSICAL, tmp_path / str(each))]) for each in range(3)]
    [first], [second], [third] = (answer for each in batches for answer in each.answers.result(120))
    assert (first.kind, first.http_status) == (second.kind, second.http_status) == ("Unforeseen", 500)
    assert "no process could be started" in first.reason
    assert third.status == "done"
    assert [each.exc_type for each in hooked] == [RuntimeError]
    pool.stop()
    assert not pool._threads


def test_every_output_shows_the_same_twelve_cells(folder, pool, tmp_path):
    made = {
        output: one(pool, task(folder, {**CLASSICAL, "output": output}, tmp_path / output))
        for output in ("tiff", "png", "rois", "json", "overlay")
    }
    assert {answer.n_objects["cells"] for answer in made.values()} == {12}
    assert len({answer.labels_sha256["cells"] for answer in made.values()}) == 1
    tiff = tifffile.imread(made["tiff"].output)
    assert tiff.dtype == np.uint16
    with Picture.open(made["png"].output) as png:
        assert np.array_equal(np.asarray(png), tiff)
    with zipfile.ZipFile(made["rois"].output) as archive:
        assert len(archive.namelist()) == 12
    table = json.loads(Path(made["json"].output).read_text())["tables"]["cells"]
    assert [row["label"] for row in table["rows"]] == list(range(1, 13))
    assert {column["name"] for column in table["columns"]} == set(table["rows"][0])
    with Picture.open(made["overlay"].output) as overlay:
        assert overlay.mode == "RGB"
        assert overlay.width == overlay.height


def test_counts_have_both_counters_and_an_interval(folder, pool, tmp_path):
    answer = one(pool, task(folder, {"diameter_px": 16}, tmp_path / "count", verb="count"))
    assert answer.status == "done", answer.reason
    [row] = answer.counts
    assert row["n_instances"] is not None
    assert row["n_density"] is not None
    assert row["n"] == pytest.approx(12, abs=2)


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        ({"recipe": "../../etc/passwd"}, "no shipped recipe"),
        ({"recipe": "existing-labels"}, "looks label files up"),
        ({"engine": "labels"}, "looks label files up"),
        ({"model": "/etc/passwd"}, "file of the server's computer"),
        ({"set": ["segment.model=/etc/passwd"]}, "file of the server's computer"),
        ({"recipe_text": '[[steps]]\nstep = "flat_field"\nflat = "/etc/passwd"\n'}, "file of the server's computer"),
        ({"recipe_text": "[[steps"}, "not valid TOML"),
        ({"recipe_text": "x = " + "[" * 50_000}, "nested too deep"),
        ({"recipe_text": '[[steps]]\nstep = "segment"\noptions.' + "a." * 50_000 + "b = 1"}, "nested too deep"),
        ({"recipe_text": '[[steps]]\nstep = "segment"\noptions.' + "a." * 2_000 + "b = 1"}, "nested"),
        ({"set": ["segment.options." + "a." * 400 + "b=1"]}, "nested more than"),
        ({"recipe": "nuclei", "engine": "classical"}, "give a recipe"),
        ({"labels": "nuclei", **CLASSICAL}, "no label image"),
        ({"diameter": 3}, "diameter_um"),
        ({"diameter_px": "nan"}, "finite"),
    ],
)
def test_a_wrong_request_is_refused_in_words(folder, tmp_path, request_, said):
    [answer] = do_file(task(folder, request_, tmp_path / "out"))
    assert (answer.status, answer.http_status) == ("failed", 422)
    assert said in answer.reason


def test_a_png_of_too_many_objects_or_of_a_stack_is_refused(folder, tmp_path):
    plane = tifffile.imread(folder / "cells.tif")
    tifffile.imwrite(tmp_path / "stack.tif", np.stack([plane, plane]), imagej=True, metadata={"axes": "ZYX"})
    [answer] = do_file(task(folder, {**CLASSICAL, "output": "png"}, tmp_path / "out", path=tmp_path / "stack.tif"))
    assert "several planes" in answer.reason
    assert answer.http_status == 422


def test_sentences_name_the_senders_file_and_no_folder_of_this_computer(folder, tmp_path):
    (tmp_path / "stored.tif").write_bytes(b"hello")
    [answer] = do_file(task(folder, CLASSICAL, tmp_path / "out", path=tmp_path / "stored.tif", name="meins.tif"))
    assert answer.http_status == 415
    assert answer.reason.startswith("meins.tif")
    assert str(tmp_path) not in answer.reason


def test_a_killed_process_fails_one_file_and_the_next_is_done(folder, pool, tmp_path):
    assert one(pool, task(folder, CLASSICAL, tmp_path / "warm")).status == "done"
    worker = workers()[0]
    os.kill(worker.pid, signal.SIGSTOP)
    batch = pool.submit([task(folder, CLASSICAL, tmp_path / "dies")])
    os.kill(worker.pid, signal.SIGKILL)
    [[died]] = batch.answers.result(60)
    assert (died.status, died.http_status) == ("failed", 422)
    assert "ended the process" in died.reason
    assert one(pool, task(folder, CLASSICAL, tmp_path / "next")).status == "done"


def test_time_and_memory_are_limited(folder, tmp_path):
    small = OneShotPool(OneShotLimits(memory_bytes=10_000_000))
    answer = one(small, task(folder, CLASSICAL, tmp_path / "small"))
    small.stop()
    assert answer.http_status == 413
    assert "GB of memory" in answer.reason


def test_a_file_that_takes_too_long_is_given_up(folder, tmp_path):
    brief = OneShotPool(OneShotLimits(time_s=2))
    assert one(brief, task(folder, CLASSICAL, tmp_path / "warm")).status == "done"
    for each in workers():
        os.kill(each.pid, signal.SIGSTOP)
    answer = one(brief, task(folder, CLASSICAL, tmp_path / "hangs"))
    brief.stop()
    assert answer.http_status == 413
    assert "took longer than 2 s" in answer.reason


def test_requests_have_their_turns_and_too_many_files_are_sent_away(folder, pool, tmp_path):
    warm = workers()
    for each in warm:
        os.kill(each.pid, signal.SIGSTOP)
    ended = []
    batches = {}
    for name, files in (("long", 3), ("short", 1)):
        tasks = [task(folder, CLASSICAL, tmp_path / f"{name}{number}") for number in range(files)]
        batches[name] = pool.submit(tasks)
        batches[name].answers.add_done_callback(lambda _, name=name: ended.append(name))
        time.sleep(0.3)
    with pytest.raises(PoolBusy, match="send the request again"):
        pool.submit([task(folder, CLASSICAL, tmp_path / "more") for _ in range(2)])
    for each in warm:
        os.kill(each.pid, signal.SIGCONT)
    for batch in batches.values():
        batch.answers.result(60)
    assert ended == ["short", "long"]


def test_work_that_nobody_asked_for_waits_behind_nothing(folder, tmp_path, monkeypatch):
    idle = OneShotPool(OneShotLimits(waiting=3))
    monkeypatch.setattr(OneShotPool, "_start_threads", lambda pool: None)
    wanted = task(folder, CLASSICAL, tmp_path)
    first = idle.offer([wanted])
    assert (first.waiting, idle.waiting) == (1, 1)
    assert idle.offer([wanted]) is None
    first.cancel()
    assert idle.offer([wanted]).waiting == 1


def test_a_cancelled_request_stops_what_is_worked(folder, pool, tmp_path):
    assert one(pool, task(folder, CLASSICAL, tmp_path / "before")).status == "done"
    worker = workers()[0]
    os.kill(worker.pid, signal.SIGSTOP)
    batch = pool.submit([task(folder, CLASSICAL, tmp_path / "left")])
    threading.Timer(0.3, batch.cancel).start()
    [[answer]] = batch.answers.result(30)
    assert answer.kind == "Cancelled"
    assert not psutil.pid_exists(worker.pid)
    assert replace(answer, status="done").row()["file"] == answer.file


def test_a_process_that_nobody_needs_ends_and_another_takes_its_place(folder, tmp_path):
    pool = OneShotPool(OneShotLimits(time_s=60, idle_s=0.01))
    try:
        for turn in range(2):
            assert one(pool, task(folder, CLASSICAL, tmp_path / str(turn))).status == "done"
            for thread in list(pool._threads):
                thread.join(30)
            assert not pool._threads
    finally:
        pool.stop()
