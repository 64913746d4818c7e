"""Checkpoints, older versions, and damage found and made good."""

from __future__ import annotations

import os
import shutil
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellmetry.errors import DamagedFile, ParameterError
from cellmetry.io.hashing import content_hash
from cellmetry.study.editing.drawing import Draw
from cellmetry.study.editing.objects import Delete
from cellmetry.study.store import checkpoints
from cellmetry.study.store.acts import acts, undo_act
from cellmetry.study.store.checkpoints import make_checkpoint
from cellmetry.study.store.edits import apply_edit, undo
from cellmetry.study.store.labels import label_set, read_labels
from cellmetry.study.store.originals import find_moved, original, original_path, originals
from cellmetry.study.store.plain_words import plain_words
from cellmetry.study.store.repairing import repair
from cellmetry.study.store.restoring import labels_at, restore_version
from cellmetry.study.store.store import open_store
from cellmetry.study.store.verifying import verify

from .made_study import ANNA, new_study, squares


def square(y, x, side=20):
    return Draw(points=((y, x), (y, x + side), (y + side, x + side), (y + side, x)), over=True)


def now(store, labels):
    return read_labels(store, labels).read()


def edited(store, labels):
    """Edit with a checkpoint between; return the labels of each version."""
    states = [now(store, labels)]
    steps = (square(500, 500), Delete(ids=(1, 2)), None, square(10, 10), square(300, 900))
    for step in steps:
        if step is None:
            assert make_checkpoint(store.database, store.folder, labels)
            continue
        apply_edit(store, ANNA, labels, step)
        states.append(now(store, labels))
    return states


def test_a_checkpoint_changes_no_pixel_and_links_what_is_the_same(study):
    store, labels = study
    first = content_hash(store.folder / label_set(store, labels).first_checkpoint)
    apply_edit(store, ANNA, labels, Delete(ids=(1,)))
    seen = now(store, labels)
    assert make_checkpoint(store.database, store.folder, labels)
    assert not make_checkpoint(store.database, store.folder, labels)
    known = label_set(store, labels)
    assert (known.checkpoint_version, known.version) == (1, 1)
    assert np.array_equal(now(store, labels), seen)
    assert store.database.row("SELECT count(*) AS n FROM tiles")["n"] == 0
    unchanged = Path("0/c/1/1")
    assert os.path.samefile(
        store.folder / known.checkpoint / unchanged, store.folder / known.first_checkpoint / unchanged
    )
    assert content_hash(store.folder / known.first_checkpoint) == first
    assert verify(store, thorough=True) == []


def test_upkeep_makes_checkpoints_while_edits_go_on(study, monkeypatch):
    store, labels = study
    monkeypatch.setattr(checkpoints, "MOST_EDITS", 3)
    ended = threading.Event()

    def keep():
        while not ended.wait(0.01):
            store.keep_up()

    upkeep = threading.Thread(target=keep)
    upkeep.start()
    for number in range(25):
        apply_edit(store, ANNA, labels, Delete(ids=(number + 1,)))
    ended.set()
    upkeep.join()
    store.keep_up()
    known = label_set(store, labels)
    assert known.version == 25
    assert known.checkpoint_version > 22
    assert len(list((store.folder / known.checkpoint).parent.glob("*.ome.zarr"))) <= 3
    assert not np.isin(now(store, labels), range(1, 26)).any()
    assert verify(store, thorough=True) == []


def test_every_version_can_be_read_and_restored_and_that_undone(study):
    store, labels = study
    states = edited(store, labels)
    for version, state in enumerate(states):
        assert np.array_equal(labels_at(store, labels, version).read(), state)
    result = restore_version(store, ANNA, labels, 1)
    assert np.array_equal(now(store, labels), states[1])
    assert result.version == len(states)
    undo(store, ANNA, labels)
    assert np.array_equal(now(store, labels), states[-1])
    with pytest.raises(ParameterError, match="no version 99"):
        labels_at(store, labels, 99)


@settings(max_examples=8)
@given(st.lists(st.sampled_from(("draw", "delete", "checkpoint", "undo")), min_size=3, max_size=10), st.integers(0, 99))
def test_versions_are_what_was_seen_whenever_checkpoints_are_made(tmp_path_factory, steps, seed):
    rng = np.random.default_rng(seed)
    store, labels = new_study(tmp_path_factory.mktemp("s"), squares((180, 620)))
    with store:
        states = [now(store, labels)]
        for step in steps:
            if step == "checkpoint":
                make_checkpoint(store.database, store.folder, labels)
                continue
            try:
                if step == "undo":
                    undo(store, ANNA, labels)
                elif step == "draw":
                    apply_edit(store, ANNA, labels, square(*map(int, rng.integers(0, 150, 2))))
                else:
                    apply_edit(store, ANNA, labels, Delete(ids=tuple(map(int, rng.integers(1, 30, 3)))))
            except ParameterError:
                continue
            if label_set(store, labels).version == len(states):
                states.append(now(store, labels))
        assert all(np.array_equal(labels_at(store, labels, n).read(), state) for n, state in enumerate(states))
        assert verify(store, thorough=True) == []


def damaged(path: Path, how: str) -> None:
    """Damage a file without changing another that is linked to it."""
    data = bytearray(path.read_bytes())
    path.unlink()
    if how == "missing":
        return
    if how == "flipped":
        data[len(data) // 2] ^= 1
    path.write_bytes(data[: len(data) // 2] if how == "truncated" else data)


@pytest.mark.parametrize("how", ["flipped", "truncated", "missing"])
@pytest.mark.parametrize("name", ["0/c/0/0", "1/c/0/0", "0/zarr.json"])
def test_f14_damage_of_a_checkpoint_is_never_silent_and_is_made_good(study, how, name):
    store, labels = study
    states = edited(store, labels)
    known = label_set(store, labels)
    for place in (known.checkpoint, known.first_checkpoint):
        damaged(store.folder / place / name, how)
        found = verify(store)
        assert [each.severity for each in found] == ["error"]
        assert name in found[0].text
        assert any("made anew" in line for line in repair(store, ANNA))
        assert verify(store, thorough=True) == []
        for version, state in enumerate(states):
            assert np.array_equal(labels_at(store, labels, version).read(), state)
    assert np.array_equal(now(store, labels), states[-1])


def test_f14_what_cannot_be_known_stays_damaged_and_says_so(study):
    store, labels = study
    path = store.folder / label_set(store, labels).checkpoint / "0/c/1/1"
    damaged(path, "flipped")
    assert any("could not be made whole" in line or "cannot be made whole" in line for line in repair(store, ANNA))
    with pytest.raises(DamagedFile, match="damaged"):
        now(store, labels)
    assert verify(store) != []
    damaged(path, "missing")
    with pytest.raises(DamagedFile, match="missing"):
        now(store, labels)


def test_a_damaged_tile_and_a_damaged_line_of_the_log_are_found_and_made_good(study):
    store, labels = study
    states = edited(store, labels)
    store.snapshot()
    with store.database.write() as connection:
        connection.execute("UPDATE tiles SET frame = substr(frame, 1, 40) WHERE level = 0")
        connection.execute("UPDATE patches SET before = zeroblob(30) WHERE act = (SELECT max(act) FROM patches)")
    assert len(verify(store)) >= 2
    told = repair(store, ANNA)
    assert any("from the log" in line for line in told)
    assert any("snapshot" in line for line in told)
    assert verify(store, thorough=True) == []
    assert np.array_equal(now(store, labels), states[-1])
    undo(store, ANNA, labels)
    assert np.array_equal(now(store, labels), states[-2])


def test_f16_a_moved_original_is_found_by_its_content_and_a_changed_one_is_told(study, tmp_path):
    store, labels = study
    (tmp_path / "elsewhere").mkdir()
    moved = (tmp_path / "a.tif").rename(tmp_path / "elsewhere" / "b.tif")
    assert [each.severity for each in verify(store)] == ["warning"]
    assert "relink" in verify(store)[0].text
    assert [file.name for file in find_moved(store, ANNA, [tmp_path]).found] == ["a.tif"]
    assert find_moved(store, ANNA, [tmp_path]).found == []
    assert original_path(store, originals(store)[0]).samefile(moved)
    assert original_path(store, original(store, originals(store)[0].id)).samefile(moved)
    assert verify(store, thorough=True) == []
    assert plain_words(store, f"{moved} and {originals(store)[0].whole}") == "a.tif and a.tif"
    relinked, *_ = acts(store)
    assert (relinked.verb, relinked.summary) == ("relink", "Find a.tif in another place")
    undone = undo_act(store, ANNA, relinked.seq)
    assert "relink" in verify(store)[0].text
    undo_act(store, ANNA, undone)
    assert verify(store) == []
    moved.write_bytes(b"other pixels")
    assert "was changed" in verify(store)[0].text
    assert now(store, labels).any()


def test_a_copied_study_opens_elsewhere_with_everything(tmp_path):
    store, labels = new_study(tmp_path)
    states = edited(store, labels)
    store.close()
    other = tmp_path / "deep" / "er"
    shutil.copytree(tmp_path / "a.cellmetry", other / "copy.cellmetry")
    (tmp_path / "a.tif").rename(other / "a.tif")
    with open_store(other / "copy.cellmetry") as copy:
        assert copy.notices == ()
        assert np.array_equal(now(copy, labels), states[-1])
        undo(copy, ANNA, labels)
        assert np.array_equal(now(copy, labels), states[-2])
        assert original_path(copy, originals(copy)[0]) == other / "copy.cellmetry" / ".." / "a.tif"
        assert verify(copy, thorough=True) == []
