"""A study on a real server with one image that was uploaded and read, and its labels."""

from __future__ import annotations

import io
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import tifffile

from cellmetry.core.labels import Labels
from cellmetry.study.store.acts import Actor, act
from cellmetry.study.store.labels import add_labels
from cellmetry.study.store.store import join_store

SHAPE = (2, 700, 600)


@dataclass
class Made:
    """A study of a running server, and what is in it."""

    client: Any
    study: str
    folder: Any
    image: str
    labels: str
    pixels: np.ndarray
    ids: np.ndarray

    @property
    def url(self):
        return f"studies/{self.study}"

    @property
    def labels_url(self):
        return f"{self.url}/labels/{self.labels}"

    @property
    def image_url(self):
        return f"{self.url}/images/{self.image}"


def tiff(pixels, **more):
    """The bytes of a TIFF file."""
    out = io.BytesIO()
    tifffile.imwrite(out, pixels, **more)
    return out.getvalue()


def new_study(client, name="Cells"):
    answer = client.post("studies", json={"name": name})
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


def folder_of(server, client, study):
    """The folder of a study, found by its id."""
    for folder in server.home.glob("*.cellmetry"):
        store = join_store(folder)
        found = store.id == study
        store.close()
        if found:
            return folder
    raise AssertionError(study)


def wait_ready(client, url):
    """Wait until a worker has read an image; its view."""
    for _ in range(600):
        view = client.get(url).json()
        if view["state"] != "new":
            return view
        time.sleep(0.05)
    raise AssertionError(f"{url} is not read")


def wait_job(client, url):
    """Wait until a job has ended; its view."""
    for _ in range(1200):
        view = client.get(url).json()
        if view["state"] not in {"queued", "running"}:
            return view
        time.sleep(0.05)
    raise AssertionError(f"{url} does not end")


def put_labels(folder, image, ids, name="cells", axes=None):
    """Add labels to a study as a worker does."""
    store = join_store(folder)
    try:
        seq = act(store, Actor("worker", "python"), "segment", f"Segment {name}")
        return add_labels(store, seq, image, Labels(ids, axes) if axes else Labels(ids), name=name)
    finally:
        store.close()


def squares(shape=SHAPE[1:], side=40):
    """Ids of squares of `side` with gaps of 10."""
    out = np.zeros(shape, np.uint32)
    number = 0
    for y in range(5, shape[0] - side, side + 10):
        for x in range(5, shape[1] - side, side + 10):
            number += 1
            out[y : y + side, x : x + side] = number
    return out


@pytest.fixture(scope="session")
def tools():
    """The functions of this module."""
    return type("Tools", (), {name: staticmethod(each) for name, each in globals().items() if callable(each)})


@pytest.fixture(scope="module")
def made(server):
    """A study with one image that was uploaded and read, and its labels."""
    client = server.client()
    study = new_study(client)
    pixels = np.random.default_rng(1).integers(0, 4000, SHAPE, dtype=np.uint16)
    file = ("files", ("two channels.ome.tif", tiff(pixels, metadata={"axes": "CYX"}, ome=True), "image/tiff"))
    answer = client.post(f"studies/{study}/images", files=[file])
    assert answer.status_code == 201, answer.text
    image = answer.json()[0]["id"]
    view = wait_ready(client, f"studies/{study}/images/{image}")
    assert view["state"] == "ready", view
    folder = folder_of(server, client, study)
    ids = squares()
    return Made(client, study, folder, image, put_labels(folder, image, ids), pixels, ids)
