"""What is said of images, looked at as a design over a real server."""

from __future__ import annotations

import time

import numpy as np


def test_a_design_is_looked_at_as_it_is_said(server, tools):
    client = server.client()
    url = f"studies/{tools.new_study(client, 'Design')}"
    assert client.get(f"{url}/design/check").json() == []
    planes = {name: np.full((32, 32), k, np.uint16) for k, name in enumerate("abcdef")}
    pixels = {name: tools.tiff(plane, photometric="minisblack") for name, plane in planes.items()}
    files = [("files", (f"{name}.tif", pixels[name], "image/tiff")) for name in pixels]
    ids = [each["id"] for each in client.post(f"{url}/images", files=files).json()]
    [none] = client.get(f"{url}/design/check").json()
    assert (none["severity"], none["text"]) == ("error", "No image has a condition; say it of the images.")
    for k, image in enumerate(ids):
        said = {"condition": ("control", "drug A")[k % 2], "replicate": k // 2, "batch": ("mon", "tue")[k % 2]}
        values = {"images": [image], "values": {**said, "excluded": True if k == 5 else None}}
        assert client.patch(f"{url}/images", json=values).status_code == 200
    found = client.get(f"{url}/design/check", params={"control": "controls"}).json()
    kinds = {each["kind"] for each in found}
    assert {"confounded", "control", "excluded"} <= kinds, found
    assert found[0]["severity"] == "error"
    assert not any("study.toml" in each["text"] for each in found)


def test_the_check_knows_what_was_said_and_what_cannot_be_used(server, tools):
    client = server.client()
    url = f"studies/{tools.new_study(client, 'Design')}"
    planes = [np.full((32, 32), k, np.uint16) for k in range(5)]
    resolution = {"resolution": (20_000, 20_000), "resolutionunit": "CENTIMETER"}
    files = [
        (f"{k}.tif", tools.tiff(plane, photometric="minisblack", **(resolution if k < 2 else {})), "image/tiff")
        for k, plane in enumerate(planes)
    ]
    files += [("copy.tif", files[0][1], "image/tiff"), ("notes.tif", b"Monday: fed the cells", "image/tiff")]
    ids = [each["id"] for each in client.post(f"{url}/images", files=[("files", each) for each in files]).json()]
    for _ in range(600):
        if not client.get(f"{url}/images", params={"state": "new"}).json():
            break
        time.sleep(0.1)
    for k, image in enumerate(ids):
        said = {"condition": ["control", "drug A"][k % 2] if k < 6 else "notes", "replicate": k}
        client.patch(f"{url}/images", json={"images": [image], "values": said})

    def texts():
        return {each["kind"]: each["text"] for each in client.get(f"{url}/design/check").json()}

    assert "unknown in 3 images" in texts()["pixel"]
    assert "0 = copy" in texts()["copies"]
    assert "1 image cannot be opened: notes" in texts()["files"]
    assert not any("notes" in text for kind, text in texts().items() if kind != "files"), "no condition of its own"
    client.patch(f"{url}/images", json={"images": ids[2:5], "pixel_size_um": 0.5})
    client.patch(f"{url}/images", json={"images": ids[5:], "values": {"excluded": True, "reason": "no use"}})
    assert not {"pixel", "copies", "files"} & set(texts())
