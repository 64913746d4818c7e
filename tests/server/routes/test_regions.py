"""Regions drawn on images, over a real server: kept, undone, counted and measured by."""

from __future__ import annotations


def rows_of(client, url, table):
    return client.get(f"{url}/tables/{table}/rows", params={"limit": 1000}).json()


def job(client, url, tools, kind, **parameters):
    made = client.post(f"{url}/jobs", json={"kind": kind, "parameters": parameters}).json()
    done = tools.wait_job(client, f"{url}/jobs/{made['id']}")
    assert done["state"] == "done", done["error"]
    return done["result"]


def test_regions_are_kept_and_come_back_when_undone(made):
    first = [{"name": "left", "rectangle": [0, 0, 700, 300]}]
    second = [{"name": "top", "polygon": [[0, 0], [0, 600], [200, 600], [200, 0]]}]
    assert made.client.put(f"{made.url}/regions", json={"image": made.image, "regions": first}).status_code == 200
    act = made.client.put(f"{made.url}/regions", json={"image": made.image, "regions": second}).json()["act"]
    found = made.client.get(f"{made.url}/regions", params={"image": made.image}).json()
    assert [each["name"] for each in found] == ["top"]
    assert found[0]["polygon"][2] == [200, 600]
    assert made.client.post(f"{made.url}/acts/{act}/undo").status_code == 200
    [left] = made.client.get(f"{made.url}/regions").json()
    assert (left["name"], left["rectangle"], left["image"]) == ("left", [0, 0, 700, 300], made.image)


def test_cells_are_measured_and_counted_by_regions(made, tools):
    regions = [{"name": "left", "rectangle": [0, 0, 700, 300]}, {"name": "top", "rectangle": [0, 0, 350, 600]}]
    made.client.put(f"{made.url}/regions", json={"image": made.image, "regions": regions})
    result = job(made.client, made.url, tools, "measure", regions=[])
    columns = made.client.get(f"{made.url}/tables/{result['table']}").json()["columns"]
    assert "region" in {each["name"] for each in columns}
    told = rows_of(made.client, made.url, result["table"])["rows"]
    at = [(row["centroid_y_px"] + 0.5, row["centroid_x_px"] + 0.5, row["region"] or "") for row in told]
    assert all(("left" in region) == (x < 300) and ("top" in region) == (y < 350) for y, x, region in at)
    counted = job(made.client, made.url, tools, "count", labels="cells", density=False, regions=["left"])
    rows = rows_of(made.client, made.url, counted["table"])["rows"]
    [left] = [row for row in rows if row["region"] == "left"]
    assert left["n_instances"] == sum(x < 300 for _, x, _ in at)


def test_wrong_regions_are_refused_in_words(made, tools):
    def put(*regions):
        return made.client.put(f"{made.url}/regions", json={"image": made.image, "regions": list(regions)})

    assert put({"name": "a"}).status_code == 422
    assert "polygon" in put({"name": "a"}).json()["error"]["message"]
    one = {"name": "a", "rectangle": [0, 0, 9, 9]}
    assert "own name" in put(one, one).json()["error"]["message"]
    made_job = made.client.post(
        f"{made.url}/jobs", json={"kind": "count", "parameters": {"labels": "cells", "regions": ["nowhere"]}}
    ).json()
    ended = tools.wait_job(made.client, f"{made.url}/jobs/{made_job['id']}")
    assert ended["state"] == "failed"
    assert "nowhere" in ended["error"]
