"""Tiles of labels at any version, made of the nearest version that is kept."""

from __future__ import annotations

import numpy as np
import pytest

from cellmetry.errors import DamagedFile
from cellmetry.io.tile_store import decode_tile
from cellmetry.study.editing.drawing import Draw
from cellmetry.study.editing.objects import Delete
from cellmetry.study.store.checkpoints import make_checkpoint
from cellmetry.study.store.edits import apply_edit, undo
from cellmetry.study.store.labels import Tile, label_set, read_labels
from cellmetry.study.store.tile_states import tile_at, tile_now

from .made_study import ANNA, new_study

SHAPE = (600, 1100)
TILES = [(0, y, x) for y in range(2) for x in range(3)] + [(1, 0, x) for x in range(2)] + [(2, 0, 0)]


def square(y, x, side=60):
    return Draw(points=((y, x), (y, x + side), (y + side, x + side), (y + side, x)), over=True)


def of_plane(plane, place):
    level, y, x = place
    return plane[:: 1 << level, :: 1 << level][512 * y : 512 * y + 512, 512 * x : 512 * x + 512]


def read_at(store, labels, place, version):
    """The ids of a tile at a version, without what it is filled up with."""
    level, y, x = place
    state = tile_at(store, label_set(store, labels), Tile(level, 0, 0, y, x), version)
    plane = of_plane(np.zeros(SHAPE, np.uint32), place)
    shape = tuple(min(512, -(-side // (1 << level))) for side in SHAPE)
    if state.frame is None:
        return plane
    return decode_tile(state.frame, shape, np.dtype("<u4"), "a tile")[: plane.shape[0], : plane.shape[1]]


@pytest.fixture
def edited(tmp_path):
    """A study whose labels were edited with a checkpoint between, and the whole labels of each version."""
    store, labels = new_study(tmp_path)
    states = [read_labels(store, labels).read()]
    for step in (square(480, 480), Delete(ids=(1, 2)), None, square(20, 900), "undo", square(470, 1000)):
        if step is None:
            assert make_checkpoint(store.database, store.folder, labels)
            continue
        undo(store, ANNA, labels) if step == "undo" else apply_edit(store, ANNA, labels, step)
        states.append(read_labels(store, labels).read())
    yield store, labels, states
    store.close()


def damage_log(store):
    with store.database.write() as connection:
        connection.execute("UPDATE patches SET before = x'00', after = x'00'")


def test_every_tile_of_every_version_is_what_it_was(edited):
    store, labels, states = edited
    for version, plane in enumerate(states):
        for place in TILES:
            assert np.array_equal(read_at(store, labels, place, version), of_plane(plane, place)), (version, place)


def test_what_lies_on_the_disk_is_read_without_the_log(edited):
    store, labels, states = edited
    damage_log(store)
    for version in (0, 2, len(states) - 1):
        for place in TILES:
            assert np.array_equal(read_at(store, labels, place, version), of_plane(states[version], place))
    with pytest.raises(DamagedFile):
        read_at(store, labels, (0, 0, 0), 1)


def test_a_damaged_checkpoint_is_made_good_by_the_log(edited):
    store, labels, states = edited
    tile = store.folder / label_set(store, labels).first_checkpoint / "0/c/0/0"
    for damage in (lambda: tile.write_bytes(tile.read_bytes()[:9]), lambda: tile.write_bytes(b""), tile.unlink):
        damage()
        assert np.array_equal(read_at(store, labels, (0, 0, 0), 1), of_plane(states[1], (0, 0, 0)))


def test_a_tile_says_since_when_it_is_as_it_is(edited):
    store, labels, states = edited
    state = tile_now(store, label_set(store, labels), Tile(0, 0, 0, 0, 0))
    assert (state.changed, state.version) == (2, len(states) - 1)
