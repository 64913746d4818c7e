"""Cells proposed at a point, over a real server."""

from __future__ import annotations

import numpy as np
import pytest

from cellmetry.ops.flows import FlowDecoding, flow_targets
from cellmetry.ops.proposing import propose_cell
from cellmetry.ops.synthetic import FieldOptions, make_cells


@pytest.fixture(scope="module")
def study(server, tools):
    """A study with one generated field, whose cells but the last ten are labelled."""
    client = server.client()
    made = tools.new_study(client, "Proposals")
    url = f"studies/{made}"
    field = make_cells((256, 256), 12, FieldOptions(touching=0.0), seed=3)
    pixels = tools.tiff(field.image[1], photometric="minisblack")
    answer = client.post(f"{url}/images", files=[("files", ("a.tif", pixels, "image/tiff"))])
    image = answer.json()[0]["id"]
    assert tools.wait_ready(client, f"{url}/images/{image}")["state"] == "ready"
    known = np.where(field.labels <= 6, field.labels, 0).astype(np.uint32)
    return url, tools.put_labels(tools.folder_of(server, client, made), image, known), field.labels


def middle(mask):
    rows, columns = np.nonzero(mask)
    return {"y": float(np.median(rows)) + 0.5, "x": float(np.median(columns)) + 0.5}


def test_a_cell_is_proposed_and_drawing_it_gives_its_pixels(client, study):
    url, labels, truth = study
    answer = client.post(f"{url}/labels/{labels}/propose", json=middle(truth == 9))
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert 0.3 < found["score"] <= 1
    body = {"operation": "draw", "parameters": {"points": found["outline"]}}
    drawn = client.post(f"{url}/labels/{labels}/edits", json=body).json()
    [number] = drawn["ids"]
    view = client.get(f"{url}/labels/{labels}/objects/{number}").json()
    assert view["area_px"] == found["area_px"]
    tile = client.get(f"{url}/labels/{labels}/tiles/0/0/0/0/0", headers={"Accept-Encoding": "identity"})
    mask = np.frombuffer(tile.content, "<u4").reshape(256, 256) == number
    assert (mask & (truth == 9)).sum() / (mask | (truth == 9)).sum() > 0.7
    again = client.post(f"{url}/labels/{labels}/propose", json=middle(truth == 9))
    assert again.status_code == 200
    assert again.json()["outline"] is None
    assert "already" in again.json()["reason"]


def test_a_huge_object_that_was_undone_leaves_no_trace(server, client, study, tools):
    url, labels, truth = study
    image = client.get(f"{url}/labels/{labels}").json()["image"]
    known = np.where(truth <= 6, truth, 0).astype(np.uint32)
    folder = tools.folder_of(server, client, url.split("/")[1])
    [clean, other] = [tools.put_labels(folder, image, known, name=name) for name in ("clean", "other")]
    corners = [[0, 0], [0, 256], [256, 256], [256, 0]]
    client.post(f"{url}/labels/{other}/edits", json={"operation": "draw", "parameters": {"points": corners}})
    client.post(f"{url}/labels/{other}/propose", json={"y": 1, "x": 1})
    assert client.post(f"{url}/labels/{other}/undo", json={}).status_code == 200
    expected, found = (
        client.post(f"{url}/labels/{each}/propose", json=middle(truth == 9)).json() for each in (clean, other)
    )
    assert found["outline"] == expected["outline"] is not None


def test_nothing_is_proposed_on_the_ground_or_outside(client, study):
    url, labels, truth = study
    rows, columns = np.nonzero(truth == 0)
    far = max(zip(rows, columns, strict=True), key=lambda at: distance(truth, at))
    empty = client.post(f"{url}/labels/{labels}/propose", json={"y": float(far[0]), "x": float(far[1]), "radius": 1})
    assert (empty.status_code, empty.json()["outline"]) == (200, None), empty.text
    assert "no cell" in empty.json()["reason"]
    assert client.post(f"{url}/labels/{labels}/propose", json={"y": 999, "x": 2}).status_code == 422


def distance(truth, at):
    rows, columns = np.nonzero(truth)
    return ((rows - at[0]) ** 2 + (columns - at[1]) ** 2).min()


def test_a_cell_keeps_off_labels_that_are_there():
    ids = np.zeros((80, 80), np.int32)
    ids[20:50, 20:40], ids[20:50, 40:60] = 1, 2
    maps = {"foreground": (ids > 0).astype(np.float32)[None], "flow": flow_targets(ids)}
    taken = ids == 1
    taken[20:24, 40:60] = True
    found = propose_cell(maps, (40, 50), taken, FlowDecoding())
    assert found is not None
    assert np.array_equal(found.mask, (ids == 2) & ~taken)
    assert propose_cell(maps, (70, 70), taken, FlowDecoding()) is None
