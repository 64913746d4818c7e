"""Schemas, recipes and models over a real server."""

from __future__ import annotations

import shutil
import tomllib

import pytest

from cellmetry.models.store import read_card
from cellmetry.pipeline.recipe import STEPS, load_recipe, shipped_recipes
from cellmetry.study.store.acts import Actor, act
from cellmetry.study.store.models import add_model, new_model_folder
from cellmetry.study.store.store import join_store

TEXT = 'name = "mine"\n[[steps]]\nstep = "segment"\nengine = "classical"\ndiameter_px = 14\n'


@pytest.fixture(scope="module")
def study(server):
    """Id of an empty study."""
    with server.client() as client:
        return client.post("studies", json={"name": "recipes"}).json()["id"]


@pytest.mark.parametrize("what", ["steps", "edit-operations", "formats"])
def test_everything_that_has_parameters_has_a_schema(client, what):
    for each in client.get(what).json():
        assert each["summary"]
        assert each["parameters"]["type"] == "object"
        assert client.get(f"{what}/{each['name']}").json() == each
    assert client.get(f"{what}/nonsense").status_code == 404


def test_schemas_are_those_of_the_steps(client):
    found = {each["name"]: each["parameters"] for each in client.get("steps").json()}
    assert list(found) == STEPS.names()
    assert found["segment"] == STEPS.load("segment").model_json_schema()


def test_engines_and_shared_models_are_listed(client):
    engines = {each["name"]: each for each in client.get("engines").json()}
    assert "base" in engines["cellmetry"]["models"]
    assert engines["classical"]["parameters"]["properties"]
    assert client.get("models/base").json()["card"]["licence"]
    assert client.get("models/nothing").status_code == 404
    assert "/" not in client.get("models").json()[0]["problem"]


def test_shipped_recipes_are_shown_and_changed(client):
    listed = client.get("recipes").json()
    assert [each["name"] for each in listed] == shipped_recipes()
    text = client.get("recipes/nuclei", params={"form": "toml"})
    assert text.headers["content-type"].startswith("application/toml")
    assert tomllib.loads(text.text)["steps"][0]["step"] == "segment"
    changed = client.post("recipes/check", json={"recipe": "nuclei", "set": ["segment.diameter_px=12"]}).json()
    assert changed["sha256"] == load_recipe("nuclei", ["segment.diameter_px=12"]).hash
    wrong = client.post("recipes/check", json={"recipe": "nuclei", "set": ["segment.diametre_px=12"]})
    assert wrong.status_code == 404
    assert "diameter_px" in wrong.json()["error"]["message"]
    assert client.post("recipes/check", json={}).status_code == 422


def test_a_recipe_is_kept_replaced_hidden_and_brought_back(client, study):
    url = f"studies/{study}/recipes"
    first = client.post(url, json={"name": "mine", "text": TEXT}).json()
    second = client.post(url, json={"name": "mine", "text": TEXT.replace("14", "15")}).json()
    assert [each["id"] for each in client.get(url).json()] == [second["id"]]
    assert client.get(f"{url}/{first['id']}").json()["steps"][0]["diameter_px"] == 14
    assert client.get(f"{url}/{first['id']}", params={"form": "toml"}).text == TEXT
    seq = client.delete(f"{url}/{second['id']}").json()["act"]
    assert client.get(url).json() == []
    client.post(f"studies/{study}/acts/{seq}/undo")
    assert [each["id"] for each in client.get(url).json()] == [second["id"]]


@pytest.mark.parametrize(
    "text",
    [
        "[[steps",
        "x" * 250_000,
        '[[steps]]\nstep = "segmnt"\n',
        '[[steps]]\nstep = "flat_field"\nflat = "/etc/passwd"\n',
        '[[steps]]\nstep = "segment"\nengine = "labels"\n',
        '[[steps]]\nstep = "segment"\nmodel = "../../x.onnx"\n',
        "a = " + "[" * 5000,
        '[[steps]]\nstep = "segment"\noptions.' + "a." * 50_000 + "b = 1",
    ],
)
def test_a_wrong_recipe_is_not_kept(client, study, text):
    before = client.get(f"studies/{study}/recipes").json()
    answer = client.post(f"studies/{study}/recipes", json={"name": "wrong", "text": text})
    assert answer.status_code in {404, 422}, answer.text
    assert client.get(f"studies/{study}/recipes").json() == before


def test_a_model_is_activated_rolled_back_and_downloaded(client, server, study, tiny_models, tmp_path):
    tiny_models(tmp_path)
    [card] = tmp_path.glob("*.json")
    [folder] = server.home.glob("recipes*.cellmetry")
    store = join_store(folder)
    model_id, place = new_model_folder(store)
    place.mkdir(parents=True)
    for file in tmp_path.iterdir():
        shutil.copy(file, place)
    with store.database.write():
        seq = act(store, Actor("t", "python"), "train", "Train a model")
        add_model(store, seq, model_id, read_card(place / card.name))
    store.database.close()
    url = f"studies/{study}/models"
    [listed] = client.get(url).json()
    assert (listed["id"], listed["active"]) == (model_id, False)
    assert client.post(f"{url}/rollback").status_code == 422
    client.put(f"{url}/active", json={"model": model_id})
    assert client.get(f"{url}/active").json()["id"] == model_id
    assert client.delete(f"{url}/{model_id}").status_code == 422
    assert client.get(f"{url}/{model_id}/download").headers["content-type"] == "application/zip"
    (place / f"{card.stem}.onnx").write_bytes(b"altered")
    assert client.put(f"{url}/active", json={"model": model_id}).status_code == 422
    assert client.post(f"{url}/rollback").status_code == 200
    assert client.get(f"{url}/active").json() is None
    assert client.delete(f"{url}/{model_id}").status_code == 200
    assert client.get(url).json() == []
