"""A study with one label image, for operations."""

from __future__ import annotations

import numpy as np
import pytest

from cellmetry.core.labels import Labels
from cellmetry.study.editing.registry import parse_operation
from cellmetry.study.store.acts import Actor, act
from cellmetry.study.store.edits import apply_edit
from cellmetry.study.store.label_pixels import read_labels
from cellmetry.study.store.labels import add_labels, label_set
from cellmetry.study.store.store import open_store

ANNA = Actor("anna", "python")


class Study:
    """An open study with an image's labels."""

    def __init__(self, folder, array, axes="YX"):
        folder.mkdir(exist_ok=True)
        self.folder, self.store = folder, open_store(folder)
        with self.store.database.write() as connection:
            seq = act(self.store, ANNA, "add", "an image")
            connection.execute(
                "INSERT INTO images (id, seq, name, source, sha256, state, added_by) "
                "VALUES ('i', 1, 'a', '{}', '', 'ready', ?)",
                (seq,),
            )
            made = act(self.store, ANNA, "segment", "cells")
        self.labels_id = add_labels(self.store, made, "i", Labels(array, axes))

    def edit(self, name, *, session="", base_version=None, actor=ANNA, **parameters):
        """Apply an operation by its name and return what it changed."""
        operation = parse_operation(name, parameters)
        return apply_edit(self.store, actor, self.labels_id, operation, session=session, base_version=base_version)

    @property
    def now(self):
        return read_labels(self.store, self.labels_id).read()

    @property
    def labels(self):
        return label_set(self.store, self.labels_id)

    def reopen(self):
        self.store.close()
        self.store = open_store(self.folder)


@pytest.fixture
def open_study(tmp_path_factory):
    """Return the function that makes a study of a label array."""
    made = []

    def opened(array, axes="YX"):
        made.append(Study(tmp_path_factory.mktemp("studies") / "a.cellmetry", np.asarray(array, np.uint32), axes))
        return made[-1]

    yield opened
    for each in made:
        each.store.close()
