"""Counts of a field, over a real server: the numbers of a job and of a one-shot request, and the maps."""

from __future__ import annotations

import io
from types import SimpleNamespace

import numpy as np
import pytest
import tifffile

from cellmetry.io.tile_store import encode_tile
from cellmetry.pipeline.examples import EXAMPLES, example_picture
from cellmetry.server.routes.preview import KeptPixels, keep_pixels
from cellmetry.server.routes.preview_count import CountPreviewView, map_as_tiff

NAME = "sparse"
CLASSICAL = {"engine": "classical"}


@pytest.fixture(scope="module")
def study(server, tools):
    client = server.client()
    url = f"studies/{tools.new_study(client, 'Counts')}"
    picture = ("files", (f"{NAME}.png", example_picture(NAME), "image/png"))
    image = client.post(f"{url}/images", files=[picture]).json()[0]["id"]
    tools.wait_ready(client, f"{url}/images/{image}")
    regions = [{"name": "left", "rectangle": [0, 0, 384, 256]}]
    assert client.put(f"{url}/regions", json={"image": image, "regions": regions}).status_code == 200
    return url, image


def counted(client, url, **body):
    answer = client.post(f"{url}/preview/count", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def values_of(client, url, layer, dtype):
    answer = client.get(f"{url}/{layer['pixels']}")
    assert answer.status_code == 200, answer.text
    return np.frombuffer(answer.content, dtype).reshape(layer["shape"])


def test_a_whole_plane_is_counted_as_a_job_and_a_one_shot_request_do(client, study, tools):
    pytest.importorskip("torch", reason="the network needs torch")
    url, image = study
    found = counted(client, url, image=image, outside=True)
    assert found["whole"]
    whole, left, outside = found["counts"]
    assert (whole["region"], left["region"], outside["region"]) == ("", "left", "outside")
    assert whole["n_low"] <= EXAMPLES[NAME].cells <= whole["n_high"]
    assert whole["n_instances"] == left["n_instances"] + outside["n_instances"]

    cells, density, disagreement = found["layers"]
    assert [each["kind"] for each in found["layers"]] == ["cells", "density", "disagreement"]
    assert len(np.unique(values_of(client, url, cells, "<u4"))) - 1 == whole["n_instances"]
    assert values_of(client, url, density, "<f4").sum() == pytest.approx(whole["n_density"], rel=1e-4)
    assert (disagreement["block"], disagreement["shape"]) == (64, [6, 8])

    job = client.post(f"{url}/jobs", json={"kind": "count", "parameters": {"regions": [], "outside": True}}).json()
    assert tools.wait_job(client, f"{url}/jobs/{job['id']}")["state"] == "done"
    [table] = client.get(f"{url}/tables").json()
    rows = client.post(f"{url}/tables/{table['id']}/query", json={}).json()["rows"]
    assert [{**row, "image": None} for row in rows] == [{"image": None, **row} for row in found["counts"]]

    picture = ("files", (f"{NAME}.png", example_picture(NAME), "image/png"))
    [shot] = client.post("count", files=[picture]).json()["images"]
    assert {**shot["counts"][0], "image": None} == {"image": None, **whole}


def test_a_map_is_saved_as_tiff_with_its_scale_and_name(client, study):
    pytest.importorskip("torch", reason="the network needs torch")
    url, image = study
    found = counted(client, url, image=image)
    density = found["layers"][1]
    answer = client.get(f"{url}/{density['pixels']}/tiff", params={"name": "µ_density.tif", "pixel_um": 0.5})
    assert answer.headers["content-type"] == "image/tiff"
    assert "%C2%B5_density.tif" in answer.headers["content-disposition"]
    with tifffile.TiffFile(io.BytesIO(answer.content)) as file:
        assert file.asarray().sum() == pytest.approx(found["counts"][0]["n_density"], rel=1e-4)
        across, by = file.pages[0].tags["XResolution"].value
        assert across / by == pytest.approx(20_000)
    assert client.get(f"{url}/preview/prv_0000000000000000/0/tiff").status_code == 404


def test_a_part_has_no_interval_and_only_the_regions_in_it(client, study):
    url, image = study
    found = counted(client, url, image=image, box=[0, 200, 0, 300], look=CLASSICAL)
    [part] = found["counts"]
    assert not found["whole"]
    assert part["n_low"] is None
    assert part["n_density"] is None
    assert [each["kind"] for each in found["layers"]] == ["cells"]
    inside = counted(client, url, image=image, box=[0, 384, 0, 300], look=CLASSICAL)
    assert [row["region"] for row in inside["counts"]] == ["", "left"]


def test_only_maps_are_saved_as_tiff_and_only_with_sides_that_there_are(client, study):
    url, image = study
    found = counted(client, url, image=image, box=[0, 200, 0, 300], look=CLASSICAL)
    refused = client.get(f"{url}/{found['layers'][0]['pixels']}/tiff")
    assert (refused.status_code, refused.json()["error"]["kind"]) == (422, "ParameterError")
    labels = client.post(f"{url}/preview", json={"image": image, "recipe": "any", "set": ["segment.engine=classical"]})
    refused = client.get(f"{url}/{labels.json()['seen'][0]['pixels']}/tiff")
    assert "not a map" in refused.json()["error"]["message"]
    tiny = client.get(f"{url}/{found['layers'][0]['pixels']}/tiff", params={"pixel_um": 1e-6})
    assert (tiny.status_code, "pixel_um" in tiny.text) == (422, True)


@pytest.mark.parametrize("side", [1e-4, 1e6])
def test_the_smallest_and_largest_side_can_be_written(side):
    keep_pixels(("study", "prv_1", 0), KeptPixels((2, 2), "numbers", encode_tile(np.full((2, 2), 0.5, "<f4"))))
    answer = map_as_tiff(SimpleNamespace(id="study"), "prv_1", 0, pixel_um=side)
    assert tifffile.imread(io.BytesIO(answer.body)).sum() == 2


def test_notes_of_a_count_have_the_words_of_the_app():
    said = ("give the file with --calibration, or project it with --set segment.stack=max",)
    found = CountPreviewView(id="prv_1", box=(0, 1, 0, 1), whole=True, counts=(), layers=(), warnings=said, seconds=0)
    assert found.warnings == ("give the file with “calibration”, or project it with segment.stack=max",)


def test_labels_of_the_study_are_counted_as_they_are_edited(client, study, tools):
    url, image = study
    recipe = {"recipe": "any", "set": ["segment.engine=classical"]}
    job = client.post(f"{url}/jobs", json={"kind": "segment", "parameters": recipe}).json()
    assert tools.wait_job(client, f"{url}/jobs/{job['id']}")["state"] == "done"
    [labels] = client.get(f"{url}/labels", params={"image": image}).json()
    wanted = {"image": image, "labels": "cells", "density": False}
    before = counted(client, url, **wanted)
    assert before["layers"] == []
    [first] = client.get(f"{url}/labels/{labels['id']}/objects", params={"limit": 1}).json()
    edit = {"operation": "delete", "parameters": {"ids": [first["id"]]}, "base_version": labels["version"]}
    assert client.post(f"{url}/labels/{labels['id']}/edits", json=edit).status_code == 200
    assert counted(client, url, **wanted)["counts"][0]["n"] == before["counts"][0]["n"] - 1

    refused = client.post(f"{url}/preview/count", json={**wanted, "labels": "mitochondria"})
    assert refused.status_code in {400, 422}
    assert "mitochondria" in refused.json()["error"]["message"]


def test_a_plane_of_a_stack_is_counted_alone_and_says_so(client, study, tools):
    url, _ = study
    plane = np.zeros((64, 64), np.uint16)
    stack = np.stack([plane, plane])
    for y, x in ((8, 8), (8, 40), (40, 8)):
        stack[1, y : y + 12, x : x + 12] = 1000
    file = io.BytesIO()
    tifffile.imwrite(file, stack, imagej=True, metadata={"axes": "ZYX"})
    [image] = client.post(f"{url}/images", files=[("files", ("stack.tif", file.getvalue(), "image/tiff"))]).json()
    tools.wait_ready(client, f"{url}/images/{image['id']}")
    empty, full = (counted(client, url, image=image["id"], z=z, look=CLASSICAL) for z in (0, 1))
    assert [each["counts"][0]["n"] for each in (empty, full)] == [0, 3]
    assert any("several planes" in text for text in full["warnings"])
    assert client.post(f"{url}/preview/count", json={"image": image["id"], "z": 2}).status_code in {400, 422}


def test_examples_are_small_pictures(client):
    told = client.get("examples").json()
    assert [each["name"] for each in told] == list(EXAMPLES)
    for each in told:
        answer = client.get(each["picture"])
        assert answer.headers["content-type"] == "image/png"
        assert len(answer.content) < 600_000
    assert client.get("examples/nothing").status_code == 404
