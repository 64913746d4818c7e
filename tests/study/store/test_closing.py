"""What is noted of a closed study: opened as it was left it is checked quickly and not copied, else thoroughly."""

from __future__ import annotations

import os
import shutil

import pytest

from cellmetry.study.store.acts import act
from cellmetry.study.store.closing import CLOSED
from cellmetry.study.store.database import Database
from cellmetry.study.store.mending import DATABASE, SNAPSHOT
from cellmetry.study.store.store import join_store, open_store

from .made_study import ANNA, new_study, squares


@pytest.fixture
def checks(monkeypatch):
    """Return a list that gets, at each check of a database, whether it was a quick one."""
    seen, check = [], Database.check

    def noted(self, *, quick=False):
        seen.append(quick)
        return check(self, quick=quick)

    monkeypatch.setattr(Database, "check", noted)
    return seen


def say(store):
    with store.database.write():
        act(store, ANNA, "say", "something")


def test_a_study_that_was_closed_is_checked_quickly_and_not_copied_again(tmp_path, checks):
    store, _ = new_study(tmp_path, squares((64, 64)))
    say(store)
    store.close()
    snapshot = store.folder / SNAPSHOT
    before = snapshot.stat().st_mtime_ns
    for _ in range(2):
        with open_store(store.folder) as again:
            assert again.as_closed
    assert checks == [True, True]
    assert snapshot.stat().st_mtime_ns == before
    with open_store(store.folder) as again:
        say(again)
    assert snapshot.stat().st_mtime_ns > before
    with open_store(store.folder) as again:
        assert again.as_closed


def killed(store):
    other = store.folder.parent / "b.cellmetry"
    say(store)
    shutil.copytree(store.folder, other)
    return other


def written_by_another(store):
    store.close()
    with join_store(store.folder).database.write() as connection:
        connection.execute("INSERT INTO about VALUES ('a', 'b')")
    return store.folder


def touched(store):
    store.close()
    os.utime(store.folder / DATABASE, ns=(0, 0))
    return store.folder


def other_note(store):
    store.close()
    (store.folder / CLOSED).write_text("[")
    return store.folder


@pytest.mark.parametrize("how", [killed, written_by_another, touched, other_note])
def test_a_study_that_is_not_as_it_was_closed_is_checked_thoroughly_and_copied(tmp_path, checks, how):
    store, _ = new_study(tmp_path, squares((64, 64)))
    folder = how(store)
    before = (folder / SNAPSHOT).stat().st_mtime_ns
    with open_store(folder) as again:
        assert again.notices == ()
    assert checks == [False]
    assert (folder / SNAPSHOT).stat().st_mtime_ns > before
    store.close()
