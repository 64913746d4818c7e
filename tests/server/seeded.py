"""A study with something of every kind, on a real server, for tests that ask every route."""

from __future__ import annotations

import io
import json
import shutil
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import tifffile

from cellmetry.core.columns import Column
from cellmetry.core.image import Box
from cellmetry.core.labels import labels_from_array
from cellmetry.io.tables import write_table
from cellmetry.models.store import read_card
from cellmetry.study.rebase.questions import Question, add_question
from cellmetry.study.store.acts import Actor, act
from cellmetry.study.store.labels import add_labels
from cellmetry.study.store.models import add_model, new_model_folder
from cellmetry.study.store.results import add_result
from cellmetry.study.store.store import join_store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

WHO = Actor("t", "python")
RECIPE = """
name = "squares"
[[steps]]
step = "segment"
engine = "classical"
[steps.options]
look = "bright"
[[steps]]
step = "measure"
"""


def cells(seed: int = 0, side: int = 96) -> np.ndarray:
    """Return bright blurred squares on a noisy ground, uint16."""
    rng = np.random.default_rng(seed)
    pixels = rng.normal(200, 5, (side, side))
    for y in range(8, side - 16, 24):
        for x in range(8, side - 16, 24):
            pixels[y : y + 12, x : x + 12] += 800 + rng.integers(100)
    return pixels.astype(np.uint16)


def tiff(pixels: np.ndarray, **more: Any) -> bytes:
    """Return the bytes of a TIFF file."""
    out = io.BytesIO()
    tifffile.imwrite(out, pixels, photometric="minisblack", **more)
    return out.getvalue()


def wait_job(client: Any, url: str, seconds: int = 120) -> dict[str, Any]:
    """Wait until a job has ended; its view."""
    for _ in range(seconds * 20):
        found: dict[str, Any] = client.get(url).json()
        if found["state"] not in {"queued", "running"}:
            return found
        time.sleep(0.05)
    raise AssertionError(f"{url} does not end")


def do_job(client: Any, study: str, kind: str, **parameters: Any) -> dict[str, Any]:
    """Submit a job and wait until it is done; its view."""
    answer = client.post(f"studies/{study}/jobs", json={"kind": kind, "parameters": parameters})
    assert answer.status_code == 202, answer.text
    found = wait_job(client, f"studies/{study}/jobs/{answer.json()['id']}")
    assert found["state"] == "done", (found["error"], found["result"])
    return found


def new_study(client: Any, name: str) -> str:
    """Make an empty study; its id."""
    answer = client.post("studies", json={"name": name})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def upload(client: Any, study: str, files: dict[str, bytes]) -> list[str]:
    """Upload files and wait until they are read; ids of their images."""
    sent = [("files", (name, content)) for name, content in files.items()]
    answer = client.post(f"studies/{study}/images", files=sent)
    assert answer.status_code == 201, answer.text
    for job in client.get(f"studies/{study}/jobs").json():
        wait_job(client, f"studies/{study}/jobs/{job['id']}")
    return [each["id"] for each in answer.json()]


def seeded_study(server: Any, client: Any, tiny_models: Callable[..., Any], place: Path) -> dict[str, str]:
    """Make a study with an image, labels, a table, …; ids by the names that paths have for them."""
    study = new_study(client, "seeded")
    [image] = upload(client, study, {"a.tif": tiff(cells())})
    answer = client.post(f"studies/{study}/recipes", json={"name": "squares", "text": RECIPE})
    assert answer.status_code == 201, answer.text
    recipe = answer.json()["id"]
    job = do_job(client, study, "segment", recipe=recipe)
    [labels] = client.get(f"studies/{study}/labels").json()
    [file] = client.get(f"studies/{study}/images/{image}/originals").json()
    sent = client.post(f"studies/{study}/uploads", files={"file": ("a.tif", tiff(cells()))})
    done = client.post(
        f"studies/{study}/labels/{labels['id']}/edits", json={"operation": "delete", "parameters": {"ids": [1]}}
    )
    assert done.status_code == 200, done.text
    [folder] = server.home.glob("seeded*.cellmetry")
    return {
        "study": study,
        "image": image,
        "labels": labels["id"],
        "file": file["id"],
        "recipe_id": recipe,
        "job_id": job["id"],
        "upload": sent.json()["id"],
        "seq": str(done.json()["act"]),
        "object_id": "2",
        **_put(folder, image, tiny_models, place),
    }


def _put(folder: Path, image: str, tiny_models: Callable[..., Any], place: Path) -> dict[str, str]:
    """Put into the folder of a study what jobs make, as they do."""
    store = join_store(folder)
    made = folder / "jobs" / "job_0000000000000001"
    rows = pd.DataFrame({"label": np.arange(1, 31), "area_um2": np.linspace(0, 99.9, 30)})
    write_table(rows, made / "cells.parquet", [Column("area_um2", "um2", "Area.", "Cellmetry")])
    comparison = made / "comparison"
    (comparison / "figures").mkdir(parents=True)
    (comparison / "comparison.json").write_text(json.dumps({"estimates": []}))
    (comparison / "report.html").write_text("<p>x</p>")
    (comparison / "figures" / "effect.svg").write_text("<svg/>")
    found = {}
    for kind, path in (("table", made / "cells.parquet"), ("comparison", comparison)):
        with store.database.write():
            seq = act(store, WHO, "test", f"Add {kind}")
            found[kind] = add_result(store, seq, kind, kind, path, details={"rows": 1})
    place.mkdir(parents=True, exist_ok=True)
    tiny_models(place)
    [card] = place.glob("*.json")
    found["model_id"], weights = new_model_folder(store)
    weights.mkdir(parents=True)
    for file in place.iterdir():
        shutil.copy(file, weights)
    ids = np.zeros((96, 96), np.uint32)
    ids[10:14, 10:14] = 5
    with store.database.write():
        seq = act(store, WHO, "train", "Train a model")
        add_model(store, seq, found["model_id"], read_card(weights / card.name))
    asked = add_labels(store, seq, image, labels_from_array(ids), name="asked")
    with store.database.write():
        question = Question(0, 0, Box(8, 18, 8, 18), 5, "reshaped", ids[8:18, 8:18], ids[7:17, 8:18])
        found["question"] = add_question(store, seq, asked, question)
    store.database.close()
    found["result_id"] = found["comparison"]
    return found
