"""Edits of a 20,000 × 20,000 label image with 50,000 cells: how long each operation takes until it is on the disk.

Run: python benchmarks/edits.py [--side 20000] [--cells 50000] [--repeats 30] [--folder FOLDER]

Each edit is one transaction: the line of the log, the pixels before and after, the changed tiles of all levels, the
boxes of the objects. The times are of `apply_edit` as the server calls it, at places all over the image; undo and redo
too. Beside the time on the clock stands that of the processor, which a busy machine does not change much. The first
line is what the disk needs for a transaction of one small row.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from skimage.draw import ellipse

from cellmetry.core.labels import Labels
from cellmetry.study.editing.registry import parse_operation
from cellmetry.study.store.acts import Actor, act
from cellmetry.study.store.edits import apply_edit, redo, undo
from cellmetry.study.store.labels import add_labels, label_set
from cellmetry.study.store.store import Store, open_store

if TYPE_CHECKING:
    from collections.abc import Callable

ME = Actor("benchmark", "python")


class Took(NamedTuple):
    """Time on the clock and of the processor, in ms."""

    clock: float
    processor: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--side", type=int, default=20_000)
    parser.add_argument("--cells", type=int, default=50_000)
    parser.add_argument("--repeats", type=int, default=30)
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args()

    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        pitch = int(given.side / np.sqrt(given.cells))
        start = time.perf_counter()
        store, labels_id = study(Path(folder) / "study.cellmetry", given.side, pitch)
        print(f"{given.side} × {given.side} pixels, {(given.side // pitch) ** 2:,} cells of about {pitch} pixels")
        print(f"stored in {time.perf_counter() - start:.0f} s, {label_set(store, labels_id).levels} levels")
        print(f"{'':24} {'median':>8}    {'slowest':>8}    {'processor':>9}")
        rows = [measure(lambda: act(store, ME, "note", "nothing")) for _ in range(given.repeats)]
        show("transaction of one row", rows)
        for name in NAMES:
            show(name, timed(store, labels_id, name, pitch, given.repeats))
        for call in (undo, redo):
            times = [measure(lambda call=call: call(store, ME, labels_id)) for _ in range(given.repeats)]
            show(call.__name__, times)
        store.close()


def study(folder: Path, side: int, pitch: int) -> tuple[Store, str]:
    """Return a store with the labels of ellipses in a grid, some of which touch."""
    one = np.zeros((pitch, pitch), bool)
    one[ellipse(pitch / 2, pitch / 2, pitch * 0.47, pitch * 0.4)] = True
    count = side // pitch
    grid = np.arange(1, count * count + 1, dtype=np.uint32).reshape(count, count)
    labels = np.zeros((side, side), np.uint32)
    labels[: count * pitch, : count * pitch] = np.kron(grid, one)
    folder.mkdir()
    store = open_store(folder)
    with store.database.write() as connection:
        seq = act(store, ME, "add", "an image")
        connection.execute(
            "INSERT INTO images (id, seq, name, source, sha256, state, added_by) "
            "VALUES ('i', 1, 'a', '{}', '', 'ready', ?)",
            (seq,),
        )
    return store, add_labels(store, seq, "i", Labels(labels))


NAMES = (
    "brush",
    "erase",
    "draw",
    "split",
    "merge",
    "watershed",
    "grow",
    "shrink",
    "delete",
    "delete_inside",
    "relabel",
)


def parameters(name: str, y: int, x: int, label: int, pitch: int) -> dict[str, object]:
    """Return the parameters of an edit of the cell whose square begins at (y, x)."""
    middle = (y + pitch / 2, x + pitch / 2)
    stroke = [(y + k, x + 2.0 * k) for k in range(0, pitch, 3)]
    lasso = [(y - 5, x - 5), (y - 5, x + 5 * pitch), (y + 5 * pitch, x + 5 * pitch), (y + 5 * pitch, x - 5)]
    made: dict[str, dict[str, object]] = {
        "brush": {"points": stroke, "radius": 8},
        "erase": {"points": stroke, "radius": 8},
        "draw": {"points": lasso, "over": True},
        "split": {"points": [(middle[0], x - 1), (middle[0], x + pitch)], "id": label},
        "merge": {"ids": [label, label + 1]},
        "watershed": {"id": label, "seeds": [middle, (middle[0] + pitch / 4, middle[1])]},
        "grow": {"ids": [label], "pixels": 5},
        "shrink": {"ids": [label], "pixels": 3},
        "delete": {"ids": [label]},
        "delete_inside": {"points": lasso, "touching": True},
        "relabel": {"id": label},
    }
    return made[name]


def timed(store: Store, labels_id: str, name: str, pitch: int, repeats: int) -> list[Took]:
    """Return how long edits at random places took; each is undone in between, without being timed."""
    rng = np.random.default_rng(0)
    count = label_set(store, labels_id).shape[0] // pitch
    times = []
    for row, column in rng.integers(1, count - 7, (repeats, 2)).tolist():
        label = row * count + column + 1
        operation = parse_operation(name, parameters(name, row * pitch, column * pitch, label, pitch))
        times.append(measure(lambda operation=operation: apply_edit(store, ME, labels_id, operation)))
        if name != NAMES[-1]:
            undo(store, ME, labels_id)
    return times


def measure(call: Callable[[], object]) -> Took:
    clock, processor = time.perf_counter(), time.process_time()
    call()
    return Took((time.perf_counter() - clock) * 1e3, (time.process_time() - processor) * 1e3)


def show(name: str, times: list[Took]) -> None:
    clock, processor = ([each[column] for each in times] for column in (0, 1))
    middle = statistics.median(processor)
    print(f"{name:24} {statistics.median(clock):8.1f} ms {max(clock):8.1f} ms {middle:9.1f} ms")


if __name__ == "__main__":
    main()
