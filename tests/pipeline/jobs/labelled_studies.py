"""Studies with generated images and the labels of their objects, for tests of jobs that come after segmentation."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile

from cellmetry.core.labels import Labels
from cellmetry.errors import Cancelled
from cellmetry.pipeline.jobs.kind import JobWork
from cellmetry.pipeline.jobs.registry import parse_job
from cellmetry.pipeline.stored.registering import register_images
from cellmetry.study.store.acts import act
from cellmetry.study.store.images import images, say
from cellmetry.study.store.jobs import add_job
from cellmetry.study.store.labels import add_labels

sys.path.insert(0, str(Path(__file__).parent))
from job_studies import ANNA, CLASSICAL, do_all, new_store, squares, study_of, work_on, write_images

SIDE = 96


class Stopping:
    """A progress that stops the work after some units."""

    def __init__(self, after):
        self.left = after

    def start(self, task, total):
        pass

    def advance(self, units=1):
        self.left -= units
        if self.left < 0:
            raise Cancelled("Stopped.")


def truth(side=SIDE):
    """The labels of the squares of `job_studies.squares`."""
    out = np.zeros((side, side), np.uint32)
    number = 0
    for y in range(8, side - 16, 24):
        for x in range(8, side - 16, 24):
            number += 1
            out[y : y + 12, x : x + 12] = number
    return out


def discs(seed, side=72):
    """A noisy image of bright discs that do not overlap, and their labels."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:side, :side]
    labels = np.zeros((side, side), np.uint32)
    for _ in range(40):
        cy, cx, radius = rng.uniform(5, side - 5), rng.uniform(5, side - 5), rng.uniform(5, 8)
        away = (y - cy) ** 2 + (x - cx) ** 2
        if not labels[away <= (radius + 1.5) ** 2].any():
            labels[away <= radius**2] = labels.max() + 1
    image = 200 + 3000 * (labels > 0) + rng.normal(0, 150, labels.shape)
    return image.clip(0, 65535).astype(np.uint16), labels


def study_of_discs(folder, count):
    """A study with unlike images of discs and their labels; and the ids of these by name of the image."""
    (folder / "images").mkdir()
    for number in range(count):
        tifffile.imwrite(folder / "images" / f"f{number}.tif", discs(number)[0], photometric="minisblack")
    store = new_store(folder)
    register_images(store, ANNA, [folder / "images"])
    do_all(store)
    ids = {}
    for number, image in enumerate(images(store)):
        with store.database.write():
            seq = act(store, ANNA, "segment", f"Segment {image.name}")
            ids[image.name] = add_labels(store, seq, image.id, Labels(discs(number)[1]))
    return store, ids


def labelled_study(folder, names="abcd", side=SIDE):
    """A study whose images have labels, conditions and replicates; and the ids of these labels by name of the image."""
    store = study_of(folder, names, side)
    ids = {}
    for place, image in enumerate(images(store)):
        with store.database.write():
            seq = act(store, ANNA, "segment", f"Segment {image.name}")
            ids[image.name] = add_labels(store, seq, image.id, Labels(truth(side)))
            say(store, seq, image.id, {"condition": "ab"[place % 2], "replicate": place // 2 + 1})
    return store, ids


def do(store, kind, *, progress=None, said=None, job=None, **parameters):
    """Return the result of a job that is done in this process, and its id."""
    job_id = job or add_job(store, ANNA, kind, parameters)
    work = work_on(store, job_id, said)
    if progress is not None:
        work = JobWork(work.store, work.job_id, work.folder, work.actor, progress, work.say)
    return parse_job(kind, parameters).run(work), job_id


def stop(store, kind, after, **parameters):
    """Return the id of a job that was stopped after some images."""
    job_id = add_job(store, ANNA, kind, parameters)
    with pytest.raises(Cancelled):
        do(store, kind, progress=Stopping(after), job=job_id, **parameters)
    return job_id


def study_with_stack(folder, stack, shares=(1, 1, 1, 1)):
    """A study of two flat images and a Z stack of such squares, segmented by a job with this choice of `stack`.

    `shares` is how bright its planes are.
    """
    images_of = write_images(folder / "images", "ab")
    planes = np.stack([squares(7) * share for share in shares]).astype(np.uint16)
    tifffile.imwrite(images_of / "stack.tif", planes, imagej=True, metadata={"axes": "ZYX"})
    store = new_store(folder)
    register_images(store, ANNA, [images_of])
    do_all(store)
    do(store, "segment", recipe_text=CLASSICAL, set=(f'segment.stack="{stack}"',))
    return store
