"""What a study on the disk costs: adding 62,500 cells in 20,000² pixels, edits, checkpoints: `python benchmarks/store.py`."""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np

from cellmetry.core.labels import Labels
from cellmetry.study.editing.drawing import Draw
from cellmetry.study.store.acts import Actor, act
from cellmetry.study.store.edits import apply_edit
from cellmetry.study.store.labels import add_labels
from cellmetry.study.store.store import open_store

CELL = 80
ME = Actor("benchmark", "python")


def cells(side: int) -> Labels:
    """Return discs of 59 pixels across, one in each square of `CELL` pixels."""
    count = side // CELL
    rows, columns = np.mgrid[:CELL, :CELL] - CELL // 2
    disc = (rows**2 + columns**2 < 900).astype(np.uint32)
    ids = np.arange(1, count * count + 1, dtype=np.uint32).reshape(count, count)
    return Labels(np.repeat(np.repeat(ids, CELL, 0), CELL, 1) * np.tile(disc, (count, count)))


def main() -> None:
    """Print seconds of the clock and of the processor for each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--side", type=int, default=20_000, help="height and width in pixels")
    parser.add_argument("--edits", type=int, default=200)
    given = parser.parse_args()
    labels, rng = cells(given.side), np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "a.cellmetry"
        folder.mkdir()
        store = open_store(folder)
        with store.database.write() as connection:
            seq = act(store, ME, "add", "an image")
            connection.execute(
                "INSERT INTO images (id, seq, name, source, sha256, state, added_by) "
                "VALUES ('i', 1, 'a', '{}', '', 'ready', ?)",
                (seq,),
            )
        begun = time.perf_counter(), time.process_time()
        labels_id = add_labels(store, seq, "i", labels)
        said(f"add_labels, {given.side}² pixels", begun)
        each = []
        for _ in range(given.edits):
            y, x = rng.uniform(0, given.side - CELL, 2)
            outline = ((y, x), (y, x + 50), (y + 50, x + 50), (y + 50, x))
            start = time.perf_counter()
            apply_edit(store, ME, labels_id, Draw(points=outline, over=True))
            each.append(time.perf_counter() - start)
        print(f"an edit: median {np.median(each) * 1000:.1f} ms, 95 % below {np.quantile(each, 0.95) * 1000:.1f} ms")
        begun = time.perf_counter(), time.process_time()
        store.close()
        said(f"checkpoint of {given.edits} edits, snapshot, close", begun)
        begun = time.perf_counter(), time.process_time()
        open_store(folder).close()
        said("open and close", begun)


def said(what: str, begun: tuple[float, float]) -> None:
    """Print how long something took."""
    print(f"{what}: {time.perf_counter() - begun[0]:.2f} s, processor {time.process_time() - begun[1]:.2f} s")


if __name__ == "__main__":
    main()
