"""Edits of stored labels against the same edits of an array; undo, redo, conflicts, reopening."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellmetry.core.image import Box
from cellmetry.core.labels import Labels
from cellmetry.errors import EditConflict, ParameterError
from cellmetry.io.tile_store import decode_tile
from cellmetry.study.editing.drawing import Draw
from cellmetry.study.editing.objects import Delete
from cellmetry.study.store.acts import Actor, act, acts
from cellmetry.study.store.edits import apply_edit, history, redo, undo
from cellmetry.study.store.labels import Tile, add_labels, label_set, read_labels, read_window, tile_frame
from cellmetry.study.store.objects import find_object, objects_in
from cellmetry.study.store.store import open_store

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


@settings(max_examples=15, deadline=None)
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
