"""What is said of images, looked at as a design over a real server."""

from __future__ import annotations

import numpy as np


def test_a_design_is_looked_at_as_it_is_said(server, tools):
    client = server.client()
    url = f"studies/{tools.new_study(client, 'Design')}"
    assert client.get(f"{url}/design/check").json() == []
    pixels = tools.tiff(np.zeros((32, 32), np.uint16), photometric="minisblack")
    files = [("files", (f"{name}.tif", pixels, "image/tiff")) for name in "abcdef"]
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
