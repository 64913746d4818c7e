"""Two who edit labels: what the second did not see is a conflict, also where an operation yields to others."""

from __future__ import annotations

import numpy as np
import pytest

from cellmetry.core.image import Box
from cellmetry.core.labels import Labels
from cellmetry.errors import EditConflict, ParameterError
from cellmetry.study.editing.registry import parse_operation
from cellmetry.study.rebase.rebasing import rebase
from cellmetry.study.store.acts import Actor, act, acts, find_act, undo_act, undoable
from cellmetry.study.store.edits import apply_edit, history, redo, reverse_edit, undo, undo_any
from cellmetry.study.store.label_pixels import read_labels, read_window
from cellmetry.study.store.labels import add_labels, label_set, remove_labels
from cellmetry.study.store.restoring import labels_at, restore_version
from cellmetry.study.store.seen import Seen, SeenView

from .made_study import new_study, squares

ANNA, BEN = Actor("anna", "web"), Actor("ben", "web")


def square(y, x, side):
    return [(y, x), (y, x + side), (y + side, x + side), (y + side, x)]


def one_cell():
    """A cell of 30 × 30 with a hole of 6 × 6, and a wall round a court."""
    ids = np.zeros((200, 200), np.uint32)
    ids[10:40, 10:40], ids[22:28, 22:28] = 1, 0
    ids[120:180, 120:180], ids[124:176, 124:176] = 2, 0
    return ids


@pytest.fixture
def cells(tmp_path):
    store, labels = new_study(tmp_path, one_cell())
    yield store, labels
    store.close()


def edit(store, labels, actor, name, *, base_version=None, session="", **parameters):
    operation = parse_operation(name, parameters)
    return apply_edit(store, actor, labels, operation, base_version=base_version, session=session)


HERS = ("draw", {"points": square(100, 20, 40)})
SPLIT = ("split", {"points": [(20, 5), (20, 45)]})


@pytest.mark.parametrize(
    ("hers", "his"),
    [
        (HERS, ("draw", {"points": square(98, 18, 43)})),
        (HERS, HERS),
        (HERS, ("draw", {"points": square(90, 50, 40)})),
        (HERS, ("brush", {"points": [(120, 40)], "radius": 30})),
        (HERS, ("brush", {"points": [(120, 40)], "radius": 5})),
        (SPLIT, SPLIT),
        (SPLIT, ("merge_along", {"points": [(15, 20), (150, 121)], "radius": 1})),
        (("draw", {"points": square(23, 23, 3)}), ("fill_holes", {"ids": [1]})),
        (("draw", {"points": square(44, 10, 20)}), ("grow", {"ids": [1], "pixels": 10})),
        (("draw", {"points": square(140, 140, 9)}), ("fill", {"point": (130, 130)})),
        (("fill", {"point": (130, 130)}), ("fill", {"point": (130, 130)})),
        (("draw", {"points": square(30, 30, 20), "id": 1}), ("delete_inside", {"points": square(8, 8, 34)})),
        (("erase", {"points": [(30, 30)], "radius": 3}), ("replace", {"box": [5, 50, 5, 50], "values": [0] * 2025})),
        (("delete", {"ids": [1]}), ("brush", {"points": [(190, 190)], "radius": 3, "id": 1})),
        (("delete", {"ids": [1]}), SPLIT),
    ],
)
def test_what_the_second_did_not_see_is_a_conflict_and_in_the_log(cells, hers, his):
    store, labels = cells
    edit(store, labels, ANNA, hers[0], **hers[1], base_version=0, session="a")
    before = read_labels(store, labels).read()
    with pytest.raises(EditConflict, match="anna changed the same place") as told:
        edit(store, labels, BEN, his[0], **his[1], base_version=0, session="b")
    assert np.array_equal(read_labels(store, labels).read(), before)
    refused, saved = history(store, labels)
    assert (refused.operation, refused.version, refused.base_version) == (his[0], None, 0)
    assert (told.value.act, told.value.version) == (saved.act.seq, 1)


@pytest.mark.parametrize(
    ("hers", "his"),
    [
        (HERS, ("draw", {"points": square(20, 60, 30)})),
        (HERS, ("brush", {"points": [(90, 10), (90, 80)], "radius": 8})),
        (HERS, ("grow", {"ids": [1], "pixels": 20})),
        (HERS, SPLIT),
        (("delete", {"ids": [2]}), ("grow", {"ids": [1], "pixels": 20})),
        (("erase", {"points": [(122, 122)], "radius": 1}), ("delete_inside", {"points": square(8, 8, 34)})),
        (("draw", {"points": square(140, 140, 9)}), ("fill_holes", {"ids": [1]})),
    ],
)
def test_neighbours_are_no_conflict_and_both_hold(cells, hers, his):
    store, labels = cells
    edit(store, labels, ANNA, hers[0], **hers[1], base_version=0, session="a")
    mine = edit(store, labels, BEN, his[0], **his[1], base_version=0, session="b")
    now = read_labels(store, labels).read()
    undo(store, BEN, labels, session="b")
    hers_alone = read_labels(store, labels).read()
    assert np.array_equal(hers_alone, labels_at(store, labels, 1).read())
    undo(store, ANNA, labels, session="a")
    assert np.array_equal(read_labels(store, labels).read(), one_cell())
    alone = edit(store, labels, BEN, his[0], **his[1])
    changed = now != hers_alone
    assert mine.boxes == alone.boxes
    assert np.array_equal(changed, read_labels(store, labels).read() != one_cell())


def test_an_object_copied_to_another_plane_is_the_one_that_was_seen(tmp_path):
    stack = np.zeros((2, 90, 90), np.uint32)
    stack[0, 10:30, 10:30], stack[0, 50:70, 50:70] = 1, 2
    folder = tmp_path / "stack"
    folder.mkdir()
    store, _ = new_study(folder)
    seq = act(store, ANNA, "segment", "a stack")
    labels = add_labels(store, seq, "img_1", Labels(stack, "ZYX"), name="stack")
    edit(store, labels, ANNA, "draw", points=square(12, 12, 25), id=1, base_version=0, session="a")
    edit(store, labels, BEN, "copy_plane", ids=[2], base_version=0, session="b")
    with pytest.raises(EditConflict, match="anna changed the same place"):
        edit(store, labels, BEN, "copy_plane", ids=[1], base_version=0, session="b")
    edit(store, labels, ANNA, "draw", points=square(12, 12, 9), z=1, session="a")
    with pytest.raises(EditConflict, match="anna changed the same place"):
        edit(store, labels, BEN, "copy_plane", base_version=2, session="b")
    store.close()


def test_who_looked_again_may_edit_and_yields_to_what_they_see(cells):
    store, labels = cells
    edit(store, labels, ANNA, "draw", points=square(100, 20, 40), session="a")
    done = edit(store, labels, BEN, "draw", points=square(98, 18, 43), base_version=1, session="b")
    now = read_labels(store, labels).read()
    assert (now == done.ids[0]).sum() == 43 * 43 - 40 * 40


def test_ones_own_edits_are_those_of_the_same_person_and_window(cells):
    store, labels = cells
    edit(store, labels, ANNA, "draw", points=square(10, 10, 34), id=1, base_version=0, session="window-1")
    with pytest.raises(EditConflict):
        edit(store, labels, BEN, "delete", ids=[1], base_version=0, session="window-1")
    with pytest.raises(EditConflict):
        edit(store, labels, ANNA, "delete", ids=[1], base_version=0, session="window-2")
    with pytest.raises(EditConflict):
        edit(store, labels, ANNA, "delete", ids=[1], base_version=0)
    edit(store, labels, ANNA, "grow", ids=[1], pixels=3, base_version=0, session="window-1")
    edit(store, labels, ANNA, "delete", ids=[1], base_version=0, session="window-1")
    assert 1 not in read_labels(store, labels).read()


@pytest.mark.parametrize("seed", range(4))
def test_what_others_changed_is_not_in_what_one_saw(tmp_path, seed):
    rng = np.random.default_rng(seed)
    store, labels = new_study(tmp_path, squares((160, 160), 30))
    for _ in range(9):
        choice, (y, x) = rng.integers(5), rng.integers(0, 110, 2)
        some = np.unique(read_labels(store, labels).read())[1:]
        if choice == 0 and label_set(store, labels).version:
            undo(store, ANNA, labels)
        elif choice == 1:
            edit(store, labels, ANNA, "delete", ids=[int(rng.choice(some))])
        elif choice == 2:
            edit(store, labels, ANNA, "merge", ids=[int(each) for each in rng.choice(some, 2, replace=False)])
        else:
            edit(store, labels, ANNA, "draw", points=square(int(y), int(x), 35), over=True)
    whole = Box(0, 160, 0, 160)
    now = label_set(store, labels)
    for version in range(now.version + 1):
        truth = labels_at(store, labels, version).read()
        view = SeenView(store, now, Seen(version, "ben", "b"))
        assert np.array_equal(view.read(0, 0, whole), truth)
        for label in range(1, now.next_id):
            at = np.argwhere(truth == label)
            if len(at):
                (y0, x0), (y1, x1) = at.min(axis=0).tolist(), (at.max(axis=0) + 1).tolist()
                assert view.box_of(label, 0, 0) == Box(y0, y1, x0, x1)
            assert view.has(label) == bool(len(at))
            assert view.area_of(label, 0, 0) == len(at)
        mine = SeenView(store, now, Seen(version, "anna", ""))
        assert np.array_equal(mine.read(0, 0, whole), truth)
    store.close()


def test_labels_that_newer_ones_took_the_place_of_are_not_edited(cells):
    store, labels = cells
    edit(store, labels, ANNA, "delete", ids=[2], base_version=0, session="a")
    new = rebase(store, BEN, labels, Labels(one_cell()))
    before = read_labels(store, labels).read()
    asked = [
        lambda: edit(store, labels, ANNA, "draw", points=square(100, 20, 40), base_version=1, session="a"),
        lambda: edit(store, labels, ANNA, "delete", ids=[99]),
        lambda: undo(store, ANNA, labels, session="a"),
        lambda: reverse_edit(store, ANNA, history(store, labels)[-1].act.seq),
        lambda: undo_any(store, ANNA, history(store, labels)[-1].act.seq),
        lambda: restore_version(store, ANNA, labels, 0),
    ]
    for each in asked:
        with pytest.raises(EditConflict, match="replaced by newer ones, by ben") as told:
            each()
        assert (told.value.act, told.value.version) == (new.act, 1)
    assert np.array_equal(read_labels(store, labels).read(), before)
    names = ["restore", "undo", "undo", "undo", "delete", "draw", "delete"]
    assert [each.operation for each in history(store, labels)] == names
    assert [each.version for each in history(store, labels)] == [None] * 6 + [1]
    undo_act(store, BEN, new.act)
    undo(store, ANNA, labels, session="a")
    undo_any(store, BEN, find_act(store, new.act).undone_by)
    with pytest.raises(EditConflict, match="replaced by newer ones"):
        redo(store, ANNA, labels, session="a")
    assert undo(store, BEN, new.labels_id).version == 2


def test_labels_that_were_removed_are_not_edited(cells):
    store, labels = cells
    with store.database.write():
        seq = act(store, BEN, "remove labels", "Remove cells of a")
        remove_labels(store, seq, labels)
    with pytest.raises(EditConflict, match="were removed, by ben .Remove cells of a.; undo that first"):
        edit(store, labels, ANNA, "delete", ids=[1])
    undo_act(store, ANNA, seq)
    edit(store, labels, ANNA, "delete", ids=[1])
    undo_act(store, BEN, label_set(store, labels).added_by)
    with pytest.raises(EditConflict, match="were removed, by ben .Undo: cells."):
        undo(store, ANNA, labels)


def test_an_undo_that_is_refused_is_in_the_log_and_ends_nothing(cells):
    store, labels = cells
    first = edit(store, labels, ANNA, "draw", points=square(100, 20, 40), session="a")
    undo(store, ANNA, labels, session="a")
    over = edit(store, labels, BEN, "draw", points=square(98, 18, 43), session="b")
    with pytest.raises(EditConflict, match="undo that first") as told:
        redo(store, ANNA, labels, session="a")
    assert told.value.act == over.act
    refused = history(store, labels)[0]
    assert (refused.operation, refused.version, refused.parameters) == ("redo", None, {"act": 4})
    assert (refused.act.who, refused.act.summary) == ("anna", "Redo: draw in cells (refused)")
    assert undoable(store, "anna").verb != "edit"
    undo(store, BEN, labels, session="b")
    redo(store, ANNA, labels, session="a")
    assert find_act(store, first.act).undone_by is None
    edit(store, labels, BEN, "delete", ids=[first.ids[0]], session="b")
    with pytest.raises(EditConflict):
        undo(store, ANNA, labels, session="a")
    refused = history(store, labels)[0]
    assert (refused.operation, refused.version, refused.act.summary) == ("undo", None, "Undo: draw in cells (refused)")
    undo(store, BEN, labels, session="b")
    undo(store, ANNA, labels, session="a")
    assert np.array_equal(read_labels(store, labels).read(), one_cell())
    assert [each.undone_by for each in acts(store) if "refused" in each.summary] == [None, None]


def test_restoring_a_version_asks_who_changed_the_labels_since(cells):
    store, labels = cells
    edit(store, labels, ANNA, "delete", ids=[1], session="a")
    edit(store, labels, BEN, "delete", ids=[2], session="b")
    with pytest.raises(EditConflict, match="ben changed the labels since"):
        restore_version(store, ANNA, labels, 0, base_version=1, session="a")
    refused = history(store, labels)[0]
    assert (refused.operation, refused.parameters, refused.base_version) == ("restore", {"version": 0}, 1)
    restore_version(store, BEN, labels, 0, base_version=1, session="b")
    assert np.array_equal(read_labels(store, labels).read(), one_cell())
    undo(store, BEN, labels, session="b")
    restore_version(store, ANNA, labels, 0)
    assert np.array_equal(read_labels(store, labels).read(), one_cell())
    with pytest.raises(ParameterError, match="no version 9"):
        restore_version(store, ANNA, labels, 0, base_version=9)


def test_objects_with_the_largest_ids_are_edited_like_others(tmp_path):
    largest = 2**32 - 1
    store, labels = new_study(tmp_path, np.where(one_cell() == 2, largest - 1, one_cell()).astype(np.uint32))
    made = edit(store, labels, ANNA, "draw", points=square(60, 60, 9))
    assert made.ids == (largest,)
    with pytest.raises(ParameterError, match="no id left"):
        edit(store, labels, ANNA, "draw", points=square(60, 80, 9))
    edit(store, labels, ANNA, "merge", ids=[largest - 1, largest])
    edit(store, labels, ANNA, "delete", ids=[largest - 1])
    assert np.array_equal(read_labels(store, labels).read(), np.where(one_cell() == 1, 1, 0))
    store.close()


def test_an_id_that_is_chosen_leaves_room_for_later_objects(cells):
    store, labels = cells
    most = 2**31
    edit(store, labels, ANNA, "replace", box=[0, 2, 0, 2], values=[most] * 4)
    new = edit(store, labels, ANNA, "draw", points=square(60, 60, 9)).ids[0]
    assert new == most + 1
    edit(store, labels, ANNA, "replace", box=[0, 1, 0, 2], values=[new, 0])
    for wrong in (
        ("replace", {"box": [0, 1, 0, 1], "values": [most + 2]}),
        ("relabel", {"id": 1, "to": most + 2}),
    ):
        with pytest.raises(ParameterError, match="Ids that you choose go up to 2,147,483,648"):
            edit(store, labels, ANNA, wrong[0], **wrong[1])
    edit(store, labels, ANNA, "delete", ids=[new])
    assert not read_window(store, label_set(store, labels), 0, 0, Box(60, 70, 60, 70)).any()
