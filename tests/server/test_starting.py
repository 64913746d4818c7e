"""What the server loads when it starts: nothing that only jobs need."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing

from cellmetry.study.store.mending import DATABASE
from cellmetry.study.store.schema import VERSION
from cellmetry.study.store.store import open_store

JOBS_NEED = ("matplotlib", "torch", "sklearn", "cellmetry.pipeline.jobs.kinds.segmenting")


def test_the_server_starts_without_what_only_jobs_need():
    code = f"import sys, cellmetry.server.running; print([each for each in {JOBS_NEED!r} if each in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_named_study_that_cannot_be_opened_is_told_and_nothing_is_served(tmp_path):
    study, home = tmp_path / "plate.cellmetry", tmp_path / "home"
    study.mkdir()
    open_store(study).close()
    with closing(sqlite3.connect(study / DATABASE)) as database:
        database.execute("UPDATE about SET value = ? WHERE key = 'schema'", (str(VERSION + 1),))
        database.commit()
    words = [sys.executable, "-m", "cellmetry", "serve", str(study), "--home", str(home), "--port", "0", "--no-browser"]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 2, done.stderr
    assert "plate.cellmetry" in done.stderr
    assert "newer" in done.stderr
    assert done.stdout == ""
