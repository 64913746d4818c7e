"""Jobs over a real server: submit, watch by events, read the log, cancel, resume; wrong requests."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest
import tifffile

from cellmetry.core.labels import labels_hash
from cellmetry.pipeline.batch import run
from cellmetry.pipeline.recipe import load_recipe
from cellmetry.study.store.label_pixels import whole_labels
from cellmetry.study.store.labels import label_sets
from cellmetry.study.store.store import join_store


def cells(seed):
    """Return twelve cells on a noisy ground, uint16 (128, 128)."""
    centres = [(20 + 40 * row, 20 + 30 * column) for row in range(3) for column in range(4)]
    y, x = np.mgrid[:128, :128]
    light = sum(3000 * np.exp(-((y - a) ** 2 + (x - b) ** 2) / 40) for a, b in centres)
    return (light + np.random.default_rng(seed).normal(400, 10, (128, 128))).astype(np.uint16)


@pytest.fixture(scope="module")
def study(server):
    """A study of two images that are read, and where it lies."""
    with server.client() as client:
        made = client.post("studies", json={"name": "jobs"}).json()
        files = []
        for number in range(2):
            file = io.BytesIO()
            tifffile.imwrite(file, cells(number))
            files.append(("files", (f"a{number}.tif", file.getvalue())))
        assert client.post(f"studies/{made['id']}/images", files=files).status_code == 201
        [reading] = client.get(f"studies/{made['id']}/jobs").json()
        assert events(client, f"studies/{made['id']}/jobs/{reading['id']}/events")[-1]["data"]["text"] == "done"
        return made["id"]


def events(client, url, **headers):
    """Return the events of a stream until it ends: id, event and data of each."""
    found = []
    with client.stream("GET", url, headers=headers) as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        for block in "".join(stream.iter_text()).split("\n\n"):
            fields = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
            if "id" in fields:
                found.append({**fields, "id": int(fields["id"]), "data": json.loads(fields["data"])})
    return found


@pytest.fixture(scope="module")
def segmented(server, study):
    """A segment job that is done: its view, and what was said of it as a stream."""
    with server.client() as client:
        body = {"kind": "segment", "parameters": {"recipe": "whole-cells", "set": ["segment.tile_px=256"]}}
        answer = client.post(f"studies/{study}/jobs", json=body)
        assert answer.status_code == 202, answer.text
        job = answer.json()
        assert job["state"] == "queued"
        assert answer.headers["location"].endswith(job["id"])
        said = events(client, f"studies/{study}/jobs/{job['id']}/events")
        return client.get(f"studies/{study}/jobs/{job['id']}").json(), said


def test_a_job_is_watched_to_its_end_and_its_labels_are_those_of_the_command_line(segmented, server, study, tmp_path):
    job, said = segmented
    assert job["state"] == "done", job["error"]
    assert [each["data"]["text"] for each in said if each["event"] == "state"] == ["queued", "running", "done"]
    progress = [each["data"] for each in said if each["event"] == "progress"]
    assert progress[-1]["done"] == progress[-1]["total"] == 2
    for number in range(2):
        tifffile.imwrite(tmp_path / f"a{number}.tif", cells(number))
    recipe = load_recipe("whole-cells", ["segment.tile_px=256"])
    ran = run(recipe, [tmp_path / "a0.tif", tmp_path / "a1.tif"], tmp_path / "run")
    [folder] = server.home.glob("jobs*.cellmetry")
    store = join_store(folder)
    made = {labels_hash(whole_labels(store, each)) for each in label_sets(store)}
    store.database.close()
    assert made == {each.labels_sha256["cells"] for each in ran.outcomes}


def test_a_stream_goes_on_where_it_was_and_is_not_asked_for_again_at_its_end(segmented, client, study):
    job, said = segmented
    url = f"studies/{study}/jobs/{job['id']}/events"
    middle = said[len(said) // 2]["id"]
    again = events(client, url, **{"Last-Event-ID": str(middle)})
    assert [each["id"] for each in again] == [each["id"] for each in said if each["id"] > middle]
    assert client.get(url, headers={"Last-Event-ID": str(said[-1]["id"])}).status_code == 204
    for wrong in ("12x", "9" * 32, "-1"):
        assert client.get(url, headers={"Last-Event-ID": wrong}).status_code == 422


def test_the_log_comes_in_pages(segmented, client, study):
    job, said = segmented
    url = f"studies/{study}/jobs/{job['id']}/log"
    first = client.get(url, params={"limit": 2}).json()
    rest = client.get(url, params={"after": first[-1]["seq"]}).json()
    assert [line["seq"] for line in [*first, *rest]] == [each["id"] for each in said]
    states = client.get(url, params={"kind": "state"}).json()
    assert [line["text"] for line in states] == [line["text"] for line in [*first, *rest] if line["kind"] == "state"]
    assert client.get(url, params={"kind": "learning"}).json() == []
    assert client.get(url, params={"kind": "State;"}).status_code == 422


def test_jobs_are_listed_by_state_and_page(segmented, client, study):
    url = f"studies/{study}/jobs"
    every = client.get(url).json()
    assert [each["kind"] for each in every][:2] == ["read", "segment"]
    assert client.get(url, params={"after": every[0]["seq"], "limit": 1}).json() == every[1:2]
    assert all(each["state"] == "done" for each in client.get(url, params={"state": "done"}).json())


def test_a_job_is_cancelled_and_resumed(segmented, client, study):
    url = f"studies/{study}/jobs"
    job = client.post(url, json={"kind": "segment", "parameters": {"recipe": "whole-cells"}}).json()
    assert client.post(f"{url}/{job['id']}/cancel").status_code == 200
    said = events(client, f"{url}/{job['id']}/events")
    assert said[-1]["data"]["text"] in {"cancelled", "done"}
    if said[-1]["data"]["text"] == "cancelled":
        assert client.post(f"{url}/{job['id']}/resume").json()["state"] in {"queued", "running"}
        said = events(client, f"{url}/{job['id']}/events", **{"Last-Event-ID": str(said[-1]["id"])})
        assert said[-1]["data"]["text"] == "done"
    assert client.post(f"{url}/{job['id']}/resume").status_code == 422
    assert client.post(f"{url}/{job['id']}/cancel").json()["state"] == "done"


@pytest.mark.parametrize(
    ("kind", "parameters", "said"),
    [
        ("sgment", {}, "segment"),
        ("segment", {"recepe": "nuclei"}, "recipe"),
        ("segment", {"recipe": "/etc/passwd.toml"}, "There is no recipe"),
        ("segment", {"recipe": "existing-labels"}, "label files"),
        ("segment", {"recipe_text": "[[steps"}, "TOML"),
        ("segment", {"recipe": "any", "set": ["segment.model=/etc/passwd"]}, "path"),
        ("segment", {"images": ["../../x"]}, "images"),
        ("measure", {"labels": "x" * 300}, "labels"),
    ],
)
def test_a_wrong_job_is_refused_at_once(client, study, kind, parameters, said):
    before = len(client.get(f"studies/{study}/jobs").json())
    answer = client.post(f"studies/{study}/jobs", json={"kind": kind, "parameters": parameters})
    assert answer.status_code in {404, 422}, answer.text
    assert said in answer.json()["error"]["message"]
    assert len(client.get(f"studies/{study}/jobs").json()) == before


def test_a_job_that_is_not_there_is_not_found(client, study):
    missing = f"studies/{study}/jobs/job_0000000000000000"
    for url in (missing, f"{missing}/log", f"{missing}/events"):
        assert client.get(url).status_code == 404
