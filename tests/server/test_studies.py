"""Open studies: found, made, held by another program, taken when free; copies are told apart."""

from __future__ import annotations

import shutil
import sys
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
