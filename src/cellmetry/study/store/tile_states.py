"""Tiles of label images as they are now and as they were at any version of the log."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cellmetry.core.image import Box
from cellmetry.errors import DamagedFile, ParameterError, UnknownName
from cellmetry.io.tile_store import decode_tile, encode_tile, tile_store
from cellmetry.study.store.edit_log import patch_of
from cellmetry.study.store.labels import TILE, LabelSet, Tile, is_background, missing_tile

if TYPE_CHECKING:
    import sqlite3

    from numpy.typing import NDArray

    from cellmetry.study.store.labels import Patch
    from cellmetry.study.store.store import Store

__all__ = ["TileState", "tile_at", "tile_now"]

_UINT32 = np.dtype("<u4")
_TRIES = 5


class TileState(NamedTuple):
    """A tile of a label image.

    Parameters
    ----------
    frame
        Its zstd frame, None where all of it is background.
    changed
        A version since which it is as it is now; the tile of all versions from there to `version` is the same.
    version
        Of the labels.
    """

    frame: bytes | None
    changed: int
    version: int


def tile_now(store: Store, labels: LabelSet, tile: Tile) -> TileState:
    """Return a tile as it is now, with the version of the labels at the same moment.

    Parameters
    ----------
    labels
        Only what never changes of it is used, so it may be of an older moment.

    Raises
    ------
    ParameterError
        If there is no such tile.
    """
    labels.check_plane(tile.t, tile.z)
    place = labels.place(tile)
    for _ in range(_TRIES):
        row = _row(store, labels, tile)
        if row["frame"] is not None:
            return TileState(bytes(row["frame"]), row["changed"], row["version"])
        frame = tile_store(store.folder / row["checkpoint"]).frame(tile.level, place)
        # a new checkpoint may have taken the place of this one, and its files be gone
        if frame is not None or _row(store, labels, tile)["checkpoint"] == row["checkpoint"]:
            if frame is None and not is_background(store.folder / row["checkpoint"], labels, tile):
                raise missing_tile(store.folder, row["checkpoint"], tile)
            return TileState(frame, row["checkpoint_version"], row["version"])
    raise DamagedFile(f"The labels {labels.id} of {store.folder} change while they are read; ask again.")


def tile_at(store: Store, labels: LabelSet, tile: Tile, version: int) -> TileState:
    """Return a tile as it was at a version: the edits made since are taken back.

    Raises
    ------
    ParameterError
        If there is no such version or tile.
    DamagedFile
        If the tile or the pixels of an edit are damaged.
    """
    now = tile_now(store, labels, tile)
    if not 0 <= version <= now.version:
        raise ParameterError(
            f"There is no version {version} of these labels; the newest is {now.version}, the first 0."
        )
    later = _patches_since(store, labels, tile, version, now.version) if now.changed > version else []
    if not later:
        return now._replace(changed=min(now.changed, version))
    shape = tuple(min(TILE, -(-size // (1 << tile.level))) for size in labels.plane_shape)
    name = f"tile {tuple(tile)} of the labels {labels.id} of {store.folder}"
    values = np.zeros(shape, np.uint32) if now.frame is None else decode_tile(now.frame, shape, _UINT32, name)
    for patch in later:
        _take_back(values, patch, tile)
    return TileState(encode_tile(values) if values.any() else None, version, now.version)


def _row(store: Store, labels: LabelSet, tile: Tile) -> sqlite3.Row:
    """Return version, checkpoint and changed frame as they are at one moment."""
    row = store.database.row(
        "SELECT labels.version AS version, checkpoint, checkpoint_version, frame, tiles.version AS changed FROM labels "
        "LEFT JOIN tiles ON tiles.labels_id = labels.id AND level = ? AND t = ? AND z = ? AND y = ? AND x = ? "
        "WHERE labels.id = ?",
        (*tile, labels.id),
    )
    if row is None:
        raise UnknownName("label image", labels.id)
    return row


def _patches_since(store: Store, labels: LabelSet, tile: Tile, version: int, newest: int) -> list[Patch]:
    """Return what edits after a version up to another changed in a tile, the newest first."""
    side = TILE << tile.level
    rows = store.database.rows(
        "SELECT patches.* FROM edits JOIN patches ON patches.act = edits.act WHERE labels_id = ? "
        "AND version > ? AND version <= ? AND t = ? AND z = ? AND y0 < ? AND y1 > ? AND x0 < ? AND x1 > ? "
        "ORDER BY version DESC, part DESC",
        (
            *(labels.id, version, newest, tile.t, tile.z),
            *((tile.y + 1) * side, tile.y * side, (tile.x + 1) * side, tile.x * side),
        ),
    )
    return [patch_of(row) for row in rows]


def _take_back(values: NDArray[np.uint32], patch: Patch, tile: Tile) -> None:
    """Put the pixels that an edit changed in a tile back to what they were; its level has every 2^level-th pixel."""
    if (patch.t, patch.z) != (tile.t, tile.z):
        return
    step = 1 << tile.level
    box = Box(*(-(-edge // step) for edge in patch.box))
    before = patch.before[box.y0 * step - patch.box.y0 :: step, box.x0 * step - patch.box.x0 :: step]
    top, left = tile.y * TILE, tile.x * TILE
    y0, y1 = max(box.y0, top), min(box.y1, top + values.shape[0])
    x0, x1 = max(box.x0, left), min(box.x1, left + values.shape[1])
    if y0 < y1 and x0 < x1:
        values[y0 - top : y1 - top, x0 - left : x1 - left] = before[
            y0 - box.y0 : y1 - box.y0, x0 - box.x0 : x1 - box.x0
        ]
