"""Tiles that lie on the disk are found at once, those for which edits are taken back are not."""

from __future__ import annotations

import numpy as np

from cellmetry.core.labels import Labels
from cellmetry.server.tiles.finding import TileRequest, find_at_once, find_tile
from cellmetry.study.editing.objects import Delete
from cellmetry.study.store.acts import Actor, act
from cellmetry.study.store.checkpoints import make_checkpoint
from cellmetry.study.store.edits import apply_edit, undo
from cellmetry.study.store.images import add_image
from cellmetry.study.store.labels import add_labels
from cellmetry.study.store.store import open_store

ANNA = Actor("anna", "python")


def test_tags_and_ways_of_tiles(tmp_path):
    ids = np.zeros((64, 1100), np.uint32)
    ids[5:9, 5:9], ids[5:9, 600:609] = 1, 2
    (tmp_path / "a.cellmetry").mkdir()
    with open_store(tmp_path / "a.cellmetry") as store:
        with store.database.write():
            seq = act(store, ANNA, "add", "an image")
            image = add_image(store, seq, "a", {"files": []}, "0" * 64)
        labels = add_labels(store, seq, image, Labels(ids))

        def asked(column, version=None):
            return TileRequest(store.id, "labels", labels, (0, 0, 0, 0, column), version)

        first = [find_at_once(store, asked(column)) for column in (0, 1, 2)]
        assert len({each.tag for each in first}) == 3
        apply_edit(store, ANNA, labels, Delete(ids=(1,)))
        changed = find_at_once(store, asked(0))
        assert changed.tag != first[0].tag
        assert find_at_once(store, asked(1)).tag == first[1].tag
        assert make_checkpoint(store.database, store.folder, labels)
        assert [find_at_once(store, asked(column)).tag for column in (0, 1, 2)] == [
            changed.tag,
            *(each.tag for each in first[1:]),
        ]
        assert find_at_once(store, asked(0, 1)).for_ever
        assert find_at_once(store, asked(0, 0)) is None
        old = find_tile(store, asked(0, 0))
        assert (old.frame, old.for_ever) == (first[0].frame, True)
        assert find_at_once(store, asked(0, 0)) == old  # kept, as it can never be another
        undo(store, ANNA, labels)
        assert find_at_once(store, asked(0)).tag == first[0].tag
