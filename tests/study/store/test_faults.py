"""Programs killed, disks full, folders read-only, shares that fail, clocks that jump: what was answered stays."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import textwrap
import time
from contextlib import closing, suppress
from pathlib import Path

import numpy as np
import pytest

from cellmetry.core.labels import Labels, labels_hash
from cellmetry.errors import CellmetryError, InputError, OutputError, StudyBusy, StudyInUse
from cellmetry.server.studies import OpenStudies
from cellmetry.study.editing.drawing import Draw
from cellmetry.study.editing.objects import Delete
from cellmetry.study.store import acts as acts_module
from cellmetry.study.store import database as database_module
from cellmetry.study.store import patience, schema
from cellmetry.study.store.acts import act, acts
from cellmetry.study.store.checkpoints import make_checkpoint
from cellmetry.study.store.closing import CLOSED
from cellmetry.study.store.edits import apply_edit, history, redo, undo
from cellmetry.study.store.label_pixels import read_labels
from cellmetry.study.store.labels import add_labels, label_set
from cellmetry.study.store.mending import DATABASE, SNAPSHOT
from cellmetry.study.store.restoring import labels_at
from cellmetry.study.store.store import Store, open_store
from cellmetry.study.store.verifying import verify

from .made_study import ANNA, new_study, squares

EDITOR = Path(__file__).with_name("editor.py")
KILLS = 5


def square(y, x, side=20):
    return Draw(points=((y, x), (y, x + side), (y + side, x + side), (y + side, x)), over=True)


def now(store, labels):
    return read_labels(store, labels).read()


def left_behind(folder):
    return [path for path in folder.rglob("*") if path.name.startswith(".cellmetry-")]


def run(code, *words):
    """Run a piece of Python in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_f1_f2_f13_killed_at_any_time_no_answered_edit_is_lost(tmp_path):
    store, labels = new_study(tmp_path, squares((140, 140)))
    store.close()
    folder, rng = store.folder, np.random.default_rng(5)
    for kill in range(KILLS):
        with subprocess.Popen(
            [sys.executable, EDITOR, folder, labels, str(kill)], stdout=subprocess.PIPE, text=True
        ) as editor:
            assert editor.stdout.readline() == "open\n"
            time.sleep(rng.uniform(0.05, 0.7))
            editor.kill()
            said = [line.split() for line in editor.stdout.read().split("\n")[:-1]]
        with open_store(folder) as store:
            assert store.notices == ()
            assert store.read_only == ""
            assert store.database.check() == []
            assert left_behind(folder) == []
            found = verify(store, thorough=True)
            assert found == []
            for word, version, sha256 in said:
                assert word == "saved"
                assert labels_hash(labels_at(store, labels, int(version))) == sha256
            if said:
                assert label_set(store, labels).version in (int(said[-1][1]), int(said[-1][1]) + 1)


class Killed(BaseException):
    """The program ends here."""


def study_files(folder):
    return {path.relative_to(folder).as_posix() for path in (folder / "labels").rglob("*.ome.zarr")}


def test_f3_a_program_that_ends_between_folder_and_database_leaves_nothing(tmp_path, monkeypatch):
    store, labels = new_study(tmp_path)
    apply_edit(store, ANNA, labels, Delete(ids=(1, 2)))
    before, seen = study_files(store.folder), now(store, labels)

    def end(*_):
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr("cellmetry.study.store.checkpoints.point_to", end)
        with pytest.raises(Killed):
            make_checkpoint(store.database, store.folder, labels)
    with monkeypatch.context() as patched:
        patched.setattr("cellmetry.study.store.labels.insert_objects", end)
        with pytest.raises(Killed):
            add_labels(store, 1, "img_1", Labels(squares()), name="nuclei")
    assert len(study_files(store.folder)) == len(before) + 2
    shutil.copytree(store.folder, tmp_path / "killed.cellmetry")
    store.close()
    with open_store(tmp_path / "killed.cellmetry") as store:
        assert study_files(store.folder) == before
        assert store.notices == ()
        assert np.array_equal(now(store, labels), seen)
        assert verify(store, thorough=True) == []


@pytest.mark.parametrize("what", ["checkpoint", "snapshot", "edit", "add"])
def test_the_nth_call_to_the_system_fails_and_nothing_is_lost(tmp_path, monkeypatch, what):
    store, labels = new_study(tmp_path, squares((140, 140)))
    apply_edit(store, ANNA, labels, Delete(ids=(1,)))
    acts_of = {
        "checkpoint": lambda: make_checkpoint(store.database, store.folder, labels),
        "snapshot": store.snapshot,
        "edit": lambda: apply_edit(store, ANNA, labels, square(30, 30)),
        "add": lambda: add_labels(store, 1, "img_1", Labels(squares((140, 140))), name="nuclei"),
    }
    for n in range(200):
        if what == "checkpoint":
            apply_edit(store, ANNA, labels, square(n % 50, 20))
        seen, version = now(store, labels), label_set(store, labels).version
        with monkeypatch.context() as patched:
            count = failing(patched, n)
            try:
                acts_of[what]()
            except (CellmetryError, OSError):
                assert label_set(store, labels).version == version
                assert np.array_equal(now(store, labels), seen)
                assert left_behind(store.folder) == []
        if count["calls"] <= n:
            break
    store.keep_up()
    assert n >= {"edit": 0, "snapshot": 3}.get(what, 8)
    assert verify(store, thorough=True) == []
    store.close()
    with open_store(store.folder) as store:
        assert verify(store, thorough=True) == []
        assert store.notices == ()


def failing(patched, n):
    """Make the nth call of any of the functions by which files are put on a disk fail."""
    count = {"calls": 0}

    def wrapped(function):
        def call(*words, **more):
            count["calls"] += 1
            if count["calls"] == n + 1:
                raise OSError(errno.EIO, "the disk failed")
            return function(*words, **more)

        return call

    for name in ("replace", "fsync", "link", "mkdir"):
        patched.setattr(os, name, wrapped(getattr(os, name)))
    patched.setattr(Path, "write_bytes", wrapped(Path.write_bytes))
    patched.setattr(Path, "write_text", wrapped(Path.write_text))
    return count


@pytest.fixture
def small_disk(tmp_path):
    """Return a folder on a disk of 3 MB."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("mount") is not None
    if mounted:
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", place], check=False, capture_output=True
        )
        mounted = done.returncode == 0
    if not mounted:
        pytest.skip("a small disk can only be mounted by the administrator of a Linux computer")
    yield place
    subprocess.run(["umount", "-l", place], check=True)


def test_f5_f6_a_full_disk_refuses_in_words_and_goes_on_when_there_is_room(small_disk):
    store, labels = new_study(small_disk, squares((400, 400)))
    apply_edit(store, ANNA, labels, Delete(ids=(1,)))
    (small_disk / "ballast").write_bytes(b"")
    free = shutil.disk_usage(small_disk).free
    (small_disk / "ballast").write_bytes(bytes(max(free - 8192, 0)))
    seen, version = now(store, labels), label_set(store, labels).version
    refused = None
    for n in range(50):
        try:
            apply_edit(store, ANNA, labels, square(3 * n, 5 * n, 60))
        except OutputError as error:
            refused = error
            break
        seen, version = now(store, labels), version + 1
    assert "full" in str(refused)
    assert label_set(store, labels).version == version
    assert np.array_equal(now(store, labels), seen)
    with pytest.raises(OutputError, match="full"):
        add_labels(store, 1, "img_1", Labels(np.random.default_rng(1).integers(1, 9, (400, 400), np.uint32)), name="b")
    with pytest.raises(OutputError, match="full"):
        store.snapshot()
    assert left_behind(store.folder) == []
    (small_disk / "ballast").unlink()
    apply_edit(store, ANNA, labels, square(200, 200))
    store.close()
    with open_store(store.folder) as store:
        assert store.notices == ()
        assert label_set(store, labels).version == version + 1
        assert verify(store, thorough=True) == []


def fill(path):
    """Write a file until the disk is full."""
    with path.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))


@pytest.mark.parametrize("clean", [True, False])
def test_f5_a_study_on_a_full_disk_is_read_and_says_why(small_disk, clean):
    store, labels = new_study(small_disk, squares((400, 400)))
    apply_edit(store, ANNA, labels, Delete(ids=(1,)))
    folder, seen = store.folder, now(store, labels)
    if clean:
        store.close()
    else:
        shutil.copytree(folder, small_disk / "b.cellmetry", ignore=shutil.ignore_patterns("*-shm"))
        store.close()
        shutil.rmtree(folder)
        folder = (small_disk / "b.cellmetry").rename(folder)
    fill(small_disk / "ballast")
    with open_store(folder) as full:
        assert "full" in full.read_only
        assert np.array_equal(now(full, labels), seen)
        assert verify(full) == []
        with pytest.raises(StudyInUse):
            apply_edit(full, ANNA, labels, Delete(ids=(2,)))
    home = OpenStudies((small_disk,), "the test")
    assert [store.read_only != "" for store in home.find().values()] == [True]
    (small_disk / "ballast").unlink()
    assert len(home.retake()) == 1
    home.close()
    with open_store(folder) as again:
        assert (again.read_only, again.notices) == ("", ())
        assert np.array_equal(now(again, labels), seen)


def test_f5_f15_what_is_damaged_waits_for_room_to_be_mended(small_disk):
    store, labels = new_study(small_disk, squares((400, 400)))
    store.close()
    harm(store.folder / DATABASE, "overwritten")
    fill(small_disk / "ballast")
    home = OpenStudies((small_disk,), "the test")
    assert home.find() == {}
    assert "cannot be mended now" in home.refused["a.cellmetry"]
    (small_disk / "ballast").unlink()
    (again,) = home.find(again=True).values()
    assert "was damaged" in again.notices[0]
    assert label_set(again, labels).version == 0
    home.close()


def test_f5_where_there_is_no_room_for_a_copy_of_the_state_edits_go_on(tmp_path, monkeypatch):
    store, labels = new_study(tmp_path)
    store.close()
    (store.folder / CLOSED).unlink()

    def no_room(*_):
        raise OutputError("the disk is full.")

    with monkeypatch.context() as patched:
        patched.setattr(Store, "snapshot", no_room)
        with open_store(store.folder) as again:
            assert "No copy of the state" in again.notices[0]
            apply_edit(again, ANNA, labels, Delete(ids=(1,)))
    with open_store(store.folder) as again:
        assert again.notices == ()
        assert label_set(again, labels).version == 1


def test_f11_a_second_program_reads_and_is_told_who_writes(tmp_path):
    store, labels = new_study(tmp_path)
    apply_edit(store, ANNA, labels, Delete(ids=(1,)))
    code = """
    import sys
    from cellmetry.errors import StudyInUse
    from cellmetry.study.editing.objects import Delete
    from cellmetry.study.store.acts import Actor
    from cellmetry.study.store.edits import apply_edit
    from cellmetry.study.store.labels import label_set
    from cellmetry.study.store.store import open_store
    with open_store(sys.argv[1]) as store:
        print(store.read_only)
        print(label_set(store, sys.argv[2]).version)
        try:
            apply_edit(store, Actor("ben", "cli"), sys.argv[2], Delete(ids=(2,)))
        except StudyInUse:
            print("refused")
    """
    why, version, refused = run(code, store.folder, labels).split("\n")
    assert f"process {os.getpid()}" in why
    assert (version, refused) == ("1", "refused")
    apply_edit(store, ANNA, labels, Delete(ids=(3,)))
    store.close()
    with open_store(store.folder) as again:
        assert again.read_only == ""


@pytest.mark.parametrize("clean", [True, False])
@pytest.mark.parametrize("how", ["overwritten", "deleted", "truncated"])
def test_f15_a_database_that_is_damaged_or_gone_is_made_anew_and_nothing_is_lost(tmp_path, how, clean):
    store, labels = new_study(tmp_path)
    store.snapshot()
    for number in range(6):
        apply_edit(store, ANNA, labels, Delete(ids=(number + 1,)))
        if number == 2:
            store.snapshot()
    seen = now(store, labels)
    folder = store.folder
    if not clean:
        folder = tmp_path / "killed.cellmetry"  # as a killed program leaves it
        shutil.copytree(store.folder, folder)
    store.close()
    harm(folder / DATABASE, how)
    with open_store(folder) as store:
        assert "No change was lost" in store.notices[0] or clean
        assert len(history(store, labels)) == 6
        assert np.array_equal(now(store, labels), seen)
        assert verify(store, thorough=True) == []
        undo(store, ANNA, labels)
    with open_store(folder) as store:
        assert store.notices == ()


def harm(path, how):
    """Overwrite the middle of a file, cut it off, or delete it."""
    data = bytearray(path.read_bytes())
    path.unlink()
    if how == "overwritten":
        data[4096:-4096] = bytes(len(data) - 8192)
        path.write_bytes(data)
    elif how == "truncated":
        path.write_bytes(data[: len(data) // 3])


def test_f15_a_damaged_log_is_told_and_edits_that_can_be_read_are_kept(tmp_path):
    store, labels = new_study(tmp_path)
    store.snapshot()
    for number in range(6):
        apply_edit(store, ANNA, labels, Delete(ids=(number + 1,)))
    folder = tmp_path / "killed.cellmetry"
    shutil.copytree(store.folder, folder)
    store.close()
    log = folder / f"{DATABASE}-wal"
    data = bytearray(log.read_bytes())
    data[len(data) // 2] ^= 1
    log.write_bytes(data)
    with open_store(folder) as store:
        assert any("changes are lost" in notice for notice in store.notices)
        assert 0 < label_set(store, labels).version < 6
        assert verify(store, thorough=True) == []


def test_f15_an_old_copy_is_brought_forward_by_what_can_be_read(tmp_path):
    store, labels = new_study(tmp_path)
    store.close()
    old = (store.folder / SNAPSHOT).read_bytes()
    with open_store(store.folder) as store:
        for number in range(5):
            apply_edit(store, ANNA, labels, Delete(ids=(number + 1,)))
        undo(store, ANNA, labels)
        undo(store, ANNA, labels)
        redo(store, ANNA, labels)
        known = acts(store)
        with store.database.write():
            act(store, ANNA, "say", "a is a control")
        seen = now(store, labels)
    (store.folder / SNAPSHOT).write_bytes(old)
    connection = sqlite3.connect(store.folder / DATABASE)
    row = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'objects'").fetchone()
    connection.close()
    data = bytearray((store.folder / DATABASE).read_bytes())
    data[(row[0] - 1) * 4096 : row[0] * 4096] = bytes(4096)
    (store.folder / DATABASE).write_bytes(data)
    with open_store(store.folder) as store:
        told = " ".join(store.notices)
        assert "8 later edits were taken" in told
        assert acts(store)[-len(known) :] == known
        assert "Lost: a is a control (anna" in told
        assert np.array_equal(now(store, labels), seen)
        assert label_set(store, labels).version == 8
        assert verify(store, thorough=True) == []


def test_f15_without_database_and_copy_the_study_comes_back_from_its_labels(tmp_path):
    store, labels = new_study(tmp_path)
    first, identity = now(store, labels), store.id
    apply_edit(store, ANNA, labels, Delete(ids=(1, 2, 3)))
    seen = now(store, labels)
    store.close()
    for path in store.folder.glob("study*"):
        path.unlink()
    with open_store(store.folder) as store:
        told = " ".join(store.notices)
        assert "1 label images were brought back" in told
        assert "history" in told
        assert store.id == identity
        assert np.array_equal(now(store, labels), seen)
        assert store.database.row("SELECT name FROM images")["name"] == "a"
        assert verify(store, thorough=True) == []
        undo(store, ANNA, labels)
        assert np.array_equal(now(store, labels), first)
    with open_store(store.folder) as store:
        assert store.notices == ()


@pytest.fixture
def open_place():
    """Return a folder that every user may enter."""
    with tempfile.TemporaryDirectory(dir="/var/tmp" if Path("/var/tmp").is_dir() else None) as place:
        Path(place).chmod(0o755)
        yield Path(place)


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="Windows keeps permissions in another way")
def test_f18_a_folder_without_permission_is_read_and_says_why(open_place):
    store, labels = new_study(open_place)
    store.close()
    code = """
    import os, sys
    from cellmetry.study.store.label_pixels import read_labels
    from cellmetry.study.store.store import open_store
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
    with open_store(sys.argv[1]) as store:
        print(read_labels(store, sys.argv[2]).read().max())
        print(store.read_only)
    """
    for path in (store.folder, *store.folder.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        largest, why = run(code, store.folder, labels).split("\n")
    finally:
        for path in (store.folder, *store.folder.rglob("*")):
            path.chmod(0o755)
    assert int(largest) == squares().max()
    assert "cannot be written" in why


def test_f19_on_a_network_share_there_is_no_log_beside_and_a_failing_one_refuses(tmp_path, monkeypatch):
    monkeypatch.setattr(database_module, "on_network", lambda _: True)
    monkeypatch.setattr(patience, "_WAIT_S", 0.1)
    store, labels = new_study(tmp_path)
    assert store.database.row("PRAGMA journal_mode")[0] == "delete"
    apply_edit(store, ANNA, labels, Delete(ids=(1,)))
    seen = now(store, labels)
    store.snapshot()
    for code in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_READONLY):
        with monkeypatch.context() as patched:
            patched.setattr(store.database, "_writer", Failing(store.database._writer, code))
            with pytest.raises(OutputError, match="What was saved before is unchanged"):
                apply_edit(store, ANNA, labels, Delete(ids=(2,)))
        assert np.array_equal(now(store, labels), seen)
    apply_edit(store, ANNA, labels, Delete(ids=(2,)))
    assert make_checkpoint(store.database, store.folder, labels)
    store.close()
    with open_store(store.folder) as store:
        assert label_set(store, labels).version == 2
        assert verify(store, thorough=True) == []


@pytest.mark.parametrize("network", [True, False])
@pytest.mark.parametrize("held", ["IMMEDIATE", "EXCLUSIVE"])
def test_f19_a_database_that_others_write_to_is_no_damaged_one(tmp_path, monkeypatch, held, network):
    monkeypatch.setattr(database_module, "on_network", lambda _: network)
    monkeypatch.setattr(database_module, "_TRY_S", 0.1)
    monkeypatch.setattr(patience, "_WAIT_S", 0.2)
    store, labels = new_study(tmp_path)
    store.snapshot()
    apply_edit(store, ANNA, labels, Delete(ids=(1,)))
    state = store.folder / DATABASE
    store.lock.release()  # a program that was killed: its worker still writes
    inode, seen = state.stat().st_ino, now(store, labels)
    with closing(sqlite3.connect(state, isolation_level=None)) as other:
        other.execute(f"BEGIN {held}")
        if held == "EXCLUSIVE" and network:
            with pytest.raises(StudyBusy, match="another program is writing"):
                open_store(store.folder)
        else:
            with open_store(store.folder) as again:
                assert "another program is writing" in again.read_only
                assert np.array_equal(now(again, labels), seen)
        other.execute("INSERT INTO acts (at, who, via, verb, summary) VALUES ('', '', '', 'say', 'from the other')")
        other.execute("COMMIT")
    store.database.close()
    assert state.stat().st_ino == inode
    assert [path.name for path in store.folder.glob("study.damaged*")] == []
    with open_store(store.folder) as again:
        assert (again.read_only, again.notices) == ("", ())
        assert acts(again)[0].summary == "from the other"
        assert np.array_equal(now(again, labels), seen)


@pytest.mark.parametrize("code", [sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_FULL])
def test_f19_a_share_that_fails_while_the_database_is_checked_is_no_damage(study, monkeypatch, code):
    store, _ = study
    with monkeypatch.context() as patched:
        failing = Failing(store.database._writer, code, "PRAGMA")
        patched.setattr(store.database, "_reader", lambda: failing)
        with pytest.raises(OutputError, match="What was saved before is unchanged"):
            store.database.check()
    assert store.database.check() == []


class Failing:
    """A connection whose transactions fail when they are to be saved, or at another word."""

    def __init__(self, connection, code, word="COMMIT"):
        self._connection, self._code, self._word = connection, code, word

    def execute(self, sql, *values):
        if sql.startswith(self._word):
            error = sqlite3.OperationalError("disk I/O error")
            error.sqlite_errorcode = self._code
            raise error
        return self._connection.execute(sql, *values)

    def __getattr__(self, name):
        return getattr(self._connection, name)


def test_f23_order_is_that_of_numbers_when_the_clock_jumps_back(study, monkeypatch):
    store, labels = study

    class Clock(acts_module.datetime):
        @classmethod
        def now(cls, tz=None):
            return cls(2001, 1, 1, tzinfo=tz)

    apply_edit(store, ANNA, labels, Delete(ids=(1,)))
    seen = now(store, labels)
    with monkeypatch.context() as patched:
        patched.setattr(acts_module, "datetime", Clock)
        apply_edit(store, ANNA, labels, Delete(ids=(2,)))
    assert acts(store)[0].at.startswith("2001")
    assert [each.version for each in history(store, labels)] == [2, 1]
    undo(store, ANNA, labels)
    assert np.array_equal(now(store, labels), seen)


def test_f24_an_older_study_is_migrated_on_a_copy_and_a_newer_one_refused_untouched(tmp_path, monkeypatch):
    store, labels = new_study(tmp_path)
    apply_edit(store, ANNA, labels, Delete(ids=(1,)))
    seen = now(store, labels)
    store.close()
    old = store.folder
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, "ALTER TABLE images ADD COLUMN new TEXT;\n"))
    newer = len(schema.MIGRATIONS)
    for module in (schema, sys.modules["cellmetry.study.store.store"]):
        monkeypatch.setattr(module, "VERSION", newer)
    with open_store(old) as store:
        assert f"from version {newer - 1} to {newer}" in " ".join(store.notices)
        assert "new" in store.database.row("SELECT * FROM images").keys()  # noqa: SIM118  a row has values
        assert np.array_equal(now(store, labels), seen)
        undo(store, ANNA, labels)
    kept = old / f"study-before-version-{newer}.sqlite"
    assert kept.is_file()
    monkeypatch.undo()
    before = {path: path.read_bytes() for path in old.glob("study*.sqlite")}
    with pytest.raises(InputError, match="newer Cellmetry"):
        open_store(old)
    assert {path: path.read_bytes() for path in old.glob("study*.sqlite")} == before
    with pytest.raises(StudyInUse, match="version"):
        open_store(old, read_only=True)
