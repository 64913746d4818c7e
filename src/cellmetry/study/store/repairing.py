"""Damage made good from what else is known: the other checkpoint, the log of edits forwards or backwards, other levels.

Nothing is made up. What cannot be known stays damaged, so that reading it says so.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np

from cellmetry.core.image import PixelSize
from cellmetry.core.labels import Labels
from cellmetry.errors import DamagedFile
from cellmetry.io.label_store import write_label_store
from cellmetry.io.tile_store import TileStore, decode_tile, encode_tile
from cellmetry.study.store.acts import act
from cellmetry.study.store.checkpoints import chunk_file, free_checkpoint, now_text, write_from
from cellmetry.study.store.edit_log import patch_of
from cellmetry.study.store.labels import TILE, Tile, label_set, read_tile, stored_labels
from cellmetry.study.store.manifests import hashes_below, manifest_path, read_manifest, write_manifest
from cellmetry.study.store.mending import SNAPSHOT
from cellmetry.study.store.pyramids import make_tiles_again
from cellmetry.study.store.rebuilding import checkpoint_faults
from cellmetry.study.store.restoring import Base, base_tile, bases_of, replayed, tile_shape

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from cellmetry.study.store.acts import Actor
    from cellmetry.study.store.labels import LabelSet
    from cellmetry.study.store.store import Store

__all__ = ["repair"]

_UINT32 = np.dtype("<u4")


def repair(store: Store, actor: Actor) -> list[str]:
    """Return what was made whole and what could not be, in sentences; nothing if nothing is damaged.

    The damaged files are left beside the new ones until no labels need them. Tiles of images for the screen are made by
    a job, which is only queued.

    Raises
    ------
    StudyInUse
        If the study is open for reading only.
    OutputError
        If the disk is full.
    """
    store.must_be_writable()
    told: list[str] = []
    with store.database.write():
        for labels in stored_labels(store):
            told += _patches(store, labels)
            told += _manifests(store, labels)
            told += _tiles(store, label_set(store, labels.id))
            told += _checkpoints(store, label_set(store, labels.id))
        told += make_tiles_again(store, actor)
        if told:
            act(store, actor, "repair", " ".join(told))
    return told


def _patches(store: Store, labels: LabelSet) -> Iterator[str]:
    """Take damaged lines of the log from the snapshot."""
    rows = store.database.rows(
        "SELECT patches.* FROM patches JOIN edits ON edits.act = patches.act WHERE labels_id = ?", (labels.id,)
    )
    for row in rows:
        if _whole_patch(row):
            continue
        other = _in_snapshot(store, row["act"], row["part"])
        if other is None:
            yield f"The pixels of act {row['act']} are damaged; it cannot be undone."
            continue
        with store.database.write() as connection:
            connection.execute(
                "UPDATE patches SET before = ?, after = ? WHERE act = ? AND part = ?",
                (other["before"], other["after"], row["act"], row["part"]),
            )
        yield f"The pixels of act {row['act']} were taken from {SNAPSHOT}."


def _whole_patch(row: sqlite3.Row) -> bool:
    with suppress(DamagedFile):
        patch_of(row)
        return True
    return False


def _in_snapshot(store: Store, seq: int, part: int) -> sqlite3.Row | None:
    path = store.folder / SNAPSHOT
    if not path.is_file():
        return None
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            connection.row_factory = sqlite3.Row
            row: sqlite3.Row | None = connection.execute(
                "SELECT * FROM patches WHERE act = ? AND part = ?", (seq, part)
            ).fetchone()
    except sqlite3.DatabaseError:
        return None
    return row if row is not None and _whole_patch(row) else None


def _manifests(store: Store, labels: LabelSet) -> Iterator[str]:
    """Write a damaged manifest anew where all tiles it is about can be read."""
    for place, version in ((labels.first_checkpoint, 0), (labels.checkpoint, labels.checkpoint_version)):
        checkpoint = store.folder / place
        try:
            read_manifest(checkpoint)
        except DamagedFile:
            if checkpoint.is_dir() and all(_readable(store, labels, place, tile) for tile in all_tiles(labels)):
                _write_manifest(store, labels, (place, version), hashes_below(checkpoint))
                yield f"{manifest_path(checkpoint).name} of {labels.id} was written anew."


def _readable(store: Store, labels: LabelSet, place: str, tile: Tile) -> bool:
    try:
        frame = TileStore(store.folder / place).frame(tile.level, labels.place(tile))
        if frame is not None:
            decode_tile(frame, tile_shape(labels, tile), _UINT32, "a tile")
    except DamagedFile:
        return False
    return True


def _tiles(store: Store, labels: LabelSet) -> Iterator[str]:
    """Make changed tiles in the database anew from a checkpoint and the log."""
    rows = store.database.rows("SELECT level, t, z, y, x, frame FROM tiles WHERE labels_id = ?", (labels.id,))
    source = _Source(store, labels)
    for row in rows:
        tile = Tile(*tuple(row)[:5])
        try:
            decode_tile(bytes(row["frame"]), tile_shape(labels, tile), _UINT32, "a tile")
            continue
        except DamagedFile:
            values = source.tile(tile, labels.version)
        if values is None:
            yield f"Tile {tuple(tile)} of {labels.id} is damaged and cannot be made whole."
            continue
        with store.database.write() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO tiles VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (labels.id, *tile, labels.version, encode_tile(values)),
            )
        yield f"Tile {tuple(tile)} of {labels.id} was made anew from the log."


def _checkpoints(store: Store, labels: LabelSet) -> Iterator[str]:
    """Write damaged checkpoints anew."""
    for place, version in {labels.first_checkpoint: 0, labels.checkpoint: labels.checkpoint_version}.items():
        checkpoint = store.folder / place
        try:
            manifest = read_manifest(checkpoint)
        except DamagedFile as error:
            yield str(error)
            continue
        faults = checkpoint_faults(checkpoint, manifest)
        if faults:
            yield _written_anew(store, labels, Base(place, version), faults)


def _written_anew(store: Store, labels: LabelSet, base: Base, faults: list[str]) -> str:
    source = _Source(store, labels)
    tiles = {chunk_file(labels.axes, tile._asdict()): tile for tile in all_tiles(labels)}
    frames, lost = {}, []
    for name in faults:
        values = source.tile(tiles[name], base.version) if name in tiles else None
        frame = source.description(name) if name not in tiles else None if values is None else encode_tile(values)
        if frame is None:
            lost.append(name)
        else:
            frames[name] = frame
    if not frames:
        return f"{len(lost)} files of {base.place} are damaged and cannot be made whole: {', '.join(lost[:5])}."
    place = free_checkpoint(store.folder, labels.id, base.version)
    expected = read_manifest(store.folder / base.place).tiles
    write_from(store.folder / base.place, store.folder / place, frames)
    made = hashes_below(store.folder / place)
    _write_manifest(store, labels, (place, base.version), {**made, **{name: expected[name] for name in lost}})
    with store.database.write() as connection:
        for column in ("first_checkpoint", "checkpoint"):
            connection.execute(
                f"UPDATE labels SET {column} = ? WHERE id = ? AND {column} = ?", (place, labels.id, base.place)
            )
    rest = f" {len(lost)} could not be made whole: {', '.join(lost[:5])}; segment the image again." if lost else ""
    return f"{len(frames)} damaged files of {base.place} were made anew in {place}.{rest}"


def _write_manifest(store: Store, labels: LabelSet, where: tuple[str, int], tiles: dict[str, str]) -> None:
    row = store.database.row("SELECT * FROM labels WHERE id = ?", (labels.id,))
    place, version = where
    said = {} if row is None else dict(row)
    said |= {"version": version, "checkpoint": place, "checkpoint_version": version}
    write_manifest(store.database, store.folder / place, said, now_text(), tiles)


def all_tiles(labels: LabelSet) -> Iterator[Tile]:
    """Yield the tiles of all levels and planes."""
    for level in range(labels.levels):
        side = TILE << level
        rows, columns = (-(-size // side) for size in labels.plane_shape)
        for place in product(range(labels.size("T")), range(labels.size("Z")), range(rows), range(columns)):
            yield Tile(level, *place)


@dataclass(frozen=True)
class _Source:
    """What is left of labels to make damaged parts of."""

    store: Store
    labels: LabelSet

    @cached_property
    def bases(self) -> list[Base]:
        return bases_of(self.store, self.labels)

    @cached_property
    def faults(self) -> dict[str, frozenset[str]]:
        """Damaged files of each checkpoint; all where that is not known."""
        found = {}
        for base in self.bases:
            checkpoint = self.store.folder / base.place
            with suppress(DamagedFile):
                found[base.place] = frozenset(checkpoint_faults(checkpoint, read_manifest(checkpoint)))
        return found

    def tile(self, tile: Tile, version: int) -> NDArray[np.uint32] | None:
        """Return the ids of a tile at a version, None if they cannot be known."""
        name = chunk_file(self.labels.axes, tile._asdict())
        for base in sorted(self.bases, key=lambda each: abs(each.version - version)):
            if base.place in self.faults and name not in self.faults[base.place]:
                with suppress(DamagedFile):
                    values = base_tile(self.store, self.labels, base, tile)
                    return replayed(self.store, self.labels, tile, values, (base.version, version))
        with suppress(DamagedFile):
            if self._changed(tile):
                values = read_tile(self.store, self.labels, tile)
                return replayed(self.store, self.labels, tile, values, (self.labels.version, version))
        return self._from_finer(tile, version) if tile.level > 0 else None

    def description(self, name: str) -> bytes | None:
        """Return a file that describes levels; those of all checkpoints are the same."""
        said = self.labels.details["pixel_size"]
        with TemporaryDirectory() as folder:
            path = Path(folder) / "empty.ome.zarr"
            empty = Labels(np.broadcast_to(np.uint32(0), self.labels.shape), self.labels.axes, PixelSize(*said))
            write_label_store(empty, path, chunk=TILE, smallest=TILE)
            return (path / name).read_bytes() if (path / name).is_file() else None

    def _changed(self, tile: Tile) -> bool:
        question = "SELECT 1 FROM tiles WHERE labels_id = ? AND level = ? AND t = ? AND z = ? AND y = ? AND x = ?"
        return self.store.database.row(question, (self.labels.id, *tile)) is not None

    def _from_finer(self, tile: Tile, version: int) -> NDArray[np.uint32] | None:
        """Return every second pixel of the tiles of the finer level."""
        height, width = tile_shape(self.labels, tile)
        values = np.zeros((height, width), np.uint32)
        finer = {(each.y, each.x) for each in all_tiles(self.labels) if each[:3] == (tile.level - 1, tile.t, tile.z)}
        for y, x in product((2 * tile.y, 2 * tile.y + 1), (2 * tile.x, 2 * tile.x + 1)):
            if (y, x) not in finer:
                continue
            part = self.tile(Tile(tile.level - 1, tile.t, tile.z, y, x), version)
            if part is None:
                return None
            top, left = (y % 2) * TILE // 2, (x % 2) * TILE // 2
            some = part[::2, ::2][: height - top, : width - left]
            values[top : top + some.shape[0], left : left + some.shape[1]] = some
        return values
