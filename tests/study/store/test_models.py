"""Recipes, models and uploads of a study: acts that hide and come back, what a client's name can do."""

from __future__ import annotations

import pytest

from cellmetry.errors import CellmetryError, ModelError, UnknownName
from cellmetry.models.store import find_model
from cellmetry.study.store.acts import Actor, act, undo_act
from cellmetry.study.store.models import (
    activate_model,
    active_model,
    add_model,
    hide_model,
    load_model,
    model,
    model_path,
    models,
    new_model_folder,
)
from cellmetry.study.store.recipes import add_recipe, find_recipe, hide_recipe, recipe, recipes
from cellmetry.study.store.store import open_store
from cellmetry.study.store.uploads import new_upload, upload_path

ANNA = Actor("anna", "python")


@pytest.fixture
def store(tmp_path):
    folder = tmp_path / "a.cellmetry"
    folder.mkdir()
    with open_store(folder) as opened:
        yield opened


def add(store, tiny_models, name):
    model_id, folder = new_model_folder(store)
    folder.mkdir(parents=True)
    path = tiny_models(folder, name=name)
    with store.database.write():
        return add_model(store, act(store, ANNA, "train", name), model_id, find_model(path))


def test_a_recipe_hides_the_one_of_its_name_and_comes_back(store):
    first = add_recipe(store, ANNA, "mine", "name = 'a'")
    second = add_recipe(store, ANNA, "mine", "name = 'b'")
    assert [each.id for each in recipes(store)] == [second]
    assert recipe(store, first).text == "name = 'a'"
    hidden = hide_recipe(store, ANNA, second)
    assert recipes(store) == []
    assert find_recipe(store, "mine") is None
    undo_act(store, ANNA, hidden)
    assert find_recipe(store, "mine") == recipe(store, second) == find_recipe(store, second)
    with pytest.raises(UnknownName, match="Known: mine"):
        recipe(store, "rcp_none")


def test_activating_is_rolled_back_by_undo(store, tiny_models):
    one, two = add(store, tiny_models, "one"), add(store, tiny_models, "two")
    assert active_model(store) is None
    activate_model(store, ANNA, one)
    newest = activate_model(store, ANNA, two)
    assert active_model(store).name == "two"
    undo_act(store, ANNA, newest)
    assert active_model(store).id == one
    hidden = hide_model(store, ANNA, one)
    assert active_model(store) is None
    with pytest.raises(UnknownName):
        activate_model(store, ANNA, one)
    undo_act(store, ANNA, hidden)
    assert active_model(store).id == one
    activate_model(store, ANNA, None)
    assert active_model(store) is None
    assert [each.id for each in models(store)] == [one, two]


@pytest.mark.parametrize("harm", ["altered", "missing", "pickle"])
def test_bad_weights_leave_the_old_model_active(store, tiny_models, harm):
    one, two = add(store, tiny_models, "one"), add(store, tiny_models, "two")
    activate_model(store, ANNA, one)
    path = model_path(store, model(store, two))
    content = path.read_bytes()
    if harm == "missing":
        path.unlink()
    else:
        path.write_bytes(b"\x80\x04payload" if harm == "pickle" else content[:-1] + b"\0")
    with pytest.raises(ModelError):
        activate_model(store, ANNA, two)
    assert active_model(store).id == one


def test_another_model_in_the_place_of_a_kept_one_is_refused(store, tiny_models):
    one = model(store, add(store, tiny_models, "one"))
    path = model_path(store, one)
    tiny_models(path.parent, name="one", weights=path.read_bytes() + b"\x1a\x00")
    with pytest.raises(CellmetryError):
        load_model(store, one)


@pytest.mark.parametrize("name", ["../../evil.zip", "C:\\a\\evil.zip", "..", "a\n<b>.zip", "x" * 400 + ".zip", ""])
def test_a_name_of_a_client_stays_in_its_folder(store, name):
    upload, path = new_upload(store, name)
    assert path.parent == store.folder / "uploads" / upload
    assert len(path.name) <= 100
    path.parent.mkdir(parents=True)
    path.write_bytes(b"x")
    assert upload_path(store, upload) == path


@pytest.mark.parametrize("upload", ["../uploads", "upl_0000000000000000", "", "upl_../../../etc"])
def test_only_ids_are_uploads(store, upload):
    (store.folder / "uploads").mkdir()
    with pytest.raises(UnknownName):
        upload_path(store, upload)


def test_a_link_is_no_upload(store):
    upload, path = new_upload(store, "a")
    path.parent.mkdir(parents=True)
    path.symlink_to("/etc/hostname")
    with pytest.raises(UnknownName):
        upload_path(store, upload)
