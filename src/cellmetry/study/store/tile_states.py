"""Tiles of label images as they are now and as they were at any version of the log."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cellmetry.errors import DamagedFile, ParameterError, UnknownName
from cellmetry.io.tile_store import decode_tile, encode_tile, tile_store
from cellmetry.study.store.labels import LabelSet, Tile, is_background, label_set, missing_tile
from cellmetry.study.store.restoring import Base, base_frame, edits_between, replayed, tile_shape

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

    from cellmetry.study.store.store import Store

__all__ = ["TileState", "as_now", "tile_at", "tile_now"]

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
    """Return a tile as it was at a version, made of the nearest that is kept: of now, of a checkpoint, or of version 0.

    If that one, or an edit on the way, is damaged, another is taken.

    Raises
    ------
    ParameterError
        If there is no such version or tile.
    DamagedFile
        If all ways are damaged.
    """
    now = tile_now(store, labels, tile)
    if as_now(now, version):
        return now
    known = label_set(store, labels.id)
    bases = {Base(known.first_checkpoint, 0), Base(known.checkpoint, known.checkpoint_version)}
    starts: list[_Start] = [_Start(base.version, partial(base_frame, store, labels, base, tile)) for base in bases]
    starts.append(_Start(now.changed, lambda: now.frame))
    failed = []
    for start in sorted(starts, key=lambda each: abs(each.version - version)):
        try:
            return TileState(_led_to(store, labels, tile, start, version), version, now.version)
        except DamagedFile as error:
            failed.append(error)
    raise failed[0]


def as_now(now: TileState, version: int) -> bool:
    """Return whether a tile was at a version as it is now.

    Raises
    ------
    ParameterError
        If there is no such version.
    """
    if not 0 <= version <= now.version:
        raise ParameterError(
            f"There is no version {version} of these labels; the newest is {now.version}, the first 0."
        )
    return now.changed <= version


class _Start(NamedTuple):
    """A version of a tile that is kept, and what reads its frame."""

    version: int
    frame: Callable[[], bytes | None]


def _led_to(store: Store, labels: LabelSet, tile: Tile, start: _Start, version: int) -> bytes | None:
    """Return the frame of a tile at a version, made of another version by the log of edits."""
    frame, versions = start.frame(), (start.version, version)
    if start.version == version or not edits_between(store, labels, tile, versions):
        return frame
    shape = tile_shape(labels, tile)
    name = f"tile {tuple(tile)} of the labels {labels.id} of {store.folder}"
    values = np.zeros(shape, np.uint32) if frame is None else decode_tile(frame, shape, _UINT32, name)
    replayed(store, labels, tile, values, versions)
    return encode_tile(values) if values.any() else None


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
