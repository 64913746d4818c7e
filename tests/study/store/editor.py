"""A program that edits a study without pause and says which edits are saved, to be killed.

``python editor.py FOLDER LABELS SEED`` prints a line ``saved VERSION HASH`` after each edit that was answered.
"""

from __future__ import annotations

import sys

import numpy as np

from cellmetry.core.labels import labels_hash
from cellmetry.errors import ParameterError
from cellmetry.study.editing.drawing import Draw
from cellmetry.study.store.acts import Actor
from cellmetry.study.store.checkpoints import make_checkpoint
from cellmetry.study.store.edits import apply_edit, undo
from cellmetry.study.store.label_pixels import read_labels
from cellmetry.study.store.store import open_store

ME = Actor("editor", "python")


def main(folder: str, labels: str, seed: int) -> None:
    """Edit for ever; now and then make a checkpoint or a snapshot."""
    rng = np.random.default_rng(seed)
    store = open_store(folder)
    sys.stdout.write("open\n")
    sys.stdout.flush()
    while True:
        choice = int(rng.integers(8))
        if choice == 0:
            make_checkpoint(store.database, store.folder, labels)
        elif choice == 1:
            store.snapshot()
        else:
            y, x = map(float, rng.integers(0, 120, 2))
            try:
                done = (
                    undo(store, ME, labels)
                    if choice == 2
                    else apply_edit(
                        store, ME, labels, Draw(points=((y, x), (y, x + 9), (y + 9, x + 9), (y + 9, x)), over=True)
                    )
                )
            except ParameterError:
                continue
            sys.stdout.write(f"saved {done.version} {labels_hash(read_labels(store, labels))}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
