"""Questions of a rebase over a real server; every kind of job has a schema."""

from __future__ import annotations

import numpy as np
import pytest

from cellmetry.core.image import Box
from cellmetry.core.labels import labels_from_array
from cellmetry.pipeline.jobs.registry import JOB_KINDS
from cellmetry.study.rebase.questions import Question, add_question
from cellmetry.study.store.acts import Actor, act
from cellmetry.study.store.images import add_image
from cellmetry.study.store.label_pixels import read_labels
from cellmetry.study.store.labels import add_labels
from cellmetry.study.store.store import join_store

WHO = Actor("t", "python")


@pytest.fixture(scope="module")
def asked(server):
    """A study with two questions about a cell of 4 × 4 pixels, which the new model saw one row lower."""
    with server.client() as client:
        study = client.post("studies", json={"name": "questions"}).json()["id"]
    [folder] = server.home.glob("questions*.cellmetry")
    store = join_store(folder)
    ids = np.zeros((64, 64), np.uint32)
    ids[10:14, 10:14] = 5
    theirs = np.zeros((10, 10), np.uint32)
    theirs[3:7, 2:6] = 9
    with store.database.write():
        seq = act(store, WHO, "test", "Add labels")
        image_id = add_image(store, seq, "a", {"files": []}, "0" * 64)
    labels_id = add_labels(store, seq, image_id, labels_from_array(ids))
    question = Question(0, 0, Box(8, 18, 8, 18), 5, "reshaped", ids[8:18, 8:18], theirs)
    with store.database.write():
        found = [add_question(store, seq, labels_id, question) for _ in range(2)]
    yield {"url": f"studies/{study}/questions", "study": study, "labels": labels_id, "ids": found, "store": store}
    store.database.close()


def test_an_answer_to_an_older_version_is_refused_if_the_place_was_changed(client, asked):
    url = f"studies/{asked['study']}/labels/{asked['labels']}"
    over = {"operation": "erase", "parameters": {"points": [[12, 12]], "radius": 3}}
    assert client.post(f"{url}/edits", json=over).json()["version"] == 1
    known = {"answer": "theirs", "base_version": 0, "session": "here"}
    refused = client.post(f"{asked['url']}/{asked['ids'][0]}/answer", json=known)
    assert (refused.status_code, refused.json()["error"]["version"]) == (409, 1)
    assert client.post(f"{url}/undo", json={}).json()["version"] == 2


def test_questions_are_listed_shown_and_answered_and_the_answer_undone(client, asked):
    url, store = asked["url"], asked["store"]
    listed = client.get(url).json()
    assert [each["id"] for each in listed] == asked["ids"]
    assert listed[0]["box"] == {"y0": 8, "y1": 18, "x0": 8, "x1": 18}
    assert client.get(url, params={"labels": asked["labels"]}).json() == listed
    shown = client.get(f"{url}/{asked['ids'][0]}").json()
    assert np.unique(shown["mine"]).tolist() == [0, 5]
    assert np.unique(shown["theirs"]).tolist() == [0, 9]
    kept = client.post(f"{url}/{asked['ids'][0]}/answer", json={"answer": "mine"}).json()
    assert kept["version"] == 2
    taken = client.post(f"{url}/{asked['ids'][1]}/answer", json={"answer": "theirs"}).json()
    assert taken["version"] == 3
    assert read_labels(store, asked["labels"]).read()[11, 10] == 9
    assert client.get(url).json() == []
    assert len(client.get(url, params={"answered": True}).json()) == 2
    assert client.post(f"{url}/{asked['ids'][1]}/answer", json={"answer": "mine"}).status_code == 422
    assert client.post(f"studies/{asked['study']}/acts/{kept['act']}/undo").status_code == 200
    assert [each["id"] for each in client.get(url).json()] == asked["ids"][:1]


def test_a_wrong_answer_is_refused(client, asked):
    assert client.post(f"{asked['url']}/{asked['ids'][0]}/answer", json={"answer": "both"}).status_code == 422
    assert client.get(f"{asked['url']}/ask_0000000000000000").status_code == 404
    assert client.get(asked["url"], params={"labels": "../x"}).status_code == 422


def test_every_kind_of_job_has_a_schema_with_words(client):
    found = client.get("job-kinds").json()
    assert [each["name"] for each in found] == list(JOB_KINDS)
    for each in found:
        for name, field in each["parameters"].get("properties", {}).items():
            assert field.get("description") or "$ref" in field or "allOf" in field, (each["name"], name)
