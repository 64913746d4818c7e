"""Edits of stored labels against the same edits of an array; undo, redo, conflicts, reopening."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellmetry.core.image import Box
from cellmetry.core.labels import Labels
from cellmetry.errors import EditConflict, ParameterError, UnknownName
from cellmetry.io.tile_store import decode_tile
from cellmetry.study.editing.drawing import Draw
from cellmetry.study.editing.growing import Grow
from cellmetry.study.editing.objects import Delete, Merge
from cellmetry.study.editing.operation import Change
from cellmetry.study.store.acts import Actor, act, acts, find_act
from cellmetry.study.store.edits import (
    apply_changes,
    apply_edit,
    find_edit,
    history,
    image_history,
    patches_of,
    places_of,
    redo,
    reverse_edit,
    undo,
    undo_any,
)
from cellmetry.study.store.label_pixels import read_labels, read_tile, read_window, tile_frame
from cellmetry.study.store.label_tiles import Tile
from cellmetry.study.store.labels import add_labels, label_set
from cellmetry.study.store.objects import find_object, objects_in
from cellmetry.study.store.patching import patches_of_changes
from cellmetry.study.store.store import open_store
from cellmetry.study.store.view import StoredView

ANNA, BEN = Actor("anna", "python"), Actor("ben", "python")


def array(shape=(700, 1100), side=40):
    """Squares of `side` with gaps of 10."""
    out = np.zeros(shape, np.uint32)
    number = 0
    for y in range(5, shape[0] - side, side + 10):
        for x in range(5, shape[1] - side, side + 10):
            number += 1
            out[y : y + side, x : x + side] = number
    return out


def study(tmp_path, labels):
    """A store with one image's labels."""
    folder = tmp_path / "a.cellmetry"
    folder.mkdir()
    store = open_store(folder)
    with store.database.write() as connection:
        seq = act(store, ANNA, "add", "an image")
        connection.execute(
            "INSERT INTO images (id, seq, name, source, sha256, state, added_by) "
            "VALUES ('i', 1, 'a', '{}', '', 'ready', ?)",
            (seq,),
        )
        made = act(store, ANNA, "segment", "cells")
    return store, add_labels(store, made, "i", Labels(labels))


def square(y, x, side=20):
    return ((y, x), (y, x + side), (y + side, x + side), (y + side, x))


def test_an_edit_is_seen_in_every_level_and_in_the_index(tmp_path):
    before = array()
    store, name = study(tmp_path, before)
    result = apply_edit(store, ANNA, name, Draw(points=square(500, 500, 60), over=True))
    now = read_labels(store, name).read()
    new = label_set(store, name).next_id - 1
    assert result.version == 1
    assert new == before.max() + 1
    assert (now == new).sum() == find_object(store, label_set(store, name), new).area_px
    assert np.array_equal(now[now != new], before[now != new])
    labels = label_set(store, name)
    for level in range(labels.levels):
        step = 2**level
        seen = now[::step, ::step]
        frame = tile_frame(store, labels, Tile(level, 0, 0, 0, 0))
        got = decode_tile(frame, (min(512, seen.shape[0]), min(512, seen.shape[1])), np.dtype("<u4"), "tile")
        assert np.array_equal(got, seen[:512, :512])


def test_undo_and_redo_outlive_a_restart(tmp_path):
    before = array()
    store, name = study(tmp_path, before)
    apply_edit(store, ANNA, name, Draw(points=square(500, 500)))
    apply_edit(store, ANNA, name, Delete(ids=(1, 2, 30)))
    after = read_labels(store, name).read()
    store.close()
    store = open_store(tmp_path / "a.cellmetry")
    undo(store, ANNA, name)
    undo(store, ANNA, name)
    assert np.array_equal(read_labels(store, name).read(), before)
    with pytest.raises(ParameterError, match="no edit to undo"):
        undo(store, ANNA, name)
    redo(store, ANNA, name)
    redo(store, ANNA, name)
    assert np.array_equal(read_labels(store, name).read(), after)
    with pytest.raises(ParameterError, match="nothing to redo"):
        redo(store, ANNA, name)
    assert [each.operation for each in history(store, name)] == ["redo", "redo", "undo", "undo", "delete", "draw"]


def test_two_people_at_one_place_the_second_is_refused_and_kept(tmp_path):
    store, name = study(tmp_path, array())
    apply_edit(store, ANNA, name, Delete(ids=(1,)), base_version=0)
    apply_edit(store, BEN, name, Delete(ids=(50,)), base_version=0)  # elsewhere: goes well
    with pytest.raises(EditConflict, match="anna changed the same place") as told:
        apply_edit(store, BEN, name, Draw(points=square(10, 10), over=True), base_version=0)
    assert told.value.version == 2
    first, *_ = history(store, name)
    assert (first.act.who, first.operation, first.version) == ("ben", "draw", None)
    assert "refused" in acts(store)[0].summary
    apply_edit(store, BEN, name, Draw(points=square(10, 10), over=True), base_version=2)
    with pytest.raises(EditConflict, match="undo that first"):
        undo(store, ANNA, name, who="anna")


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_any_sequence_of_edits_equals_the_same_on_an_array(seed, tmp_path_factory):
    rng = np.random.default_rng(seed)
    truth = array((300, 620), 30)
    store, name = study(tmp_path_factory.mktemp("s"), truth)
    states = [truth.copy()]
    for _ in range(12):
        labels = label_set(store, name)
        choice = rng.integers(3)
        if choice == 0 and len(states) > 1:
            undo(store, ANNA, name)
            states.pop()
            continue
        if choice == 1:
            ids = np.unique(states[-1])[1:]
            operation = Delete(ids=tuple(map(int, rng.choice(ids, 2))))
            expected = np.where(np.isin(states[-1], operation.ids), 0, states[-1])
        else:
            y, x = rng.integers(0, 250), rng.integers(0, 580)
            operation = Draw(points=square(y, x, 25), over=True)
            expected = states[-1].copy()
            expected[y : y + 25, x : x + 25] = labels.next_id
        apply_edit(store, ANNA, name, operation)
        states.append(expected)
        now = read_labels(store, name).read()
        assert np.array_equal(now, expected)
    labels = label_set(store, name)
    now = read_labels(store, name).read()
    assert np.array_equal(now, states[-1])
    stored = {each.id: each.area_px for each in objects_in(store, labels, 0, 0, Box(0, 300, 0, 620))}
    ids, counts = np.unique(now[now > 0], return_counts=True)
    assert stored == dict(zip(ids.tolist(), counts.tolist(), strict=True))
    box = Box(10, 290, 500, 600)
    assert np.array_equal(read_window(store, labels, 0, 0, box), now[box.slices])
    store.close()


def test_undo_and_redo_go_by_window_and_outlive_a_restart(tmp_path):
    before = array()
    store, name = study(tmp_path, before)
    apply_edit(store, ANNA, name, Delete(ids=(1,)), session="left")
    apply_edit(store, ANNA, name, Delete(ids=(50,)), session="right")
    undo(store, ANNA, name, session="left")
    assert np.unique(read_labels(store, name).read())[1] == 1
    store.close()
    store = open_store(tmp_path / "a.cellmetry")
    with pytest.raises(ParameterError, match="nothing to redo"):
        redo(store, ANNA, name, session="right")
    apply_edit(store, ANNA, name, Delete(ids=(60,)), session="right")
    redo(store, ANNA, name, session="left")  # what the other window did does not end it
    undo(store, ANNA, name, session="left")
    apply_edit(store, ANNA, name, Delete(ids=(70,)), session="left")
    with pytest.raises(ParameterError, match="nothing to redo"):
        redo(store, ANNA, name, session="left")
    for _ in range(2):
        undo(store, ANNA, name, session="right")
    undo(store, ANNA, name, session="left")
    assert np.array_equal(read_labels(store, name).read(), before)
    store.close()


def test_undo_goes_by_person(tmp_path):
    store, name = study(tmp_path, array())
    first = apply_edit(store, ANNA, name, Delete(ids=(1,)))
    apply_edit(store, BEN, name, Delete(ids=(50,)))
    undo(store, ANNA, name, who="anna")
    assert find_act(store, first.act).undone_by is not None
    with pytest.raises(ParameterError, match="no edit to undo"):
        undo(store, ANNA, name, who="anna")
    with pytest.raises(ParameterError, match="nothing to redo"):
        redo(store, BEN, name, who="ben")
    store.close()


def test_a_redo_can_itself_be_undone(tmp_path):
    before = array()
    store, name = study(tmp_path, before)
    edit = apply_edit(store, ANNA, name, Delete(ids=(1,)))
    undo(store, ANNA, name)
    again = redo(store, ANNA, name)
    undone = undo_any(store, ANNA, again.act)
    assert find_act(store, edit.act).undone_by == undone
    assert np.array_equal(read_labels(store, name).read(), before)
    with pytest.raises(ParameterError, match="undone already"):
        reverse_edit(store, ANNA, edit.act)
    redo(store, ANNA, name)
    undo(store, ANNA, name)
    assert np.array_equal(read_labels(store, name).read(), before)
    assert store.database.row("SELECT count(*) AS n FROM edits")["n"] == history(store, name)[0].version
    store.close()


def test_an_edit_of_what_another_made_away_is_a_conflict_and_kept(tmp_path):
    store, name = study(tmp_path, array())
    apply_edit(store, ANNA, name, Delete(ids=(1,)), session="a")
    with pytest.raises(EditConflict, match="anna changed the same place"):
        apply_edit(store, BEN, name, Grow(ids=(1,), pixels=3), base_version=0, session="b")
    with pytest.raises(ParameterError, match="no object 1"):
        apply_edit(store, BEN, name, Grow(ids=(1,), pixels=3), base_version=1, session="b")
    refused = history(store, name)[0]
    assert (refused.operation, refused.parameters["ids"], refused.base_version) == ("grow", [1], 0)
    with pytest.raises(ParameterError, match="no version 5"):
        apply_edit(store, BEN, name, Delete(ids=(2,)), base_version=5)
    store.close()


def test_neighbours_whose_boxes_meet_are_no_conflict_one_object_is(tmp_path):
    labels = np.zeros((100, 100), np.uint32)
    labels[10:40, 10:40] = np.tri(30, dtype=np.uint32)
    labels[10:38, 12:40] = np.where(np.tri(28, dtype=bool).T, 2, labels[10:38, 12:40])
    store, name = study(tmp_path, labels)
    apply_edit(store, ANNA, name, Delete(ids=(1,)), base_version=0)
    apply_edit(store, BEN, name, Delete(ids=(2,)), base_version=0)
    assert not read_labels(store, name).read().any()
    store.close()


def test_two_changes_of_one_object_are_a_conflict(tmp_path):
    store, name = study(tmp_path, array())
    apply_edit(store, ANNA, name, Grow(ids=(1,), pixels=2), base_version=0)
    with pytest.raises(EditConflict):
        apply_edit(store, BEN, name, Merge(ids=(2, 1)), base_version=0)
    store.close()


def test_history_of_an_image_and_a_look_at_one_edit(tmp_path):
    before = array()
    store, name = study(tmp_path, before)
    seqs = [apply_edit(store, ANNA, name, Delete(ids=(label,))).act for label in (1, 2, 3)]
    assert [each.act.seq for each in image_history(store, "i")] == seqs[::-1]
    assert [each.act.seq for each in image_history(store, "i", before=seqs[2], limit=1)] == [seqs[1]]
    assert image_history(store, "other") == []
    edit = find_edit(store, seqs[0])
    assert (edit.operation, edit.ids, edit.version) == ("delete", (1,), 1)
    (patch,) = patches_of(store, seqs[0])
    assert np.array_equal(patch.before, before[patch.box.slices])
    assert not patch.after.any()
    with pytest.raises(UnknownName, match="no edit number"):
        find_edit(store, 1)
    store.close()


def test_changes_that_overlap_are_put_in_once(tmp_path):
    before = array()
    store, name = study(tmp_path, before)
    target = np.random.default_rng(0).integers(0, 9, before.shape).astype(np.uint32)
    boxes = [Box(0, 300, 0, 300), Box(200, 700, 100, 600), Box(250, 400, 250, 1100)]
    changes = [Change(0, 0, box, target[box.slices]) for box in boxes]
    covered, after = np.zeros(before.shape, int), before.copy()
    for patch in patches_of_changes(StoredView(store, label_set(store, name)), changes):
        covered[patch.box.slices] += 1
        after[patch.box.slices] = patch.after
    assert covered.max() == 1
    expected = before.copy()
    for box in boxes:
        expected[box.slices] = target[box.slices]
    assert np.array_equal(after, expected)
    store.close()


def test_what_a_program_changes_may_be_of_any_size_and_is_one_edit(tmp_path, monkeypatch):
    for place in ("patching.MOST_PIXELS", "patching.BATCH_PIXELS", "edit_log.BATCH_PIXELS"):
        monkeypatch.setattr(f"cellmetry.study.store.{place}", 60_000)
    before = array()
    store, name = study(tmp_path, before)
    target = np.roll(before, (7, 9), (0, 1)) + 900 * (np.roll(before, 3) > 0).astype(np.uint32)
    target[:80] = before[:80]
    boxes = [Box(0, 90, 0, 700), Box(90, 700, 0, 600), Box(90, 400, 600, 1100), Box(400, 420, 600, 620)]
    changes = (Change(0, 0, box, target[box.slices]) for box in boxes)
    done = apply_changes(store, ANNA, name, changes, "restore", "version 0", version=0)
    assert done.version == 1
    patches = patches_of(store, done.act)
    assert [(patch.t, patch.z, patch.box) for patch in patches] == list(done.boxes) == places_of(store, done.act)
    assert max(patch.before.size for patch in patches) <= 60_000
    expected = before.copy()
    for box in boxes:
        expected[box.slices] = target[box.slices]
    assert np.array_equal(read_labels(store, name).read(), expected)
    found = {each.id: each.area_px for each in objects_in(store, label_set(store, name), 0, 0, Box(0, 700, 0, 1100))}
    assert found == {k: n for k, n in enumerate(np.bincount(expected.ravel()).tolist()) if k and n}
    assert label_set(store, name).next_id == expected.max() + 1
    changed = before != expected
    assert find_edit(store, done.act).ids == tuple(sorted({*before[changed], *expected[changed]} - {0}))
    small = read_tile(store, label_set(store, name), Tile(1, 0, 0, 0, 0))
    assert np.array_equal(small[:350], expected[::2, ::2][:350, :512])
    undo(store, ANNA, name)
    assert np.array_equal(read_labels(store, name).read(), before)
    assert label_set(store, name).version == 2
    redo(store, ANNA, name)
    assert np.array_equal(read_labels(store, name).read(), expected)
    store.close()
