"""Open studies: found, made, held by another program, taken when free; copies are told apart."""

from __future__ import annotations

import shutil
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cellmetry.errors import ParameterError, UnknownName
from cellmetry.server.studies import OpenStudies
from cellmetry.server.tiles.finding import TileRequest, find_tile
from cellmetry.study.editing.objects import Delete
from cellmetry.study.store.acts import Actor, acts
from cellmetry.study.store.edits import apply_edit
from cellmetry.study.store.jobs import add_job, job, set_state
from cellmetry.study.store.store import open_store

if TYPE_CHECKING:
    from collections.abc import Iterator

sys.path.insert(0, str(Path(__file__).parents[1] / "study" / "store"))
from made_study import new_study, squares


@pytest.fixture
def studies(tmp_path: Path) -> Iterator[OpenStudies]:
    """The studies of an empty home folder; their jobs are left alone."""
    found = OpenStudies((tmp_path,), "the test", address="http://127.0.0.1:1")
    yield found
    found.close()


def test_two_studies_of_one_name_have_folders_of_their_own(studies: OpenStudies) -> None:
    one, other = studies.create("edu", "mira"), studies.create("edu", "nils", "web")
    assert one.folder != other.folder
    assert set(studies.find()) == {one.id, other.id}
    assert [(each.who, each.via, each.verb) for each in acts(other)] == [("nils", "web", "create")]


def test_the_holder_says_where_it_listens_and_another_program_reads(studies: OpenStudies) -> None:
    store = studies.create("edu", "mira")
    with open_store(store.folder) as second:
        assert "the test at http://127.0.0.1:1" in second.read_only


def test_a_study_of_another_program_is_read_and_taken_when_it_is_free(studies: OpenStudies, tmp_path: Path) -> None:
    folder = tmp_path / "held.cellmetry"
    folder.mkdir()
    holder = open_store(folder, program="another")
    job_id = add_job(holder, Actor("mira", "cli"), "segment", {})
    set_state(holder, job_id, "running")
    name = holder.id
    assert "another" in studies.get(name).read_only
    assert studies.retake() == []
    holder.close()
    assert studies.retake() == [name]
    assert studies.get(name).read_only == ""
    assert job(studies.get(name), job_id).state == "interrupted"


def test_a_copy_beside_is_told(studies: OpenStudies, tmp_path: Path) -> None:
    store = studies.create("edu", "mira")
    folder = store.folder
    studies.close_one(store.id)
    shutil.copytree(folder, tmp_path / "copy.cellmetry")
    assert len(studies.find()) == 1
    assert "is a copy of" in next(iter(studies.refused.values()))


def served(*homes: Path, more: tuple[Path, ...] = ()) -> tuple[set[str], dict[str, str]]:
    """Return the names of the folders that a new server opens, all for writing, and why it opens no others."""
    found = OpenStudies(homes, "the test", more=more)
    try:
        stores = list(found.find().values())
        assert [store.read_only for store in stores] == [""] * len(stores)
        return {store.folder.name for store in stores}, found.refused
    finally:
        found.close()


@pytest.fixture
def backup(tmp_path: Path) -> Path:
    """The home folder with a study `m` that was served, and a copy of it whose name comes first."""
    home = tmp_path / "home"
    found = OpenStudies((home,), "the test")
    assert found.create("m", "mira").folder.name == "m.cellmetry"
    found.close()
    shutil.copytree(home / "m.cellmetry", home / "m-backup.cellmetry")
    return home


def test_a_backup_never_takes_the_place_of_the_study(backup: Path) -> None:
    opened, refused = served(backup)
    assert opened == {"m.cellmetry"}
    assert refused["m-backup.cellmetry"].startswith("m-backup.cellmetry is a copy of m.cellmetry")
    moved = backup.rename(backup.with_name("moved"))
    assert served(moved)[0] == {"m.cellmetry"}
    (moved / "m.cellmetry").rename(moved / "renamed.cellmetry")
    assert served(moved)[0] == set()  # which of them was renamed?
    opened, refused = served(moved, more=(moved / "renamed.cellmetry",))
    assert (opened, set(refused)) == ({"renamed.cellmetry"}, {"m-backup.cellmetry"})
    assert served(moved)[0] == {"renamed.cellmetry"}


def test_a_backup_is_not_opened_when_nothing_can_be_read_of_the_study(backup: Path) -> None:
    before = {file.name: file.stat().st_mtime_ns for file in (backup / "m-backup.cellmetry").iterdir()}
    (backup / "m.cellmetry" / "study.sqlite").write_bytes(b"damaged")
    assert served(backup)[0] == {"m.cellmetry"}  # mended by its snapshot
    for file in (backup / "m.cellmetry").glob("study*"):
        file.unlink()
    assert "m-backup.cellmetry" in served(backup)[1]
    assert before == {file.name: file.stat().st_mtime_ns for file in (backup / "m-backup.cellmetry").iterdir()}


def test_copies_of_an_older_version_are_told_apart(backup: Path) -> None:
    for name in ("m", "m-backup"):
        with closing(sqlite3.connect(backup / f"{name}.cellmetry" / "study.sqlite")) as database, database:
            database.execute("UPDATE about SET value = '1' WHERE key = 'schema'")
    assert "m-backup.cellmetry is a copy of m.cellmetry" in served(backup)[1]["m-backup.cellmetry"]


def test_a_copy_made_meanwhile_is_not_opened(studies: OpenStudies, tmp_path: Path) -> None:
    store = studies.create("edu", "mira")
    shutil.copytree(store.folder, tmp_path / "a.cellmetry")
    state = [tmp_path / "a.cellmetry" / name for name in ("study.sqlite", "study.sqlite-wal", "study.snapshot.sqlite")]
    before = [file.stat().st_mtime_ns for file in state]
    assert set(studies.find(again=True)) == {store.id}
    assert list(studies.refused) == ["a.cellmetry"]
    assert before == [file.stat().st_mtime_ns for file in state]


def test_of_copies_that_nobody_noted_none_is_opened(tmp_path: Path) -> None:
    for name in ("b", "a"):
        if name == "b":
            (tmp_path / "b.cellmetry").mkdir()
            open_store(tmp_path / "b.cellmetry").close()
        else:
            shutil.copytree(tmp_path / "b.cellmetry", tmp_path / "a.cellmetry")
    opened, refused = served(tmp_path)
    assert opened == set()
    assert set(refused) == {"a.cellmetry", "b.cellmetry"}
    assert "a.cellmetry and b.cellmetry hold the same study" in refused["a.cellmetry"]
    shutil.move(tmp_path / "a.cellmetry", tmp_path / "a.backup")
    assert served(tmp_path) == ({"b.cellmetry"}, {})


@pytest.mark.parametrize("name", ["", " \t\n", "x" * 201])
def test_a_name_has_a_length(studies: OpenStudies, name: str) -> None:
    with pytest.raises(ParameterError, match="1 to 200"):
        studies.create(name, "mira")


def test_what_is_not_there_is_told(studies: OpenStudies, tmp_path: Path) -> None:
    (tmp_path / "file.cellmetry").touch()
    with pytest.raises(UnknownName):
        studies.get("study_0123456789abcdef")


def test_a_study_that_was_put_back_counts_its_versions_in_another_epoch(tmp_path: Path) -> None:
    """Browsers keep tiles of a version for ever; a backup counts the same versions again with other pixels."""
    store, labels = new_study(tmp_path, squares((128, 128)))
    store.close()
    backup = shutil.copytree(store.folder, tmp_path / "backup")
    seen = []
    for number in (1, 2):
        home = OpenStudies((tmp_path,), "the test")
        (store,) = home.find().values()
        apply_edit(store, Actor("mira", "web"), labels, Delete(ids=(number,)))
        asked = TileRequest(store.id, "labels", labels, (0, 0, 0, 0, 0), 1, store.epoch)
        seen.append(find_tile(store, asked))
        assert not find_tile(store, asked._replace(epoch="0" * 8)).for_ever
        home.close()
        shutil.rmtree(store.folder)
        shutil.copytree(backup, store.folder)
    assert all(found.for_ever for found in seen)
    assert seen[0].frame != seen[1].frame
    assert seen[0].tag != seen[1].tag
