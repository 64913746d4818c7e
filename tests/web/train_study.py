"""A study of small fields with cells, some of which were corrected by hand, for the step Train."""

from __future__ import annotations

import io
import time
from typing import Any, NamedTuple

import numpy as np
import tifffile

from cellmetry.core.labels import labels_from_array
from cellmetry.ops.synthetic import FieldOptions, make_cells
from cellmetry.study.store.acts import Actor, act
from cellmetry.study.store.labels import add_labels
from cellmetry.study.store.store import join_store

SIDE, CELLS = 128, 9


class TrainStudy(NamedTuple):
    """A study: its id, ids of its images in order, and the middle of the cell that was deleted in each of them."""

    id: str
    images: list[str]
    deleted: list[tuple[int, int] | None]


def make_study(server: Any, client: Any, name: str, *, fields: int, corrected: int) -> TrainStudy:
    """Make a study; in each of the first fields a cell was deleted by hand."""
    study = str(client.post("studies", json={"name": name}).json()["id"])
    made = [make_cells((SIDE, SIDE), CELLS, FieldOptions(diameter_px=18), seed=seed) for seed in range(fields)]
    sent = [("files", (f"field_{k}.tif", _tiff(each.image[0]))) for k, each in enumerate(made)]
    answer = client.post(f"studies/{study}/images", files=sent)
    assert answer.status_code == 201, answer.text
    images = [each["id"] for each in sorted(answer.json(), key=lambda each: each["name"])]
    for _ in range(600):
        if all(each["state"] == "ready" for each in client.get(f"studies/{study}/images").json()):
            break
        time.sleep(0.05)
    labels = _add(server, name, {image: np.asarray(each.labels) for image, each in zip(images, made, strict=True)})
    deleted: list[tuple[int, int] | None] = [None] * fields
    for k in range(corrected):
        found = client.post(
            f"studies/{study}/labels/{labels[images[k]]}/edits",
            json={"operation": "delete", "parameters": {"ids": [5]}},
        )
        assert found.status_code == 200, found.text
        y, x = (int(np.median(axis)) for axis in np.nonzero(made[k].labels == 5))
        deleted[k] = (y, x)
    return TrainStudy(study, images, deleted)


def _tiff(plane: Any) -> bytes:
    out = io.BytesIO()
    tifffile.imwrite(out, np.asarray(plane).astype(np.uint16), photometric="minisblack")
    return out.getvalue()


def _add(server: Any, name: str, found: dict[str, Any]) -> dict[str, str]:
    [folder] = server.home.glob(f"{name}*.cellmetry")
    store = join_store(folder)
    with store.database.write():
        seq = act(store, Actor("t", "python"), "test", "Add labels")
        ids = {
            image: add_labels(store, seq, image, labels_from_array(labels.astype(np.uint32), "YX"), name="cells")
            for image, labels in found.items()
        }
    store.database.close()
    return ids
