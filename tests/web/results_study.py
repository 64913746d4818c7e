"""A study with known cells: six images of two conditions and three replicates, segmented; made over the REST API."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

CONDITIONS = ("control", "treated")
REPLICATES = ("day 1", "day 2", "day 3")


def cells_image(brightness: float, *, side: int = 256, across: int = 7, seed: int = 0) -> np.ndarray:
    """Return bright discs in rows and columns on a dark ground."""
    rng = np.random.default_rng(seed)
    plane = rng.normal(100, 6, (side, side))
    step = side / across
    ys, xs = np.mgrid[:side, :side]
    for row in range(across):
        for column in range(across):
            cy, cx = (row + 0.5) * step + rng.uniform(-3, 3), (column + 0.5) * step + rng.uniform(-3, 3)
            inside = (ys - cy) ** 2 + (xs - cx) ** 2 < rng.uniform(7, 12) ** 2
            plane[inside] += brightness * rng.uniform(0.7, 1.3)
    return plane.clip(0, 65535).astype(np.uint16)


def segmented_study(api: Any, tiff: Any, *, name: str = "EdU", side: int = 256, across: int = 7) -> str:
    """Return the id of a study of segmented images whose conditions and replicates are said."""
    study = api.post("studies", json={"name": name}).json()["id"]
    designs = [(condition, replicate) for condition in CONDITIONS for replicate in REPLICATES]
    files = []
    for k, (condition, replicate) in enumerate(designs):
        brightness = (800 if condition == "control" else 1300) * (1 + 0.05 * (k % 3))
        pixels = cells_image(brightness, side=side, across=across, seed=k)
        files.append(("files", (f"{condition}_{replicate[-1]}.tif", tiff(pixels, um=0.5))))
    added = api.post(f"studies/{study}/images", files=files)
    assert added.status_code in {200, 201, 202}, added.text
    wait_for_jobs(api, study)
    for image, (condition, replicate) in zip(images_of(api, study), designs, strict=True):
        said = {"images": [image["id"]], "values": {"condition": condition, "replicate": replicate}}
        assert api.patch(f"studies/{study}/images", json=said).status_code == 200
    run_job(api, study, "segment", {"recipe": "any", "set": ['segment.engine="classical"']})
    return study


def images_of(api: Any, study: str) -> list[dict[str, Any]]:
    """Return the images of a study in the order in which they were added."""
    found = api.get(f"studies/{study}/images", params={"sort": "seq", "limit": 1000}).json()
    return list(found)


def run_job(api: Any, study: str, kind: str, parameters: dict[str, Any]) -> dict[str, Any]:
    """Return a job that was done."""
    job = api.post(f"studies/{study}/jobs", json={"kind": kind, "parameters": parameters})
    assert job.status_code == 202, job.text
    wait_for_jobs(api, study)
    done = api.get(f"studies/{study}/jobs/{job.json()['id']}").json()
    assert done["state"] == "done", done
    return dict(done)


def wait_for_jobs(api: Any, study: str) -> None:
    """Return when every job of a study has ended."""
    for _ in range(600):
        jobs = api.get(f"studies/{study}/jobs", params={"limit": 1000}).json()
        if all(job["state"] not in {"queued", "running", "stopping"} for job in jobs):
            return
        time.sleep(0.1)
    raise AssertionError("The jobs do not end.")
