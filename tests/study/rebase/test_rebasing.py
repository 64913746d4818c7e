"""Rebase of stored labels: outcomes of logged edits, ids, history, questions, stacks, a second rebase."""

from __future__ import annotations

import numpy as np
import pytest

from cellmetry.core.image import Box
from cellmetry.core.labels import Labels
from cellmetry.errors import EditConflict, ParameterError, UnknownName
from cellmetry.study.editing.drawing import Brush, Draw
from cellmetry.study.editing.objects import Delete
from cellmetry.study.editing.operation import Change
from cellmetry.study.rebase import rebasing
from cellmetry.study.rebase.questions import answer_question, find_question, questions_of
from cellmetry.study.rebase.rebasing import has_edits, rebase
from cellmetry.study.store.acts import Actor, act
from cellmetry.study.store.edits import apply_changes, apply_edit, history, reverse_edit, undo, undo_any
from cellmetry.study.store.label_pixels import read_labels
from cellmetry.study.store.labels import add_labels, label_set, labels_of_image
from cellmetry.study.store.overtaken import TRIES
from cellmetry.study.store.store import open_store

ANNA, BEN = Actor("anna", "python"), Actor("ben", "python")


def disks(*cells, shape=(160, 160)):
    """Disks (id, y, x, radius), later ones on top."""
    out = np.zeros(shape, np.uint32)
    rows, columns = np.indices(shape)
    for label, y, x, radius in cells:
        out[(rows - y) ** 2 + (columns - x) ** 2 <= radius**2] = label
    return out


GRID = [(k + 1, 25 + 40 * (k // 3), 25 + 40 * (k % 3), 14) for k in range(9)]
OLD = disks(*GRID)


@pytest.fixture
def store(tmp_path):
    folder = tmp_path / "a.cellmetry"
    folder.mkdir()
    with open_store(folder) as opened:
        with opened.database.write() as connection:
            seq = act(opened, ANNA, "add", "an image")
            connection.execute(
                "INSERT INTO images (id, seq, name, source, sha256, state, added_by) "
                "VALUES ('i', 1, 'a', '{}', '', 'ready', ?)",
                (seq,),
            )
        yield opened


def stored(store, array, axes="YX"):
    return add_labels(store, act(store, ANNA, "segment", "cells"), "i", Labels(array, axes))


def square(y, x, side):
    return ((y, x), (y, x + side), (y + side, x + side), (y + side, x))


def put(store, labels_id, box, change):
    """Change a window by a function of its ids."""
    window = read_labels(store, labels_id).read()[box.slices]
    return apply_changes(store, ANNA, labels_id, [Change(0, 0, box, change(window))], "replace", "by a program")


def now(store, labels_id):
    return read_labels(store, labels_id).read()


def same_partition(one, other):
    pairs = np.unique(np.stack([one.ravel(), other.ravel()]), axis=1)
    return all(np.unique(side).size == side.size for side in pairs)


def test_every_edit_ends_and_the_image_has_the_new_labels(store):
    old = stored(store, OLD)
    gone = apply_edit(store, ANNA, old, Delete(ids=(1,)))
    drawn = apply_edit(store, ANNA, old, Draw(points=square(135, 20, 20)))
    passing = apply_edit(store, ANNA, old, Draw(points=square(135, 60, 20)))
    apply_edit(store, ANNA, old, Delete(ids=(label_set(store, old).next_id - 1,)))
    undone = apply_edit(store, ANNA, old, Delete(ids=(2,)))
    undo(store, ANNA, old)
    merged = put(store, old, Box(45, 85, 5, 85), lambda ids: np.where(ids == 5, 4, ids))
    new = disks(*[(90 - label, y, x + 1, 14) for label, y, x, _ in GRID])
    result = rebase(store, ANNA, old, Labels(new), origin={"model": "better"})

    assert labels_of_image(store, "i").id == result.labels_id
    assert result.counts() == {"kept": 3, "agreed": 0, "question": 0, "overwritten": 2}
    assert {result.edits[each.act] for each in (gone, drawn, merged)} == {"kept"}
    assert result.edits[passing.act] == "overwritten"
    assert undone.act not in result.edits
    after = now(store, result.labels_id)
    mine = now(store, old)
    assert np.array_equal(after == 10, mine == 10)
    assert not (after == 1).any()
    assert set(np.unique(after)) == set(np.unique(mine))
    assert np.array_equal((after == 4), np.isin(new, (86, 85)))
    assert label_set(store, result.labels_id).next_id > label_set(store, old).next_id - 1
    assert [each.operation for each in history(store, result.labels_id)] == ["rebase"]


def test_undoing_shows_the_model_alone_and_then_the_old_labels(store):
    old = stored(store, OLD)
    apply_edit(store, ANNA, old, Delete(ids=(1,)))
    new = disks(*[(label, y, x + 1, 14) for label, y, x, _ in GRID])
    result = rebase(store, ANNA, old, Labels(new))
    undo(store, ANNA, result.labels_id)
    assert same_partition(now(store, result.labels_id), new)
    undo_any(store, ANNA, result.act)
    assert labels_of_image(store, "i").id == old


def test_a_third_model_hears_of_what_the_second_agreed_with(store):
    old = stored(store, OLD)
    apply_edit(store, ANNA, old, Delete(ids=(1,)))
    apply_edit(store, ANNA, old, Draw(points=square(135, 20, 20)))
    mine = now(store, old)
    second = rebase(store, ANNA, old, Labels(mine))
    assert second.counts()["agreed"] == 2
    assert second.edit.act is None
    assert has_edits(store, label_set(store, second.labels_id))
    third = rebase(store, ANNA, second.labels_id, Labels(OLD))
    assert {each.finding.outcome for each in third.findings} == {"kept"}
    assert np.array_equal(now(store, third.labels_id), mine)
    fourth = rebase(store, ANNA, third.labels_id, Labels(OLD))
    assert fourth.counts()["kept"] == 1
    assert np.array_equal(now(store, fourth.labels_id), mine)


def with_question(store):
    old = stored(store, OLD)
    apply_edit(store, ANNA, old, Delete(ids=(5,)))
    halves = disks(*[cell for cell in GRID if cell[0] != 5], (50, 57, 65, 8), (51, 74, 65, 8))
    return rebase(store, ANNA, old, Labels(halves)), halves


def test_a_question_is_answered_by_an_edit_that_can_be_undone(store):
    result, halves = with_question(store)
    (asked,) = questions_of(store, result.labels_id)
    assert result.questions == (asked.id,)
    assert asked.question.id == 5
    assert not (now(store, result.labels_id)[asked.question.box.slices]).any()
    answer = answer_question(store, ANNA, asked.id, "theirs")
    assert same_partition(now(store, result.labels_id), halves)
    assert questions_of(store, result.labels_id) == []
    with pytest.raises(ParameterError, match="answered already"):
        answer_question(store, ANNA, asked.id, "mine")
    reverse_edit(store, ANNA, answer.act)
    assert [each.id for each in questions_of(store, result.labels_id)] == [asked.id]
    assert answer_question(store, ANNA, asked.id, "mine").act is None
    assert find_question(store, asked.id).answer == "mine"
    assert [each.answer for each in questions_of(store, result.labels_id, answered=True)] == ["mine"]


def test_an_object_that_was_corrected_since_is_not_answered_away(store):
    old = stored(store, disks((1, 60, 60, 20)))
    apply_edit(store, ANNA, old, Brush(points=((60, 82), (60, 84)), radius=8, id=1))
    result = rebase(store, ANNA, old, Labels(disks((1, 60, 52, 14), (2, 60, 80, 12))))
    (asked,) = questions_of(store, result.labels_id)
    more = apply_edit(
        store, ANNA, result.labels_id, Brush(points=((60, 60), (120, 60)), radius=5, id=asked.question.id)
    )
    seen = now(store, result.labels_id)
    with pytest.raises(EditConflict, match=f"by anna.*act {more.act}") as refused:
        answer_question(store, ANNA, asked.id, "theirs")
    assert refused.value.act == more.act
    assert np.array_equal(now(store, result.labels_id), seen)
    undo(store, ANNA, result.labels_id)
    answer_question(store, ANNA, asked.id, "theirs")
    assert not (now(store, result.labels_id) == asked.question.id).any()


def test_an_edit_that_overtakes_a_rebase_is_rebased_too(store, monkeypatch):
    old = stored(store, OLD)
    apply_edit(store, ANNA, old, Delete(ids=(1,)))
    real, ids = rebasing.write_labels, [2, 3]

    def slow(*given):
        assert not store.database.writing
        if ids:
            apply_edit(store, ANNA, old, Delete(ids=(ids.pop(),)))
        return real(*given)

    monkeypatch.setattr(rebasing, "write_labels", slow)
    result = rebase(store, ANNA, old, Labels(OLD))
    assert result.counts()["kept"] == 3
    assert not np.isin(now(store, result.labels_id), (1, 2, 3)).any()
    assert folders(store) == {old, result.labels_id}


def test_a_rebase_that_is_overtaken_again_and_again_lets_edits_wait(store, monkeypatch):
    old = stored(store, OLD)
    apply_edit(store, ANNA, old, Delete(ids=(1,)))
    real, edited = rebasing.write_labels, []

    def slow(*given):
        if not store.database.writing:
            edited.append(apply_edit(store, ANNA, old, Draw(points=square(135, 20 + 30 * len(edited), 20))))
        return real(*given)

    monkeypatch.setattr(rebasing, "write_labels", slow)
    result = rebase(store, ANNA, old, Labels(OLD))
    assert len(edited) == TRIES
    assert result.counts()["kept"] == 1 + TRIES
    assert folders(store) == {old, result.labels_id}


def folders(store):
    return {each.name for each in (store.folder / "labels").iterdir()}


def test_an_answer_to_what_others_changed_since_is_a_conflict(store):
    result, halves = with_question(store)
    labels, asked = result.labels_id, result.questions[0]
    box, seen = find_question(store, asked).question.box, label_set(store, labels).version
    apply_edit(store, ANNA, labels, Draw(points=square(box.y0 + 4, box.x0 + 4, 12)), session="a")
    before = now(store, labels)
    with pytest.raises(EditConflict, match="anna changed the same place"):
        answer_question(store, BEN, asked, "theirs", base_version=seen, session="b")
    refused = history(store, labels)[0]
    assert (refused.operation, refused.version, refused.parameters["question"]) == ("answer", None, asked)
    assert find_question(store, asked).answer is None
    assert np.array_equal(now(store, labels), before)
    undo(store, ANNA, labels)
    apply_edit(store, ANNA, labels, Delete(ids=(1,)), session="a")
    answer_question(store, BEN, asked, "theirs", base_version=seen + 2, session="b")
    undo(store, BEN, labels, session="b")
    assert [each.id for each in questions_of(store, labels)] == [asked]
    rebase(store, ANNA, labels, Labels(halves))
    for answer in ("mine", "theirs"):
        with pytest.raises(EditConflict, match="replaced by newer ones"):
            answer_question(store, ANNA, asked, answer)


def test_wrong_questions_and_answers_are_refused(store):
    result, _ = with_question(store)
    with pytest.raises(UnknownName):
        answer_question(store, ANNA, "ask_none", "mine")
    with pytest.raises(ParameterError, match="mine or theirs"):
        answer_question(store, ANNA, result.questions[0], "both")


def test_labels_of_another_shape_are_refused_and_nothing_changes(store):
    old = stored(store, OLD)
    apply_edit(store, ANNA, old, Delete(ids=(1,)))
    with pytest.raises(ParameterError, match="segment the same image"):
        rebase(store, ANNA, old, Labels(OLD[:80]))
    assert labels_of_image(store, "i").id == old


def test_stacks_are_rebased_plane_by_plane(store):
    stack = np.stack([OLD, disks(*GRID[:6]), OLD])
    old = stored(store, stack, "ZYX")
    apply_edit(store, ANNA, old, Delete(ids=(1,), z=1))
    apply_edit(store, ANNA, old, Draw(points=square(135, 20, 20), z=2))
    result = rebase(store, ANNA, old, Labels(stack, "ZYX"))
    assert np.array_equal(now(store, result.labels_id), now(store, old))
    assert {(each.z, each.finding.kind) for each in result.findings} == {(1, "deleted"), (2, "added")}


def test_labels_without_edits_are_replaced(store):
    old = stored(store, OLD)
    assert not has_edits(store, label_set(store, old))
    new = disks(*GRID[:4])
    result = rebase(store, ANNA, old, Labels(new))
    assert result.findings == ()
    assert result.edits == {}
    assert np.array_equal(now(store, result.labels_id), new)
    assert label_set(store, result.labels_id).next_id >= label_set(store, old).next_id
