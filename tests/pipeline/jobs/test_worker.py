"""A worker while another program writes to the study: it waits, tells of its progress later, and hears a cancel."""

from __future__ import annotations

import sqlite3
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest

from cellmetry.pipeline.jobs import worker
from cellmetry.pipeline.jobs.units import each_unit
from cellmetry.study.store import database, patience
from cellmetry.study.store.jobs import add_job, job, next_job
from cellmetry.study.store.units import units_of

sys.path.insert(0, str(Path(__file__).parent))
from job_studies import ANNA, new_store

NAMES = {f"img_{n}": f"image {n}" for n in range(3)}


@pytest.fixture
def asked(tmp_path, monkeypatch):
    """A study and a job that runs; who is not patient waits hardly at all."""
    monkeypatch.setattr(patience, "_WAIT_S", 0.0)
    monkeypatch.setattr(database, "_TRY_S", 0.05)
    store = new_store(tmp_path)
    job_id = add_job(store, ANNA, "measure", {})
    next_job(store)
    yield store, job_id
    store.close()


class Held(threading.Thread):
    """Another program that writes until it is let go."""

    def __init__(self, store):
        super().__init__()
        self.begun, self.let_go = threading.Event(), threading.Event()
        self._path = store.database.path
        self.start()
        assert self.begun.wait(10)

    def run(self):
        with closing(sqlite3.connect(self._path, isolation_level=None)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            self.begun.set()
            assert self.let_go.wait(60)


class OverImages:
    """A job over images; at the second another program begins to write, which ends after a while or when told to."""

    def __init__(self, store, told=None):
        self._store, self._told, self.held = store, told, None

    def run(self, work):
        def do(name, progress):
            if name == "img_1":
                self.held = Held(self._store)
                if self._told is None:
                    threading.Timer(0.6, self.held.let_go.set).start()
                else:
                    threading.Timer(0.3, setattr, (self._told, "cancel", True)).start()
                for _ in range(3):
                    progress.advance()
                    time.sleep(0.01)
            return dict

        return {"units": len(each_unit(work, "images", NAMES, do))}


def test_a_worker_waits_until_another_program_has_written(asked, monkeypatch):
    store, job_id = asked
    over = OverImages(store)
    monkeypatch.setattr(worker, "parse_job", lambda *_: over)
    worker.work_on_job(store.folder, job_id, worker.Told())
    found = job(store, job_id)
    assert (found.state, found.error, found.result) == ("done", "", {"units": 3})
    assert (found.done, found.total) == (3, 3)
    assert {unit.state for unit in units_of(store, job_id).values()} == {"done"}
    over.held.join()


def test_a_worker_that_waits_hears_that_its_job_is_cancelled(asked, monkeypatch):
    store, job_id = asked
    told = worker.Told()
    over = OverImages(store, told)
    monkeypatch.setattr(worker, "parse_job", lambda *_: over)
    worker.work_on_job(store.folder, job_id, told)
    over.held.let_go.set()
    over.held.join()
    assert job(store, job_id).state == "running"  # the runner, which told it, notes that it ended
    assert [name for name, unit in units_of(store, job_id).items() if unit.state == "done"] == ["img_0"]


def test_progress_is_told_later_while_another_program_writes(asked):
    store, job_id = asked
    progress = worker.WorkerProgress(store, job_id, worker.Told())
    held = Held(store)
    progress.start("images", 2)
    progress.advance()
    held.let_go.set()
    held.join()
    assert job(store, job_id).total == 0
    progress.flush()
    assert (job(store, job_id).done, job(store, job_id).total) == (1, 2)


def test_a_task_that_follows_another_takes_its_place_at_once(asked):
    store, job_id = asked
    progress = worker.WorkerProgress(store, job_id, worker.Told())
    progress.start("prepare", 1)
    progress.advance()
    progress.start("beginning", 0)
    assert (job(store, job_id).task, job(store, job_id).total) == ("beginning", 0)
    progress.flush()
    assert job(store, job_id).task == "beginning"
