"""Studies with generated images, for tests of jobs."""

from __future__ import annotations

import numpy as np
import tifffile

from cellmetry.pipeline.jobs.kind import JobWork
from cellmetry.pipeline.jobs.registry import parse_job
from cellmetry.pipeline.stored.registering import register_images
from cellmetry.study.store.acts import Actor
from cellmetry.study.store.jobs import jobs, set_state
from cellmetry.study.store.store import open_store

ANNA = Actor("anna", "python")
CLASSICAL = """
name = "squares"
[[steps]]
step = "segment"
engine = "classical"
[steps.options]
look = "bright"
[[steps]]
step = "measure"
"""


class Deaf:
    """A progress that never stops anything."""

    def start(self, task, total):
        pass

    def advance(self, units=1):
        pass


def squares(seed, side=96):
    """An image of bright blurry squares."""
    rng = np.random.default_rng(seed)
    pixels = rng.normal(200, 5, (side, side))
    for y in range(8, side - 16, 24):
        for x in range(8, side - 16, 24):
            pixels[y : y + 12, x : x + 12] += 800 + rng.integers(100)
    return pixels.astype(np.uint16)


def write_images(folder, names, side=96):
    """Write one TIFF for each name."""
    folder.mkdir(parents=True, exist_ok=True)
    for seed, name in enumerate(names):
        tifffile.imwrite(folder / f"{name}.tif", squares(seed, side), photometric="minisblack")
    return folder


def new_store(folder, name="a"):
    """An empty study that is open."""
    study = folder / f"{name}.cellmetry"
    study.mkdir(parents=True)
    return open_store(study)


def work_on(store, job_id, said=None):
    """What a job works with, in this process."""
    folder = store.folder / "jobs" / job_id
    folder.mkdir(parents=True, exist_ok=True)
    heard = [] if said is None else said
    return JobWork(store, job_id, folder, ANNA, Deaf(), lambda kind, text: heard.append((kind, text)))


def do_all(store):
    """Do the jobs that wait, in this process."""
    for job in jobs(store, "queued"):
        result = parse_job(job.kind, job.parameters).run(work_on(store, job.id))
        set_state(store, job.id, "done", result=result)


def study_of(folder, names, side=96):
    """A study whose images are read."""
    store = new_store(folder)
    register_images(store, ANNA, [write_images(folder / "images", names, side)])
    do_all(store)
    return store
