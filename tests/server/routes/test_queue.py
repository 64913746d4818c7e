"""The queue of corrections over a real server: what comes first, what settles it, and when to stop."""

from __future__ import annotations

import numpy as np
import pytest

from cellmetry.ops.synthetic import FieldOptions, make_cells
from cellmetry.pipeline.correcting import _area
from cellmetry.study.store.acts import Actor, act
from cellmetry.study.store.images import say
from cellmetry.study.store.store import join_store


@pytest.fixture(scope="module")
def study(server, tools):
    """A study with one field of 20 cells: two are labelled as one, one is missed."""
    client = server.client()
    made = tools.new_study(client, "Queue")
    url = f"studies/{made}"
    field = make_cells((384, 384), 20, FieldOptions(touching=0.3), seed=5)
    pixels = tools.tiff(field.image[1], photometric="minisblack")
    image = client.post(f"{url}/images", files=[("files", ("a.tif", pixels, "image/tiff"))]).json()[0]["id"]
    assert tools.wait_ready(client, f"{url}/images/{image}")["state"] == "ready"
    ids = field.labels.astype(np.uint32)
    ids[ids == 7] = 0
    labels = tools.put_labels(tools.folder_of(server, client, made), image, ids)
    return url, image, labels, field.labels


def queue(client, url, **asked):
    answer = client.get(f"{url}/queue", params={"labels": "cells", **asked})
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_without_a_review_only_sizes_are_known(client, study):
    url, *_ = study
    found = queue(client, url)
    assert found["evidence"] == "sizes"
    assert found["total"] == 1
    assert found["value"] > 0


def test_what_is_left_out_of_results_is_not_in_the_queue(client, study):
    url, image, *_ = study
    said = client.patch(f"{url}/images", json={"images": [image], "values": {"excluded": True}}).json()
    try:
        out = queue(client, url)
        assert (out["items"], out["total"], out["open"]) == ([], 0, [])
    finally:
        client.post(f"{url}/acts/{said['act']}/undo")
    assert queue(client, url)["total"] == 1


@pytest.mark.parametrize(("sides", "text"), [(None, "1,250 px"), ((0.5, 0.5), "312 µm²"), ((0.05, 0.05), "3.1 µm²")])
def test_areas_are_said_as_in_the_tables(sides, text):
    assert _area(1250, sides) == text


def test_labels_that_nobody_made_yet_have_an_empty_queue(client, study):
    url, *_ = study
    found = queue(client, url, labels="nuclei")
    assert (found["evidence"], found["items"], found["total"], found["stop"]) == ("none", [], 0, False)
    assert "No image has these labels yet" in found["advice"]


def test_a_missed_cell_is_found_drawn_and_settled(client, study, tools):
    url, _, labels, truth = study
    job = client.post(f"{url}/jobs", json={"kind": "review", "parameters": {"labels": "cells"}}).json()
    done = tools.wait_job(client, f"{url}/jobs/{job['id']}")
    assert done["state"] == "done", done["error"]
    found = queue(client, url)
    assert found["evidence"] == "network"
    assert not found["stale"]
    missed = [each for each in found["items"] if each["kind"] == "missed"]
    rows, columns = np.nonzero(truth == 7)
    inside = [
        each
        for each in missed
        if each["box"][0] <= rows.mean() < each["box"][1] and each["box"][2] <= columns.mean() < each["box"][3]
    ]
    assert inside, found["items"]
    effects = [each["effect"] for each in found["items"]]
    assert effects == sorted(effects, reverse=True)
    points = [[float(rows.min()), float(columns.min())], [float(rows.min()), float(columns.max() + 1)]]
    points += [[float(rows.max() + 1), float(columns.max() + 1)], [float(rows.max() + 1), float(columns.min())]]
    drawn = client.post(f"{url}/labels/{labels}/edits", json={"operation": "draw", "parameters": {"points": points}})
    assert drawn.status_code == 200, drawn.text
    after = queue(client, url)
    assert inside[0] not in after["items"]
    assert after["left"] < found["left"]
    maps = {each["kind"]: each for each in client.get(f"{url}/maps").json()}
    density = client.get(f"{url}/{maps['density']['pixels']}")
    values = np.frombuffer(density.content, "<f4").reshape(maps["density"]["shape"])
    assert values.shape == (48, 48)
    assert 10 < values.sum() < 30
    assert maps["disagreement"]["shape"] == [6, 6]
    assert client.get(f"{url}/maps/{job['id']}/{maps['density']['image']}/density/0/3").status_code == 404
    area = queue(client, url, result="area_px")
    assert area["result"] == "area_px"


def test_a_reviewed_field_leaves_the_queue_and_comes_back_when_undone(client, study):
    url, image, _, _ = study
    before = queue(client, url)
    act = client.put(f"{url}/reviewed", json={"image": image, "box": [0, 384, 0, 384]})
    assert act.status_code == 200, act.text
    after = queue(client, url)
    assert (after["left"], after["reviewed"], after["stop"]) == (0, 1, True)
    [field] = client.get(f"{url}/reviewed", params={"image": image}).json()
    assert client.get(f"{url}/reviewed").json() == [field]
    assert field["box"] == [0, 384, 0, 384]
    assert client.post(f"{url}/acts/{act.json()['act']}/undo").status_code == 200
    assert queue(client, url)["left"] == before["left"]
    assert client.get(f"{url}/reviewed", params={"image": image}).json() == []


def test_wrong_questions_are_refused_in_words(client, study):
    url, image, _, _ = study
    refused = client.get(f"{url}/queue", params={"result": "mean_nothing"})
    assert "measure first" in refused.json()["error"]["message"]
    assert client.put(f"{url}/reviewed", json={"image": image, "box": [4, 4, 0, 9]}).status_code == 422


@pytest.mark.parametrize(
    "wrong",
    [
        {"box": [0, 2**31, 0, 2**31]},
        {"box": [0, 384, 0, 385]},
        {"t": 1},
        {"z": 1},
        {"labels": "nuclei"},
    ],
)
def test_what_an_image_does_not_have_cannot_be_reviewed(client, study, wrong):
    url, image, _, _ = study
    answer = client.put(f"{url}/reviewed", json={"image": image, "box": [0, 384, 0, 384], **wrong})
    assert answer.status_code == 422, answer.text
    assert client.get(f"{url}/reviewed").json() == []


def test_a_box_beyond_the_plane_that_was_kept_before_is_cut_to_it(server, client, study, tools):
    url, image, *_ = study
    edge = 2**31
    store = join_store(tools.folder_of(server, client, url.partition("/")[2]))
    with store.database.write():
        seq = act(store, Actor("t", "python"), "review", "As it was kept before")
        say(store, seq, f"reviewed {image}", {f"0/0/0/{edge}/0/{edge}/cells": {"act": seq}})
        say(store, seq, f"reviewed {image}", {f"0/7/0/{edge}/0/{edge}/cells": {"act": seq}})
    store.close()
    [field] = client.get(f"{url}/reviewed").json()
    assert field["box"] == [0, 384, 0, 384]
    assert queue(client, url)["reviewed"] == 1
    assert client.post(f"{url}/acts/{seq}/undo").status_code == 200


def test_labels_that_take_the_place_of_others_were_not_looked_through_nor_called_right(server, client, study, tools):
    url, image, labels, truth = study
    seen = {"image": image, "labels_id": labels, "box": [0, 384, 0, 384]}
    assert client.put(f"{url}/reviewed", json=seen).status_code == 200
    said = client.put(f"{url}/labels/{labels}/right", json={"right": True})
    assert said.status_code == 200, said.text

    def standing():
        [found] = client.get(f"{url}/labels").json()
        return found["reviewed"], found["right"], found["teaches"], len(client.get(f"{url}/reviewed").json())

    assert standing() == (1, True, True, 1)
    tools.put_labels(tools.folder_of(server, client, url.partition("/")[2]), image, truth.astype(np.uint32))
    assert standing() == (0, False, False, 0)
    late = client.put(f"{url}/labels/{labels}/right", json={"right": True})
    assert (late.status_code, "no longer" in late.json()["error"]["message"]) == (422, True)
    late = client.put(f"{url}/reviewed", json=seen)
    assert (late.status_code, "look again" in late.json()["error"]["message"]) == (422, True)
    assert standing() == (0, False, False, 0)
    newest = max(each["seq"] for each in client.get(f"{url}/acts").json())
    assert client.post(f"{url}/acts/{newest}/undo").status_code == 200
    assert standing() == (1, True, True, 1)


def test_only_the_labels_that_somebody_looked_at_are_called_right(client, study):
    url, image, labels, _ = study
    others = client.post(f"{url}/labels", json={"image": image, "name": "nuclei"}).json()["labels"]
    assert client.put(f"{url}/labels/{labels}/right", json={"right": True}).status_code == 200
    found = {each["id"]: (each["right"], each["teaches"]) for each in client.get(f"{url}/labels").json()}
    assert found == {labels: (True, True), others: (False, False)}
    refused = client.patch(f"{url}/images", json={"images": [image], "values": {"corrected": True}})
    assert "said of labels" in refused.json()["error"]["message"]


def test_labels_that_are_newer_than_the_review_are_not_said_to_be_right(server, client, study, tools):
    url, image, _, truth = study
    job = client.post(f"{url}/jobs", json={"kind": "review", "parameters": {"labels": "cells"}}).json()
    assert tools.wait_job(client, f"{url}/jobs/{job['id']}")["state"] == "done"
    tools.put_labels(tools.folder_of(server, client, url.split("/")[1]), image, truth.astype(np.uint32))
    found = queue(client, url)
    assert (found["evidence"], found["stale"], found["stop"]) == ("sizes", True, False)
    assert "newer than this ranking" in found["advice"]
