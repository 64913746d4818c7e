"""Previews of a recipe on a field, over a real server."""

from __future__ import annotations

import numpy as np
import pytest


def squares(side=400):
    rng = np.random.default_rng(0)
    pixels = rng.normal(200, 5, (side, side))
    for y in range(10, side - 20, 30):
        for x in range(10, side - 20, 30):
            pixels[y : y + 14, x : x + 14] += 900
    return pixels.astype(np.uint16)


@pytest.fixture(scope="module")
def study(server, tools):
    client = server.client()
    made = tools.new_study(client, "Preview")
    url = f"studies/{made}"
    answer = client.post(f"{url}/images", files=[("files", ("a.tif", tools.tiff(squares()), "image/tiff"))])
    image = answer.json()[0]["id"]
    tools.wait_ready(client, f"{url}/images/{image}")
    return url, image


def ids_of(client, url, seen, box):
    answer = client.get(f"{url}/{seen['pixels']}")
    assert answer.status_code == 200, answer.text
    return np.frombuffer(answer.content, "<u4").reshape(box[1] - box[0], box[3] - box[2])


def test_a_field_is_labelled_and_the_study_stays_as_it_is(client, study):
    url, image = study
    before = client.get(url).json()
    body = {"image": image, "box": [100, 300, 60, 360], "recipe": "any", "set": ["segment.engine=classical"]}
    answer = client.post(f"{url}/preview", json=body)
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert found["box"] == [100, 300, 60, 360]
    assert found["whole"]
    cells = found["seen"][0]
    assert (cells["name"], cells["kind"]) == ("cells", "labels")
    ids = ids_of(client, url, cells, found["box"])
    assert cells["n"] == len(np.unique(ids[ids > 0])) >= 60
    assert 12 < cells["median_diameter_px"] < 20
    assert client.get(url).json() == before


def test_a_preview_of_a_small_plane_is_what_a_job_makes(client, study, tools):
    url, image = study
    change = ["segment.engine=classical"]
    found = client.post(f"{url}/preview", json={"image": image, "recipe": "any", "set": change}).json()
    ids = ids_of(client, url, found["seen"][0], found["box"])
    job = client.post(
        f"{url}/jobs", json={"kind": "segment", "parameters": {"recipe": "any", "set": change, "images": [image]}}
    ).json()
    assert tools.wait_job(client, f"{url}/jobs/{job['id']}")["state"] == "done"
    [labels] = client.get(f"{url}/labels", params={"image": image}).json()
    tile = client.get(f"{url}/labels/{labels['id']}/tiles/0/0/0/0/0", headers={"Accept-Encoding": "identity"})
    made = np.frombuffer(tile.content, "<u4").reshape(400, 400)
    assert np.array_equal(made, ids)


def test_wrong_places_and_recipes_are_refused_in_words(client, study):
    url, image = study
    outside = client.post(f"{url}/preview", json={"image": image, "box": [0, 500, 0, 100]})
    assert outside.status_code in {400, 422}
    assert "400 × 400" in outside.json()["error"]["message"]
    unknown = client.post(f"{url}/preview", json={"image": image, "recipe": "nothing"})
    assert unknown.status_code == 404
    assert client.post(f"{url}/preview", json={"image": image, "z": 4}).status_code in {400, 422}
    assert client.get(f"{url}/preview/prv_0000000000000000/0").status_code == 404


def test_a_sample_study_is_there_at_once_and_can_be_compared(client, tools):
    answer = client.post("studies/sample")
    assert answer.status_code == 201, answer.text
    url = f"studies/{answer.json()['id']}"
    assert answer.json()["images"] == 12
    for job in client.get(f"{url}/jobs").json():
        assert tools.wait_job(client, f"{url}/jobs/{job['id']}")["state"] == "done"
    images = client.get(f"{url}/images").json()
    assert {each["state"] for each in images} == {"ready"}
    said = [(each["said"]["condition"], each["said"]["replicate"]) for each in images]
    assert {pair: said.count(pair) for pair in said} == {
        (condition, replicate): 2 for condition in ("control", "treated") for replicate in "123"
    }
    assert images[0]["header"]["pixel_size_um"]["x"] == 0.5
    shown = client.get(f"{url}/images/{images[0]['id']}/thumbnail")
    assert shown.status_code == 200


def test_a_study_is_warmed_up_before_somebody_waits(client, study):
    url, image = study
    answer = client.post(f"{url}/preview/warm")
    assert (answer.status_code, answer.json()) == (202, None)
    assert client.post(f"{url}/preview", json={"image": image, "recipe": "any"}).status_code == 200
