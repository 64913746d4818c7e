"""Images that are read once more, as somebody says."""

from __future__ import annotations

import numpy as np
import pytest


@pytest.fixture(scope="module")
def study(server, tools):
    """A study with a stack that does not say what its first axis is."""
    client = server.client()
    url = f"studies/{tools.new_study(client, 'Read again')}"
    pixels = tools.tiff(np.zeros((5, 60, 64), np.uint16), photometric="minisblack")
    image = client.post(f"{url}/images", files=[("files", ("a.tif", pixels, "image/tiff"))]).json()[0]["id"]
    assert tools.wait_job(client, f"{url}/jobs/{client.get(f'{url}/jobs').json()[-1]['id']}")
    return url, image


def test_an_image_that_failed_is_read_as_it_is_said_to_be_and_undone(client, study, tools):
    url, image = study
    failed = client.get(f"{url}/images/{image}").json()
    assert failed["state"] == "failed"
    assert "“Read again as…”" in failed["reason"]
    assert "--axes" not in failed["reason"]
    client.patch(f"{url}/images", json={"images": [image], "values": {"condition": "control"}})
    body = {"images": [image], "axes": "zyx", "pixel_size_um": 0.5}
    answer = client.post(f"{url}/images/read-again", json=body)
    assert answer.status_code == 202, answer.text
    [again] = answer.json()["images"]
    read = tools.wait_ready(client, f"{url}/images/{again}")
    assert (read["name"], read["header"]["axes"], read["header"]["shape"]) == ("a", "ZYX", [5, 60, 64])
    assert read["said"] == {"condition": "control", "pixel_size_um": 0.5}
    assert read["header"]["pixel_size_um"]["x"] == 0.5
    assert [each["id"] for each in client.get(f"{url}/images").json()] == [again]
    assert client.post(f"{url}/acts/{answer.json()['act']}/undo").status_code == 200
    assert [each["id"] for each in client.get(f"{url}/images").json()] == [image]


@pytest.mark.parametrize(
    "wrong", [{"axes": "Z;X"}, {"rgb": "x"}, {"pixel_size_um": 0}, {"images": []}, {"pattern": "x"}]
)
def test_wrong_wishes_are_refused(client, study, wrong):
    url, image = study
    assert client.post(f"{url}/images/read-again", json={"images": [image], **wrong}).status_code == 422


def test_a_new_reading_has_the_place_and_the_regions_of_the_one_before_but_none_of_its_labels(server, client, tools):
    study = tools.new_study(client, "Read again in place")
    url = f"studies/{study}"
    files = [
        ("files", (f"{name}.tif", tools.tiff(np.full((5, 60, 64), k, np.uint16), metadata={"axes": "TYX"})))
        for k, name in enumerate("abc")
    ]
    ids = [each["id"] for each in client.post(f"{url}/images", files=files).json()]
    for image in ids:
        assert tools.wait_ready(client, f"{url}/images/{image}")["state"] == "ready"
    region = {"name": "left", "rectangle": [0, 0, 30, 30]}
    assert client.put(f"{url}/regions", json={"image": ids[0], "regions": [region]}).status_code == 200
    tools.put_labels(tools.folder_of(server, client, study), ids[0], np.ones((5, 60, 64), np.uint32), axes="TYX")
    [labels] = client.get(f"{url}/labels").json()
    assert client.put(f"{url}/labels/{labels['id']}/right", json={"right": True}).status_code == 200
    said = client.patch(f"{url}/images", json={"images": ids[:1], "values": {"condition": "a"}})
    assert said.status_code == 200, said.text
    answer = client.post(f"{url}/images/read-again", json={"images": ids[:1], "axes": "ZYX"})
    [again] = answer.json()["images"]
    read = tools.wait_ready(client, f"{url}/images/{again}")
    assert (read["state"], read["header"]["axes"]) == ("ready", "ZYX")
    assert read["said"] == {"condition": "a"}
    assert [each["id"] for each in client.get(f"{url}/images").json()] == [again, *ids[1:]]
    assert [each["name"] for each in client.get(f"{url}/regions", params={"image": again}).json()] == ["left"]
    for said in ({}, {"pixel_size_um": 0.5}, {"axes": "ZYX"}):
        refused = client.post(f"{url}/images/read-again", json={"images": [again, ids[1]][: 1 + (not said)], **said})
        assert (refused.status_code, "in another way" in refused.json()["error"]["message"]) == (422, True)
    both = {"images": [again, ids[1]], "axes": None, "pixel_size_um": 0.5}  # the second was read as its file says
    taken_back = client.post(f"{url}/images/read-again", json=both).json()
    assert tools.wait_ready(client, f"{url}/images/{taken_back['images'][0]}")["header"]["axes"] == "TYX"
    assert [each["id"] for each in client.get(f"{url}/images").json()] == [*taken_back["images"], *ids[1:]]
    assert client.get(f"{url}/images/{ids[1]}").json()["said"] == {"pixel_size_um": 0.5}
    for each in (taken_back, answer.json()):
        assert client.post(f"{url}/acts/{each['act']}/undo").status_code == 200
    assert [each["id"] for each in client.get(f"{url}/images").json()] == ids
    assert client.get(f"{url}/labels/{labels['id']}").json()["right"]
