"""Labels as they were at any version; and an older version put back, as an edit like any other."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from cellmetry.core.image import Box, PixelSize
from cellmetry.core.labels import Labels
from cellmetry.errors import DamagedFile, ParameterError
from cellmetry.io.tile_store import decode_tile, tile_store
from cellmetry.study.editing.operation import Change
from cellmetry.study.store.committing import EditResult, commit, refuse
from cellmetry.study.store.conflicts import changed_since, not_shown
from cellmetry.study.store.edit_log import Made, patch_of
from cellmetry.study.store.labels import (
    TILE,
    LabelSet,
    Tile,
    box_of_tile,
    is_background,
    label_set,
    missing_tile,
    patch_at_level,
    planes_of,
    tiles_of,
)
from cellmetry.study.store.manifests import read_manifest
from cellmetry.study.store.patching import patch_batches
from cellmetry.study.store.seen import seen_by

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from cellmetry.study.store.acts import Actor
    from cellmetry.study.store.store import Store

__all__ = [
    "Base",
    "base_frame",
    "base_tile",
    "bases_of",
    "edits_between",
    "labels_at",
    "replayed",
    "restore_version",
    "tile_shape",
]

_KEPT_TILES = 64
_UINT32 = np.dtype("<u4")


@dataclass(frozen=True)
class Base:
    """A checkpoint: its folder, seen from the study's, and its version."""

    place: str
    version: int


def labels_at(store: Store, labels_id: str, version: int) -> Labels:
    """Return the labels as they were at a version; tiles are read when asked for.

    Raises
    ------
    ParameterError
        If there is no such version.
    """
    labels = label_set(store, labels_id)
    if not 0 <= version <= labels.version:
        raise ParameterError(f"There is no version {version}; the newest of these labels is {labels.version}.")
    stays = Base(labels.first_checkpoint, 0)
    base = min(stays, Base(labels.checkpoint, labels.checkpoint_version), key=lambda each: abs(each.version - version))
    details = labels.details
    array = _PastLabels(store, labels, base, version)
    size = PixelSize(*details["pixel_size"])
    return Labels(array, labels.axes, size, linked_z=details["linked_z"], ids_along=details["ids_along"])


def restore_version(
    store: Store, actor: Actor, labels_id: str, version: int, *, base_version: int | None = None, session: str = ""
) -> EditResult:
    """Return what changed by putting back the labels as they were at a version: an edit, which can be undone.

    Parameters
    ----------
    base_version
        Version that who restores saw; the present one if left out.
    session
        Name of their window or program: what they did there since `base_version` is known to them.

    Raises
    ------
    ParameterError
        If there is no such version.
    EditConflict
        If others changed the labels since `base_version`, or newer labels took the place of these.
    """
    store.must_be_writable()
    with store.database.write():
        past = labels_at(store, labels_id, version)
        labels = label_set(store, labels_id)
        seen = seen_by(actor, labels, base_version, session)
        summary = f"Restore version {version} of {labels.name}"
        made = Made("restore", {"version": version}, seen.version, session, summary, labels.next_id)
        conflict = not_shown(store, labels) or changed_since(store, labels, seen)
        if conflict is None:
            changes = patch_batches(store, labels, _changes(store, labels, past, version))
            return commit(store, actor, labels, changes, made)
    raise refuse(store, actor, labels, made, conflict)


def bases_of(store: Store, labels: LabelSet) -> list[Base]:
    """Return the checkpoints of labels that are there, the newest first."""
    found = {labels.first_checkpoint: 0, labels.checkpoint: labels.checkpoint_version}
    for folder in (store.folder / labels.first_checkpoint).parent.glob("*.ome.zarr"):
        place = f"{folder.parent.parent.name}/{folder.parent.name}/{folder.name}"
        if place not in found:
            try:
                found[place] = read_manifest(folder).version
            except DamagedFile:
                continue
    bases = [Base(place, version) for place, version in found.items() if version <= labels.version]
    return sorted(bases, key=lambda base: -base.version)


def replayed(
    store: Store, labels: LabelSet, tile: Tile, values: NDArray[np.uint32], versions: tuple[int, int]
) -> NDArray[np.uint32]:
    """Return the ids of a tile of one version as they are at another, by what the log says of the edits between.

    Parameters
    ----------
    values
        Ids of the tile at the first of `versions`; they are changed.

    Raises
    ------
    DamagedFile
        If the pixels of an edit are damaged.
    """
    start, end = versions
    whole = box_of_tile(tile)
    for row in edits_between(store, labels, tile, versions):
        patch = patch_of(row)
        pixels, box = patch_at_level(patch, patch.after if start < end else patch.before, tile.level)
        inside = Box(max(box.y0, whole.y0), min(box.y1, whole.y1), max(box.x0, whole.x0), min(box.x1, whole.x1))
        if min(inside.shape) > 0:
            values[inside.within(whole).slices] = pixels[inside.within(box).slices]
    return values


def edits_between(store: Store, labels: LabelSet, tile: Tile, versions: tuple[int, int]) -> list[sqlite3.Row]:
    """Return the lines of the log that lead a tile from one version to another, in their order: forwards or back."""
    start, end = versions
    side = TILE << tile.level
    rows = store.database.rows(
        "SELECT patches.* FROM edits JOIN patches ON patches.act = edits.act WHERE labels_id = ? AND version > ? "
        "AND version <= ? AND t = ? AND z = ? AND y0 < ? AND y1 > ? AND x0 < ? AND x1 > ? ORDER BY version, part",
        (
            *(labels.id, min(start, end), max(start, end), tile.t, tile.z),
            *((tile.y + 1) * side, tile.y * side, (tile.x + 1) * side, tile.x * side),
        ),
    )
    return rows if start < end else rows[::-1]


def base_tile(store: Store, labels: LabelSet, base: Base, tile: Tile) -> NDArray[np.uint32]:
    """Return the ids of a tile of a checkpoint.

    Raises
    ------
    DamagedFile
        If it is damaged or missing.
    """
    frame, shape = base_frame(store, labels, base, tile), tile_shape(labels, tile)
    if frame is None:
        return np.zeros(shape, np.uint32)
    return decode_tile(frame, shape, _UINT32, f"tile {tuple(tile)} of {store.folder / base.place}")


def base_frame(store: Store, labels: LabelSet, base: Base, tile: Tile) -> bytes | None:
    """Return the zstd frame of a tile of a checkpoint, None where all of it is background.

    Raises
    ------
    DamagedFile
        If it is missing.
    """
    checkpoint = store.folder / base.place
    frame = tile_store(checkpoint).frame(tile.level, labels.place(tile))
    if frame is None and not is_background(checkpoint, labels, tile):
        raise missing_tile(store.folder, base.place, tile)
    return frame


def tile_shape(labels: LabelSet, tile: Tile) -> tuple[int, int]:
    """Return the shape of a tile: `TILE` × `TILE` also at the edge of a plane, less if the plane is smaller."""
    height, width = (min(TILE, -(-size // (1 << tile.level))) for size in labels.plane_shape)
    return height, width


@dataclass(frozen=True)
class _PastLabels:
    """Ids at a version, indexed like an array by whole numbers, slices and ``...``."""

    store: Store
    labels: LabelSet
    base: Base
    version: int
    _kept: OrderedDict[Tile, NDArray[np.uint32]] = field(default_factory=OrderedDict, repr=False)

    @property
    def shape(self) -> tuple[int, ...]:
        return self.labels.shape

    @property
    def dtype(self) -> np.dtype[np.uint32]:
        return np.dtype(np.uint32)

    def __getitem__(self, index: Any) -> NDArray[np.uint32]:
        return planes_of(self.labels, index, self._window)

    def _window(self, t: int, z: int, box: Box) -> NDArray[np.uint32]:
        window = np.zeros(box.shape, np.uint32)
        for y in range(box.y0 // TILE, -(-box.y1 // TILE)):
            for x in range(box.x0 // TILE, -(-box.x1 // TILE)):
                tile = Tile(0, t, z, y, x)
                whole = box_of_tile(tile)
                inside = Box(max(box.y0, whole.y0), min(box.y1, whole.y1), max(box.x0, whole.x0), min(box.x1, whole.x1))
                if min(inside.shape) > 0:
                    window[inside.within(box).slices] = self._tile(tile)[inside.within(whole).slices]
        return window

    def _tile(self, tile: Tile) -> NDArray[np.uint32]:
        if tile not in self._kept:
            bases = (self.base, Base(self.labels.first_checkpoint, 0))  # others go when newer ones are made
            base = next((each for each in bases if (self.store.folder / each.place).is_dir()), self.base)
            values = base_tile(self.store, self.labels, base, tile)
            self._kept[tile] = replayed(self.store, self.labels, tile, values, (base.version, self.version))
            while len(self._kept) > _KEPT_TILES:
                self._kept.popitem(last=False)
        return self._kept[tile]


def _changes(store: Store, labels: LabelSet, past: Labels, version: int) -> Iterator[Change]:
    """Yield the tiles that were changed since a version, as they were then."""
    rows = store.database.rows(
        "SELECT DISTINCT t, z, y0, y1, x0, x1 FROM edits JOIN patches ON patches.act = edits.act "
        "WHERE labels_id = ? AND version > ?",
        (labels.id, version),
    )
    changed = {
        tile
        for row in rows
        for tile, _ in tiles_of(Box(row["y0"], row["y1"], row["x0"], row["x1"]), 0, row["t"], row["z"])
    }
    height, width = labels.plane_shape
    for tile in sorted(changed):
        whole = box_of_tile(tile)
        box = Box(whole.y0, min(whole.y1, height), whole.x0, min(whole.x1, width))
        lead = {"T": tile.t, "Z": tile.z}
        yield Change(tile.t, tile.z, box, past.array[(*(lead[axis] for axis in labels.axes[:-2]), *box.slices)])
