"""Labels that begin without an object."""

from __future__ import annotations

import numpy as np
import pytest


@pytest.fixture(scope="module")
def study(server, tools):
    client = server.client()
    url = f"studies/{tools.new_study(client, 'By hand')}"
    pixels = np.zeros((3, 90, 120), np.uint16)
    files = [("files", ("a.tif", tools.tiff(pixels, imagej=True, metadata={"axes": "ZYX"}), "image/tiff"))]
    image = client.post(f"{url}/images", files=files).json()[0]["id"]
    assert tools.wait_ready(client, f"{url}/images/{image}")["state"] == "ready"
    return url, image


def test_cells_are_drawn_where_there_were_no_labels(client, study):
    url, image = study
    made = client.post(f"{url}/labels", json={"image": image})
    assert made.status_code == 201, made.text
    labels = client.get(f"{url}/labels/{made.json()['labels']}").json()
    assert (labels["axes"], labels["shape"], labels["outlines"], labels["next_id"]) == ("ZYX", [3, 90, 120], 0, 1)
    drawn = client.post(
        f"{url}/labels/{labels['id']}/edits",
        json={"operation": "draw", "parameters": {"points": [[10, 10], [10, 20], [20, 20], [20, 10]], "z": 1}},
    )
    assert drawn.json()["ids"] == [1]
    assert client.get(f"{url}/labels/{labels['id']}/at", params={"y": 15, "x": 15, "z": 1}).json()["id"] == 1
    again = client.post(f"{url}/labels", json={"image": image})
    assert (again.status_code, "already" in again.json()["error"]["message"]) == (422, True)
    act = client.post(f"{url}/labels", json={"image": image, "name": "nuclei"}).json()["act"]
    assert client.post(f"{url}/acts/{act}/undo").status_code == 200
    assert [each["name"] for each in client.get(f"{url}/labels").json()] == ["cells"]
