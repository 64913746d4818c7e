"""Tiles over a real server: the values, the encodings, the caching, versions of labels, addresses of no tile."""

from __future__ import annotations

import gzip
import time

import numpy as np
import pytest
from numcodecs.zstd import Zstd

from cellmetry.server.tiles.encoding import encoding_for


def values(answer, shape, dtype):
    """The values of an answer whose encoding the client has undone."""
    assert answer.status_code == 200, answer.text
    return np.frombuffer(answer.content, dtype).reshape(shape)


def plain(made, path, **headers):
    return made.client.get(path, headers={"Accept-Encoding": "identity", **headers})


def whole(made, version=None):
    """Ids of the plane put together of its tiles."""
    out = np.zeros((1024, 1024), np.uint32)
    query = "" if version is None else f"?version={version}"
    for y in range(2):
        for x in range(2):
            answer = plain(made, f"{made.labels_url}/tiles/0/0/0/{y}/{x}{query}")
            if answer.status_code != 204:
                out[y * 512 : y * 512 + 512, x * 512 : x * 512 + 512] = values(answer, (512, 512), "<u4")
    return out[:700, :600]


def test_tiles_of_an_image_are_its_pixels(made):
    said = made.client.get(f"{made.image_url}/tiles").json()
    assert (said["dtype"], said["c"], said["t"], said["z"]) == ("uint16", 2, 1, 1)
    assert said["levels"][0] == {"shape": [700, 600], "tile": [512, 512], "tiles": [2, 2]}
    for channel in range(2):
        out = np.zeros((1024, 1024), np.uint16)
        for y in range(2):
            for x in range(2):
                tile = values(plain(made, f"{made.image_url}/tiles/0/0/{channel}/0/{y}/{x}"), (512, 512), "<u2")
                out[y * 512 : y * 512 + 512, x * 512 : x * 512 + 512] = tile
        assert np.array_equal(out[:700, :600], made.pixels[channel])
    assert len(said["levels"]) == 2
    shape = said["levels"][1]["tile"]
    coarse = values(plain(made, f"{made.image_url}/tiles/1/0/0/0/0/0"), shape, "<u2")
    means = made.pixels[0].reshape(350, 2, 300, 2).mean(axis=(1, 3))
    assert np.abs(coarse[:350, :300] - means).max() <= 1


def test_who_is_far_gets_gzip_rather_than_plain_tiles():
    assert encoding_for(b"gzip, deflate") == "gzip"
    assert encoding_for(b"gzip, deflate", near=True) == "identity"


@pytest.mark.parametrize(
    ("accepted", "sent"),
    [
        ("zstd", "zstd"),
        ("gzip, deflate, br, zstd", "zstd"),
        ("gzip, deflate", None),  # on this computer packing costs more than it saves
        ("gzip, identity;q=0", "gzip"),
        ("zstd;q=0, gzip;q=0.5, *;q=0", "gzip"),
        ("*", "zstd"),
        ("identity", None),
        ("br", None),
        ("gzip;q=no", None),
    ],
)
@pytest.mark.parametrize("kind", ["image", "labels"])
def test_the_encoding_is_one_that_the_client_takes(made, accepted, sent, kind):
    path = f"{made.image_url}/tiles/0/0/1/0/0/0" if kind == "image" else f"{made.labels_url}/tiles/0/0/0/0/0"
    with made.client.stream("GET", path, headers={"Accept-Encoding": accepted}) as answer:
        raw = b"".join(answer.iter_raw())
    assert answer.headers.get("content-encoding") == sent
    assert answer.headers["vary"] == "Accept-Encoding"
    assert int(answer.headers["content-length"]) == len(raw)
    body = {"zstd": lambda data: bytes(Zstd().decode(data)), "gzip": gzip.decompress, None: bytes}[sent](raw)
    truth = made.pixels[1] if kind == "image" else made.ids
    tile = np.frombuffer(body, "<u2" if kind == "image" else "<u4").reshape(512, 512)
    assert np.array_equal(tile, truth[:512, :512])


def test_tiles_are_cached_by_their_tags(made):
    path = f"{made.image_url}/tiles/0/0/0/0/0/0"
    first = made.client.get(path)
    assert "immutable" in first.headers["cache-control"]
    assert "private" in first.headers["cache-control"]
    again = made.client.get(path, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    other = made.client.get(path, headers={"If-None-Match": first.headers["etag"], "Accept-Encoding": "zstd"})
    assert other.status_code == 200


@pytest.mark.parametrize("lost", ["0/c/1/0/1", "zarr.json"])
def test_a_lost_tile_of_an_image_is_never_shown_as_black(made, tools, lost):
    data = tools.tiff(made.pixels, metadata={"axes": "CYX"}, ome=True)
    image = made.client.post(f"{made.url}/images", files=[("files", ("lost.ome.tif", data))]).json()[0]["id"]
    path = f"{made.url}/images/{image}/tiles/0/0/1/0/0/1"
    assert tools.wait_ready(made.client, f"{made.url}/images/{image}")["state"] == "ready"
    (made.folder / "pyramids" / f"{image}.ome.zarr" / lost).unlink()
    answer = made.client.get(path)
    assert answer.status_code == 422
    assert answer.json()["error"]["kind"] == "DamagedFile"
    assert str(made.folder.parent) not in answer.text
    job = made.client.post(f"{made.url}/jobs", json={"kind": "read", "parameters": {"images": [image]}})
    assert job.status_code == 202
    for _ in range(600):
        if (answer := made.client.get(path)).status_code == 200:
            break
        time.sleep(0.05)
    assert np.array_equal(values(plain(made, path), (512, 512), "<u2")[:512, :88], made.pixels[1, :512, 512:])


def test_label_tiles_follow_edits_and_keep_their_versions(made):
    url = made.labels_url
    start = made.client.get(url).json()["version"]
    before = whole(made)
    answers = []
    for points in ([[500, 500], [500, 560], [560, 560], [560, 500]], [[505, 505], [505, 530], [690, 515]]):
        body = {"operation": "draw", "parameters": {"points": points, "over": True}}
        answers.append(made.client.post(f"{url}/edits", json=body).json())
    now = whole(made)
    assert not np.array_equal(now, before)
    assert [each["version"] for each in answers] == [start + 1, start + 2]
    assert np.array_equal(whole(made, start), before)
    assert np.array_equal(whole(made, start + 2), now)
    middle = whole(made, start + 1)
    assert np.array_equal(middle[:500], now[:500])
    assert not np.array_equal(middle, now)
    assert not np.array_equal(middle, before)
    coarse = values(plain(made, f"{url}/tiles/1/0/0/0/0?version={start + 1}"), (350, 300), "<u4")
    assert np.array_equal(coarse, middle[::2, ::2])
    epoch = made.client.get(f"{url}/tiles").json()["epoch"]
    asked = plain(made, f"{url}/tiles/0/0/0/0/0?version={start}&epoch={epoch}")
    assert "immutable" in asked.headers["cache-control"]
    for other in (f"version={start}", f"version={start}&epoch={'0' * 8}"):
        guessed = plain(made, f"{url}/tiles/0/0/0/0/0?{other}")
        assert "no-cache" in guessed.headers["cache-control"]
        assert (guessed.content, guessed.headers["etag"]) == (asked.content, asked.headers["etag"])
    newest = plain(made, f"{url}/tiles/0/0/0/0/0")
    assert newest.headers["x-cellmetry-version"] == str(start + 2)
    assert "no-cache" in newest.headers["cache-control"]
    assert newest.headers["etag"] != asked.headers["etag"]
    restored = made.client.post(f"{url}/versions/{start}/restore", json={}).json()
    assert restored["version"] == start + 3
    assert np.array_equal(whole(made), before)
    made.client.post(f"{url}/undo", json={})
    assert np.array_equal(whole(made), now)


def test_a_tile_without_objects_has_no_content(made, tools):
    ids = np.zeros((700, 600), np.uint32)
    ids[3:9, 3:9] = 70_000
    labels = tools.put_labels(made.folder, made.image, ids, name="few")
    assert made.client.get(f"{made.url}/labels/{labels}/tiles/0/0/0/1/1").status_code == 204
    tile = values(plain(made, f"{made.url}/labels/{labels}/tiles/0/0/0/0/0"), (512, 512), "<u4")
    assert tile.max() == 70_000


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("{image}/tiles/0/0/0/0/2/0", 422),
        ("{image}/tiles/7/0/0/0/0/0", 422),
        ("{image}/tiles/0/1/0/0/0/0", 422),
        ("{image}/tiles/0/0/2/0/0/0", 422),
        ("{image}/tiles/0/0/0/1/0/0", 422),
        ("{image}/tiles/0/0/0/0/-1/0", 422),
        ("{image}/tiles/0/0/0/0/1.5/0", 422),
        ("{image}/tiles/0/0/0/0/99999999999999999999/0", 422),
        ("{image}/tiles/0/0/0/0/NaN/0", 422),
        ("{image}/tiles/0/0/0/0/%2e%2e/0", 422),
        ("{image}/tiles/0/0/0/0/0", 404),
        ("{image}/tiles/0/0/0/0/..%2f..%2fstudy.sqlite/0", 404),
        ("{labels}/tiles/0/0/0/9/0", 422),
        ("{labels}/tiles/0/0/1/0/0", 422),
        ("{labels}/tiles/9/0/0/0/0", 422),
        ("{labels}/tiles/0/0/0/0/0?version=999", 422),
        ("{labels}/tiles/0/0/0/0/0?version=-1", 422),
        ("{labels}/tiles/0/0/0/0/0?version=99999999999999999999999", 422),
        ("{labels}/tiles/0/0/0/0/0?version=x", 422),
        ("{labels}/tiles/0/0/0/0/0?version=0&epoch=x", 422),
        ("{url}/images/img_0000000000000000/tiles/0/0/0/0/0/0", 404),
        ("{url}/images/img_0000000000000000/tiles", 404),
        ("{url}/labels/lbl_0000000000000000/tiles/0/0/0/0/0", 404),
        ("studies/study_0000000000000000/images/img_0000000000000000/tiles/0/0/0/0/0/0", 404),
    ],
)
def test_an_address_of_no_tile_is_refused_with_a_sentence(made, path, status):
    answer = made.client.get(path.format(image=made.image_url, labels=made.labels_url, url=made.url))
    assert answer.status_code == status, answer.text
    assert answer.json()["error"]["message"]


def test_a_stranger_gets_no_tile(made, server):
    answer = server.stranger().get(f"/api/v1/{made.image_url}/tiles/0/0/0/0/0/0")
    assert answer.status_code == 401
    assert answer.json()["error"]["kind"] == "NotSignedIn"


def test_every_plane_of_five_dimensions_has_its_address(made, tools):
    pixels = np.random.default_rng(2).integers(0, 255, (2, 3, 4, 40, 50), dtype=np.uint8)
    ids = np.zeros((2, 4, 40, 50), np.uint32)
    ids[:, :, 5:9, 5:9] = np.arange(1, 9).reshape(2, 4, 1, 1)
    data = tools.tiff(pixels, metadata={"axes": "TCZYX"}, ome=True)
    image = made.client.post(f"{made.url}/images", files=[("files", ("five.ome.tif", data))]).json()[0]["id"]
    assert tools.wait_ready(made.client, f"{made.url}/images/{image}")["state"] == "ready"
    labels = tools.put_labels(made.folder, image, ids, axes="TZYX")
    said = made.client.get(f"{made.url}/images/{image}/tiles").json()
    assert [said[axis] for axis in "tcz"] == [2, 3, 4]
    for t, c, z in np.ndindex(2, 3, 4):
        answer = plain(made, f"{made.url}/images/{image}/tiles/0/{t}/{c}/{z}/0/0")
        assert np.array_equal(values(answer, (40, 50), "u1"), pixels[t, c, z])
    for t, z in np.ndindex(2, 4):
        answer = plain(made, f"{made.url}/labels/{labels}/tiles/0/{t}/{z}/0/0")
        assert np.array_equal(values(answer, (40, 50), "<u4"), ids[t, z])
    body = {"operation": "delete", "parameters": {"ids": [6], "t": 1, "z": 1}}
    assert made.client.post(f"{made.url}/labels/{labels}/edits", json=body).json()["version"] == 1
    assert plain(made, f"{made.url}/labels/{labels}/tiles/0/1/1/0/0?version=0").status_code == 200
    now = values(plain(made, f"{made.url}/labels/{labels}/tiles/0/1/2/0/0?version=1"), (40, 50), "<u4")
    assert now.max() == 7
