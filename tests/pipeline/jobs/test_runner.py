"""Jobs in real processes: they are done, cancelled, interrupted, resumed; a bad image or process costs only itself.

Faults F7, F8, F9, F21 and F22 of the list of faults.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from cellmetry.io.tables import read_table
from cellmetry.pipeline.jobs.limits import JobLimits
from cellmetry.pipeline.jobs.runner import JobRunner
from cellmetry.pipeline.stored.registering import register_images
from cellmetry.study.store.images import images
from cellmetry.study.store.jobs import ENDED, add_job, events_of, interrupted, job, jobs, resume_job
from cellmetry.study.store.labels import label_sets
from cellmetry.study.store.results import result_path, results
from cellmetry.study.store.store import join_store, open_store
from cellmetry.study.store.units import running_unit

sys.path.insert(0, str(Path(__file__).parent))
import faulty_steps
from job_studies import ANNA, CLASSICAL, new_store, study_of, write_images

posix = pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
FAULTY = CLASSICAL.replace("[[steps]]", '[[steps]]\nstep = "faulty"\n[[steps]]', 1)
LIMITS = JobLimits(workers=1, memory_bytes=3 << 30, image_s=60.0)


def wait_for(true, seconds=120):
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.02)


def workers(pid=None):
    """Processes below one (this one if left out) that work on jobs; other tests may have left other kinds here."""
    return [each for each in psutil.Process(pid).children(recursive=True) if works(each)]


def works(process):
    try:
        return "cellmetry.pipeline.jobs.worker" in process.cmdline()
    except psutil.Error:  # it ended meanwhile
        return False


@pytest.fixture
def runner():
    made = JobRunner(LIMITS)
    made.start()
    yield made
    made.stop()
    assert workers() == []


@pytest.fixture
def plugin(tmp_path, monkeypatch):
    """The steps that fail, known to the workers that are started."""
    (tmp_path / "plugin").mkdir()
    folder = faulty_steps.install(tmp_path / "plugin")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH")])]))


def ended(store, job_id, runner):
    runner.wake()
    wait_for(lambda: job(store, job_id).state in ENDED)
    return job(store, job_id)


def table_of(store, name="run_cells"):
    return read_table(result_path(store, {each.name: each for each in results(store, "table")}[name]))


def hashes(store):
    names = {each.id: each.name for each in images(store)}
    return {names[each.image_id]: each.sha256 for each in label_sets(store)}


def waiting(folder):
    """A recipe whose images wait for leave to go on, and what gives it."""
    leave = folder / "leave"
    leave.mkdir()

    def give(*names):
        for name in names:
            (leave / name).touch()

    return give, {"recipe_text": FAULTY, "set": [f"faulty.leave={str(leave)!r}"]}


def test_a_job_is_done_in_a_process_of_its_own(tmp_path, runner):
    store = new_store(tmp_path)
    runner.add(store)
    register_images(store, ANNA, [write_images(tmp_path / "images", "abc")])
    (queued,) = jobs(store)
    done = ended(store, queued.id, runner)
    assert (done.state, done.done, done.total, done.error) == ("done", 3, 3, "")
    assert [each.state for each in images(store)] == ["ready"] * 3
    wait_for(lambda: runner.idle)
    runner.remove(store)
    store.close()


def test_one_image_that_fails_costs_only_itself(tmp_path, runner, plugin):  # F8
    store = study_of(tmp_path, ["a", "b_raises", "c_crashes", "d", "e_large", "f_hangs"])
    ids = {each.name: each.id for each in images(store)}
    runner.add(store)
    job_id = add_job(store, ANNA, "segment", {"recipe_text": FAULTY})
    wait_for(lambda: running_unit(store, job_id) == ids["f_hangs"], 300)
    runner.limits = JobLimits(workers=1, memory_bytes=3 << 30, image_s=1.0)
    done = ended(store, job_id, runner)
    assert done.state == "done", done.error
    names = {each.id: each.name for each in images(store)}
    reasons = {names[image_id]: reason for image_id, reason in done.result["failed"].items()}
    assert set(reasons) == {"b_raises", "c_crashes", "e_large", "f_hangs"}
    assert "ZeroDivisionError" in reasons["b_raises"]
    assert "SIGSEGV" in reasons["c_crashes"] or os.name == "nt"
    assert "needs about 8796" in reasons["e_large"]  # F9
    assert "tile_px" in reasons["e_large"]
    assert "longer than 1 s" in reasons["f_hangs"]
    assert list(table_of(store, "run_images")["status"]) == ["done", *["failed"] * 2, "done", *["failed"] * 2]
    assert set(table_of(store)["image"]) == {"a", "d"}
    (traceback,) = (event.text for event in events_of(store, done.id) if event.kind == "traceback")
    assert 'File "cellmetry/' in traceback
    assert str(tmp_path) not in traceback
    runner.remove(store)
    store.close()


def test_a_job_as_a_whole_has_limits_of_time_and_disk(tmp_path, runner, plugin):
    store = study_of(tmp_path, "ab")
    give, parameters = waiting(tmp_path)
    give("a")
    b = images(store)[1].id
    runner.add(store)
    job_id = add_job(store, ANNA, "segment", parameters)
    for limit, words in (({"job_s": 0.5}, "longer than 0.5 s"), ({"free_bytes": 1 << 60}, "disk is nearly full")):
        wait_for(lambda: running_unit(store, job_id) == b)
        runner.limits = replace(LIMITS, **limit)
        failed = ended(store, job_id, runner)
        assert (failed.state, words in failed.error, "can be resumed" in failed.error) == ("failed", True, True)
        runner.limits = LIMITS
        resume_job(store, job_id)
        runner.wake()
    give("b")
    assert ended(store, job_id, runner).state == "done"
    assert set(hashes(store)) == {"a", "b"}
    runner.remove(store)
    store.close()


@posix
def test_killed_workers_and_servers_lose_no_image(tmp_path, plugin):  # F7, F21
    names = list("abcd")
    whole, store = (study_of(tmp_path / name, names) for name in ("whole", "killed"))
    give, parameters = waiting(tmp_path)
    job_id = add_job(store, ANNA, "segment", parameters)
    folder = store.folder
    store.close()
    with subprocess.Popen([sys.executable, "-P", __file__, str(folder)]) as server:
        store = join_store(folder)
        give("a", "b")
        wait_for(lambda: len(label_sets(store)) == 2 and running_unit(store, job_id))
        (worker,) = workers(server.pid)
        worker.kill()  # the job goes on by itself
        give("c")
        wait_for(lambda: len(label_sets(store)) == 3 and running_unit(store, job_id))
        (worker,) = workers(server.pid)
        server.kill()
    assert psutil.wait_procs([worker], timeout=60)[1] == []  # the worker ends when its server is gone
    store.close()
    store = open_store(folder)
    assert store.database.check() == []
    assert [each.id for each in interrupted(store)] == [job_id]
    resume_job(store, job_id)
    give(*names)
    runner = JobRunner(LIMITS)
    runner.start()
    runner.add(store)
    runner.add(whole)
    other = add_job(whole, ANNA, "segment", parameters)
    done = [ended(store, job_id, runner), ended(whole, other, runner)]
    runner.stop()
    assert [(each.state, each.result["failed"]) for each in done] == [("done", {})] * 2
    assert table_of(store).equals(table_of(whole))
    assert hashes(store) == hashes(whole)
    began = [event.text for event in events_of(store, job_id) if event.kind == "state"]
    assert began == ["queued", "running", "interrupted", "queued", "running", "done"]
    store.close()
    whole.close()


@posix
@pytest.mark.parametrize(("deaths", "state"), [(1, "done"), (2, "failed")])
def test_a_worker_killed_before_its_first_image_is_tried_once_more(tmp_path, runner, plugin, deaths, state):
    for number in range(deaths):
        (tmp_path / f"die{number}").touch()
    (tmp_path / "plugin" / "sitecustomize.py").write_text(
        "import os, pathlib, signal, sys\n"
        f"left = sorted(pathlib.Path({str(tmp_path)!r}).glob('die*'))\n"
        "if left and 'cellmetry.pipeline.jobs.worker' in sys.orig_argv:\n"
        "    left[0].unlink()\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    store = new_store(tmp_path)
    register_images(store, ANNA, [write_images(tmp_path / "images", "ab")])
    runner.add(store)
    (queued,) = jobs(store)
    done = ended(store, queued.id, runner)
    assert done.state == state
    if state == "failed":
        assert done.error.startswith("The job read ended its worker process (SIGKILL")
        resume_job(store, done.id)
        assert ended(store, done.id, runner).state == "done"
    assert {each.state for each in images(store)} == {"ready"}
    assert not list(tmp_path.glob("die*"))
    runner.remove(store)
    store.close()


@posix
def test_the_first_image_at_which_its_worker_is_killed_fails_alone(tmp_path, runner, plugin):
    store = study_of(tmp_path, ["a_crashes", "b"])
    ids = {each.name: each.id for each in images(store)}
    runner.add(store)
    done = ended(store, add_job(store, ANNA, "segment", {"recipe_text": FAULTY}), runner)
    assert (done.state, list(done.result["failed"])) == ("done", [ids["a_crashes"]])
    assert list(done.result["labels"]) == [ids["b"]]
    runner.remove(store)
    store.close()


@posix
def test_a_program_that_ends_finishes_the_image_and_the_job_is_resumed(tmp_path, plugin):  # F21
    store = study_of(tmp_path, ["a", "b", "c"])
    give, parameters = waiting(tmp_path)
    job_id = add_job(store, ANNA, "segment", parameters)
    first = JobRunner(LIMITS)
    first.start()
    first.add(store)
    wait_for(lambda: running_unit(store, job_id))
    (worker,) = workers()
    worker.terminate()
    give("a", "b", "c")
    wait_for(lambda: job(store, job_id).state == "interrupted")
    first.stop()
    assert len(label_sets(store)) == 1
    resume_job(store, job_id)
    second = JobRunner(LIMITS)
    second.start()
    second.add(store)
    done = ended(store, job_id, second)
    second.stop()
    assert (done.state, len(label_sets(store))) == ("done", 3)
    assert len({each.added_by for each in label_sets(store)}) == 1
    store.close()


@pytest.mark.parametrize("image", ["a", "a_hangs"])
def test_a_job_is_cancelled_within_seconds(tmp_path, runner, plugin, image):  # F22
    store = study_of(tmp_path, [image, "b"])
    _, parameters = waiting(tmp_path)
    runner.add(store)
    job_id = add_job(store, ANNA, "segment", parameters)
    later = add_job(store, ANNA, "segment", parameters)
    wait_for(lambda: running_unit(store, job_id))
    runner.cancel(store, later)
    assert job(store, later).state == "cancelled"
    runner.cancel(store, job_id)
    assert ended(store, job_id, runner).state == "cancelled"
    wait_for(lambda: runner.idle)
    assert workers() == []
    runner.remove(store)
    store.close()


def test_a_job_whose_every_image_is_too_large_fails_in_words(tmp_path, runner, plugin):  # F9
    store = study_of(tmp_path, ["a_large"])
    runner.add(store)
    done = ended(store, add_job(store, ANNA, "segment", {"recipe_text": FAULTY}), runner)
    assert done.state == "failed"
    assert done.error.startswith("a_large needs about 8796")
    runner.remove(store)
    store.close()


def test_studies_take_turns(tmp_path, runner, plugin):
    stores = [study_of(tmp_path / name, ["a"]) for name in "xy"]
    give, parameters = waiting(tmp_path)
    first = [add_job(stores[0], ANNA, "segment", parameters) for _ in range(2)]
    other = add_job(stores[1], ANNA, "segment", parameters)
    for store in stores:
        runner.add(store)
    wait_for(lambda: job(stores[0], first[0]).state == "running")
    give("a")
    ended(stores[1], other, runner)
    ended(stores[0], first[1], runner)
    assert job(stores[1], other).started < job(stores[0], first[1]).started
    for store in stores:
        runner.remove(store)
        store.close()


def test_new_images_are_read_by_one_process_however_many_jobs_ask_for_it(tmp_path, runner):
    store = study_of(tmp_path, ["a"])
    for number in range(6):
        register_images(store, ANNA, [write_images(tmp_path / f"more{number}", [f"b{number}"], 100 + 4 * number)])
    runner.add(store)
    most = 0

    def done():
        nonlocal most
        most = max(most, len(jobs(store, "running")))
        return not jobs(store, "running") and not jobs(store, "queued")

    wait_for(done)
    assert {each.state for each in jobs(store)} == {"done"}
    assert most == 1
    runner.remove(store)
    store.close()


def _serve(folder):
    """Work the queue of a study until somebody kills this process."""
    store = open_store(folder)
    runner = JobRunner(LIMITS)
    runner.start()
    runner.add(store)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    signal.pause()


if __name__ == "__main__":
    _serve(Path(sys.argv[1]))
