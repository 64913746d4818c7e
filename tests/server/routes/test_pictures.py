"""Thumbnails over a real server."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image


def opened(answer):
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "image/webp"
    return np.asarray(Image.open(io.BytesIO(answer.content)).convert("RGB")).astype(int)


def test_a_thumbnail_fits_its_side_keeps_the_shape_and_may_be_kept_for_ever(made):
    answer = made.client.get(f"{made.image_url}/thumbnail", params={"side": 140})
    shown = opened(answer)
    assert shown.shape == (140, 120, 3)
    assert "immutable" in answer.headers["cache-control"]
    again = made.client.get(
        f"{made.image_url}/thumbnail", params={"side": 140}, headers={"If-None-Match": answer.headers["etag"]}
    )
    assert again.status_code == 304


def test_labels_are_drawn_and_their_edit_makes_another_picture(made, server, tools):
    labels = tools.put_labels(made.folder, made.image, made.ids, name="drawn")
    ask = {"side": 256, "labels": labels}
    plain = opened(made.client.get(f"{made.image_url}/thumbnail", params={"side": 256}))
    first = made.client.get(f"{made.image_url}/thumbnail", params=ask)
    ids = made.ids[:: 700 // 256, :: 600 // 219]
    assert np.abs(opened(first) - plain)[ids[:256, :219] > 0].mean() > 10
    body = {"operation": "delete", "parameters": {"ids": [int(i) for i in np.unique(made.ids) if i]}}
    assert made.client.post(f"{made.url}/labels/{labels}/edits", json=body).status_code == 200
    second = made.client.get(
        f"{made.image_url}/thumbnail", params=ask, headers={"If-None-Match": first.headers["etag"]}
    )
    assert np.abs(opened(second) - plain).mean() < 1


def test_labels_of_another_image_and_wrong_sides_are_refused(made, tools):
    other = tools.new_study(made.client, "Other")
    assert made.client.get(f"studies/{other}/images/{made.image}/thumbnail").status_code == 404
    assert made.client.get(f"{made.image_url}/thumbnail", params={"side": 5000}).status_code == 422
