"""The connections of a study's database."""

from __future__ import annotations

import gc
import os
import threading

import pytest

from cellmetry.study.store.database import Database


def test_threads_that_end_leave_no_open_file(tmp_path):
    descriptors = "/proc/self/fd"
    if not os.path.isdir(descriptors):
        pytest.skip("open files are counted in /proc")
    database = Database(tmp_path / "a.sqlite")
    with database.write() as connection:
        connection.execute("CREATE TABLE a (b)")

    def ask():
        assert database.rows("SELECT * FROM a") == []

    ask()
    before = len(os.listdir(descriptors))
    for _ in range(30):
        thread = threading.Thread(target=ask)
        thread.start()
        thread.join()
    gc.collect()
    assert len(os.listdir(descriptors)) <= before + 2
    database.close()
    assert len(os.listdir(descriptors)) < before
