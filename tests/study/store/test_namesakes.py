"""Of what has one name in a study one is seen at most, whatever is removed, undone and done again."""

from __future__ import annotations

import numpy as np
import pytest

from cellmetry.core.labels import Labels
from cellmetry.errors import ParameterError
from cellmetry.study.store.acts import act, undo_act
from cellmetry.study.store.images import add_image, image, images, remove_images
from cellmetry.study.store.labels import add_labels, label_set, label_sets, labels_of_image, remove_labels
from cellmetry.study.store.recipes import add_recipe, find_recipe, hide_recipe, recipe, recipes
from cellmetry.study.store.results import add_result, hide_result, results

from .made_study import ANNA, new_study


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    store, _ = new_study(tmp_path_factory.mktemp("study"), np.ones((8, 8), np.uint32))
    yield store
    store.close()


class LabelsOfOneName:
    """Labels of an image that is of this test alone."""

    def __init__(self, store):
        self.store = store
        self.image = add_image(store, act(store, ANNA, "add", "an image"), "of the test", {}, "")

    def add(self):
        seq = act(self.store, ANNA, "segment", "cells")
        return add_labels(self.store, seq, self.image, Labels(np.ones((8, 8), np.uint32))), seq

    def hide(self, labels_id):
        with self.store.database.write():
            seq = act(self.store, ANNA, "remove", "cells")
            remove_labels(self.store, seq, labels_id)
        return seq

    def seen(self):
        found = [each.id for each in label_sets(self.store, self.image)]
        now = labels_of_image(self.store, self.image)
        assert found == ([] if now is None else [now.id])
        return found


class Recipes:
    """Recipes of one name."""

    def __init__(self, store):
        self.store, self.name = store, f"r{len(recipes(store))}"

    def add(self):
        made = add_recipe(self.store, ANNA, self.name, "[[steps]]")
        return made, recipe(self.store, made).added_by

    def hide(self, recipe_id):
        return hide_recipe(self.store, ANNA, recipe_id)

    def seen(self):
        found = [each.id for each in recipes(self.store) if each.name == self.name]
        now = find_recipe(self.store, self.name)
        assert found == ([] if now is None else [now.id])
        return found


class Results:
    """Tables of one name."""

    def __init__(self, store):
        self.store, self.name = store, f"t{len(results(store))}"

    def add(self):
        path = self.store.folder / f"{self.name}.txt"
        path.write_text("a table", encoding="utf-8")
        seq = act(self.store, ANNA, "measure", "a table")
        return add_result(self.store, seq, "table", self.name, path), seq

    def hide(self, result_id):
        return hide_result(self.store, ANNA, result_id)

    def seen(self):
        return [each.id for each in results(self.store) if each.name == self.name]


@pytest.fixture(params=[LabelsOfOneName, Recipes, Results])
def named(request, study):
    return request.param(study)


def test_what_is_done_again_hides_what_took_its_name(study, named):
    first, added = named.add()
    undone = undo_act(study, ANNA, added)
    second, _ = named.add()
    undo_act(study, ANNA, undone)
    assert named.seen() == [first]
    undo_act(study, ANNA, added)
    assert named.seen() == [second]


def test_what_something_newer_took_the_name_of_does_not_come_back(study, named):
    first, _ = named.add()
    hidden = named.hide(first)
    second, added = named.add()
    with pytest.raises(ParameterError, match=rf"cannot come back.*act {added} "):
        undo_act(study, ANNA, hidden)
    assert named.seen() == [second]
    undo_act(study, ANNA, added)
    assert named.seen() == []
    undo_act(study, ANNA, hidden)
    assert named.seen() == [first]


def test_acts_of_one_name_are_undone_from_the_last(study, named):
    (first, _), (second, middle), (third, last) = (named.add() for _ in range(3))
    with pytest.raises(ParameterError, match="undo that first"):
        undo_act(study, ANNA, middle)
    assert named.seen() == [third]
    again = undo_act(study, ANNA, last)
    assert named.seen() == [second]
    undo_act(study, ANNA, middle)
    assert named.seen() == [first]
    undo_act(study, ANNA, again)
    assert named.seen() == [third]
    undo_act(study, ANNA, last)
    assert len(named.seen()) == 1


def test_what_is_not_seen_cannot_be_removed(study, named):
    first, _ = named.add()
    second, added = named.add()
    with pytest.raises(ParameterError, match="not to be seen"):
        named.hide(first)
    undo_act(study, ANNA, added)
    assert named.seen() == [first]
    named.hide(first)
    for each in (first, second):
        with pytest.raises(ParameterError, match="not to be seen"):
            named.hide(each)


def test_two_images_of_one_name_are_never_seen(study):
    first = add_image(study, act(study, ANNA, "add", "twice"), "twice", {}, "")
    with study.database.write():
        removed = act(study, ANNA, "remove images", "Remove twice")
        remove_images(study, removed, [first, first])
    added = act(study, ANNA, "add", "twice")
    second = add_image(study, added, "twice", {}, "")
    assert image(study, second).name == "twice"
    with pytest.raises(ParameterError, match="twice cannot come back"):
        undo_act(study, ANNA, removed)
    undone = undo_act(study, ANNA, added)
    undo_act(study, ANNA, removed)
    with pytest.raises(ParameterError, match="twice cannot come back"):
        undo_act(study, ANNA, undone)
    assert [each.id for each in images(study) if each.name == "twice"] == [first]
    with pytest.raises(ParameterError, match="not to be seen"), study.database.write():
        remove_images(study, act(study, ANNA, "remove images", "again"), [second])


def test_a_refused_act_leaves_no_trace(study):
    named = LabelsOfOneName(study)
    first, _ = named.add()
    hidden = named.hide(first)
    named.add()
    before = study.database.rows("SELECT * FROM acts")
    with pytest.raises(ParameterError):
        undo_act(study, ANNA, hidden)
    assert [tuple(row) for row in study.database.rows("SELECT * FROM acts")] == [tuple(row) for row in before]
    assert label_set(study, first).removed_by == hidden
