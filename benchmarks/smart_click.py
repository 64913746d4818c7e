"""Clicks on held-out cells: how well the proposed outline fits what annotators drew, and how long an answer takes.

Run: python benchmarks/smart_click.py DATA… --split SPLIT [--images 30] [--cells 8]

DATA is a folder with `images` and `labels` of the same names, called as in the split. Each cell is clicked once, at a
random point of its inner half, on a real server: where nothing is labelled yet, and where
half of the field's cells are, as when somebody adds those that a model missed. A click without an answer has IoU 0.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
from scipy.ndimage import distance_transform_edt
from skimage.draw import polygon2mask

from cellmetry.client.client import Client
from cellmetry.core.labels import Labels
from cellmetry.io.labels import read_labels
from cellmetry.learn.splits import read_split
from cellmetry.study.store.acts import Actor, act
from cellmetry.study.store.labels import add_labels
from cellmetry.study.store.store import join_store

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cellmetry.client.study import RemoteStudy

LEAST_PX = 20


class Click(NamedTuple):
    """One click: on what, how well it was answered, after which time, and when asked again."""

    data: str
    labelled: str
    iou: float
    seconds: float
    again_s: float


@contextmanager
def served(home: Path) -> Iterator[Client]:
    """Yield a client of a server of its own."""
    command = [sys.executable, "-m", "cellmetry", "serve", "--home", str(home), "--port", "0", "--no-browser"]
    process = subprocess.Popen([*command, "--root", "/"], stdout=subprocess.PIPE, text=True)
    try:
        while "serves at " not in (line := process.stdout.readline() if process.stdout else ""):
            if process.poll() is not None:
                raise RuntimeError("The server did not start.")
        url = line.split("serves at ")[1].split()[0].partition("/?")[0].rstrip("/")
        with Client(url, json.loads((home / "server.json").read_text())["token"]) as client:
            yield client
    finally:
        process.terminate()
        process.wait(60)


def point_in(mask: np.ndarray, rng: np.random.Generator) -> tuple[float, float]:
    """Return a random point of the half of a cell that is farthest from its edge."""
    depth = distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1]
    rows, columns = np.nonzero(depth >= depth.max() / 2)
    chosen = rng.integers(rows.size)
    return rows[chosen] + 0.5, columns[chosen] + 0.5


def clicks(study: RemoteStudy, place: Path, cells: int, rng: np.random.Generator) -> Iterator[Click]:
    """Yield the clicks on one field."""
    data = place.parent.parent.name
    [image] = study.upload([place])
    while study.image(image["id"])["state"] == "new":
        time.sleep(0.1)
    truth = read_labels(place.parent.parent / "labels" / f"{place.stem}.png").read()
    ids, areas = np.unique(truth[truth > 0], return_counts=True)
    rng.shuffle(ids := ids[areas >= LEAST_PX])
    wanted = ids[: max(1, min(cells, len(ids) // 2))]
    half = np.where(np.isin(truth, ids[len(ids) // 2 :]), truth, 0)
    for labelled, known in (("nothing", np.zeros_like(truth)), ("half", half)):
        labels = put(study, image["id"], known)
        for cell in wanted:
            yield Click(data, labelled, *answered(study, labels, truth == cell, rng))


def answered(study: RemoteStudy, labels: str, cell: np.ndarray, rng: np.random.Generator) -> tuple[float, float, float]:
    """Return the IoU of what a click on a cell proposes, and the seconds that it took, and took again."""
    y, x = point_in(cell, rng)
    iou, seconds = 0.0, []
    for _ in range(2):
        start = time.perf_counter()
        outline = study.propose(labels, y, x)["outline"]
        if outline is not None:
            mask = polygon2mask(cell.shape, np.array(outline) - 0.5)
            iou = float((mask & cell).sum() / (mask | cell).sum())
        seconds.append(time.perf_counter() - start)
    return iou, *seconds


def put(study: RemoteStudy, image: str, ids: np.ndarray) -> str:
    """Return the id of labels that were added to a study as a worker does it."""
    store = join_store(FOLDERS[study.id])
    try:
        seq = act(store, Actor("bench", "python"), "add", "Add labels")
        return add_labels(store, seq, image, Labels(ids.astype(np.uint32)))
    finally:
        store.close()


FOLDERS: dict[str, Path] = {}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, nargs="+")
    parser.add_argument("--split", type=Path, required=True)
    parser.add_argument("--images", type=int, default=30)
    parser.add_argument("--cells", type=int, default=8)
    args = parser.parse_args()
    rng, split, rows = np.random.default_rng(0), read_split(args.split), []
    with tempfile.TemporaryDirectory() as folder, served(Path(folder)) as client:
        for path in args.data:
            tested = {row.name for row in split.rows if row.data == path.name and row.split == "test"}
            held_out = [each for each in sorted((path / "images").iterdir()) if each.stem in tested]
            study = client.create_study(path.name)
            FOLDERS[study.id] = Path(folder) / f"{path.name}.cellmetry"
            for number in rng.permutation(len(held_out))[: args.images]:
                rows += clicks(study, held_out[number], args.cells, rng)
    report(pd.DataFrame(rows))


def report(table: pd.DataFrame) -> None:
    """Print what came of the clicks."""
    by = table.groupby(["data", "labelled"])
    shown = by["iou"].agg(["size", "median", "mean", lambda each: (each >= 0.5).mean()])
    shown.columns = ["clicks", "median IoU", "mean IoU", "share at 0.5"]
    shown["answer ms"] = by["seconds"].median() * 1000
    shown["next there ms"] = by["again_s"].median() * 1000
    print(shown.round(3).to_string())


if __name__ == "__main__":
    main()
