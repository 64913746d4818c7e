"""A small study with labels, made for tests of the store."""

from __future__ import annotations

import numpy as np

from cellmetry.core.labels import Labels
from cellmetry.study.store.acts import Actor, act
from cellmetry.study.store.labels import add_labels
from cellmetry.study.store.originals import add_original
from cellmetry.study.store.store import open_store

ANNA = Actor("anna", "python")


def squares(shape=(600, 1100), side=40):
    """Return labels of squares of `side` pixels with gaps of 10."""
    out = np.zeros(shape, np.uint32)
    number = 0
    for y in range(5, shape[0] - side, side + 10):
        for x in range(5, shape[1] - side, side + 10):
            number += 1
            out[y : y + side, x : x + side] = number
    return out


def new_study(tmp_path, labels=None):
    """Return an open study of one original and its labels, and the id of those."""
    folder = tmp_path / "a.cellmetry"
    folder.mkdir()
    (tmp_path / "a.tif").write_bytes(b"the pixels of an image")
    store = open_store(folder)
    with store.database.write() as connection:
        seq = act(store, ANNA, "add", "an image")
        file = add_original(store, seq, tmp_path / "a.tif", "a.tif")
        connection.execute(
            "INSERT INTO images (id, seq, name, source, sha256, state, added_by) "
            "VALUES ('img_1', 1, 'a', ?, '', 'ready', ?)",
            (f'{{"files": ["{file}"]}}', seq),
        )
        made = act(store, ANNA, "segment", "cells")
    return store, add_labels(store, made, "img_1", Labels(squares() if labels is None else labels))
