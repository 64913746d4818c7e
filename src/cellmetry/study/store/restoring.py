"""Bringing back an older version of labels, as an edit of its own."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from cellmetry.core.image import Box
from cellmetry.errors import ParameterError
from cellmetry.io.tile_store import decode_tile
from cellmetry.study.editing.operation import Change
from cellmetry.study.store.edits import apply_changes
from cellmetry.study.store.labels import TILE, Tile, label_set
from cellmetry.study.store.tile_states import tile_at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cellmetry.study.store.acts import Actor
    from cellmetry.study.store.edits import EditResult
    from cellmetry.study.store.labels import LabelSet
    from cellmetry.study.store.store import Store

__all__ = ["restore_version"]


def restore_version(store: Store, actor: Actor, labels_id: str, version: int) -> EditResult:
    """Return what changed by bringing back a version: one edit, which can be undone.

    Raises
    ------
    ParameterError
        If there is no such version.
    """
    store.must_be_writable()
    with store.database.write():
        labels = label_set(store, labels_id)
        if not 0 <= version <= labels.version:
            raise ParameterError(f"There is no version {version} of {labels.name}; the newest is {labels.version}.")
        summary = f"Restore version {version} of {labels.name}"
        changes = _changes(store, labels, version)
        return apply_changes(store, actor, labels_id, changes, "restore", summary, version=version)


def _changes(store: Store, labels: LabelSet, version: int) -> Iterator[Change]:
    """Yield the tiles that were changed since a version, as they were then."""
    rows = store.database.rows(
        "SELECT DISTINCT t, z, y0, y1, x0, x1 FROM edits JOIN patches ON patches.act = edits.act "
        "WHERE labels_id = ? AND version > ?",
        (labels.id, version),
    )
    tiles = {
        Tile(0, row["t"], row["z"], y, x)
        for row in rows
        for y, x in product(
            range(row["y0"] // TILE, -(-row["y1"] // TILE)), range(row["x0"] // TILE, -(-row["x1"] // TILE))
        )
    }
    height, width = labels.plane_shape
    shape = (min(TILE, height), min(TILE, width))
    for tile in sorted(tiles):
        y, x = tile.y * TILE, tile.x * TILE
        box = Box(y, min(y + TILE, height), x, min(x + TILE, width))
        frame = tile_at(store, labels, tile, version).frame
        if frame is None:
            then = np.zeros(shape, np.uint32)
        else:
            then = decode_tile(frame, shape, np.dtype("<u4"), f"tile {tuple(tile)} of the labels {labels.id}")
        yield Change(tile.t, tile.z, box, then[: box.y1 - y, : box.x1 - x])
