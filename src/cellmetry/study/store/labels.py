"""Label images of a study: a checkpoint on the disk that never changes, and the tiles that edits changed since.

``labels/ID/N.ome.zarr`` is the checkpoint of version N. Changed tiles lie in the database, at every resolution level,
so an edit, its tiles and its version number are one transaction. A tile, from either place, is a zstd frame of uint32.
"""

from __future__ import annotations

import json
import shutil
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from cellmetry.core.image import Box, PixelSize
from cellmetry.core.labels import Labels, labels_hash
from cellmetry.errors import DamagedFile, OutputError, ParameterError, UnknownName
from cellmetry.io.label_store import open_label_store, write_label_store
from cellmetry.io.tile_store import TileStore, decode_tile, tile_store
from cellmetry.study.store.acts import ALIVE, hide_row
from cellmetry.study.store.checkpoints import chunk_file, write_missing_manifest
from cellmetry.study.store.manifests import stored_files
from cellmetry.study.store.names import new_name
from cellmetry.study.store.objects import found_objects, insert_objects

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from cellmetry.study.store.objects import PlaneObjects
    from cellmetry.study.store.store import Store

__all__ = [
    "TILE",
    "LabelSet",
    "Patch",
    "Tile",
    "WrittenLabels",
    "add_labels",
    "box_of_tile",
    "discard_labels",
    "enter_labels",
    "is_background",
    "label_set",
    "label_sets",
    "labels_of_image",
    "labels_replaced_by",
    "missing_tile",
    "patch_at_level",
    "planes_of",
    "read_labels",
    "read_tile",
    "read_window",
    "remove_labels",
    "stored_labels",
    "tile_frame",
    "tiles_of",
    "whole_labels",
    "write_labels",
]

TILE = 512
"""Side of a tile of labels and of images, in pixels."""
_UINT32 = np.dtype("<u4")


class Tile(NamedTuple):
    """Where a tile is: resolution level, frame, plane, row and column of tiles."""

    level: int
    t: int
    z: int
    y: int
    x: int


@dataclass(frozen=True)
class Patch:
    """Ids of a box of one plane, before and after a change."""

    t: int
    z: int
    box: Box
    before: NDArray[np.uint32]
    after: NDArray[np.uint32]


class WrittenLabels(NamedTuple):
    """Labels that lie on the disk, and of which the study does not know yet.

    Parameters
    ----------
    place
        Their folder, seen from the study's.
    said
        What their row in the table of labels says of their pixels.
    """

    id: str
    place: str
    said: dict[str, Any]
    objects: tuple[PlaneObjects, ...]


@dataclass(frozen=True)
class LabelSet:
    """A label image of a study.

    Parameters
    ----------
    version
        Number of the last edit; 0 is what a job or a file gave.
    next_id
        Smallest id that was never used.
    checkpoint, first_checkpoint
        Folders in the study's folder with the labels of version `checkpoint_version`, and of version 0.
    sha256
        `labels_hash` of version 0.
    origin
        What made version 0: recipe, engine, model, job, or file.
    """

    id: str
    image_id: str
    name: str
    axes: str
    shape: tuple[int, ...]
    details: dict[str, Any]
    levels: int
    version: int
    next_id: int
    first_checkpoint: str
    checkpoint: str
    checkpoint_version: int
    sha256: str
    origin: dict[str, Any]
    added_by: int
    removed_by: int | None

    @property
    def plane_shape(self) -> tuple[int, int]:
        """Height and width."""
        return self.shape[-2], self.shape[-1]

    def size(self, axis: str) -> int:
        """Return the number of planes along T or Z, 1 where there is no such axis."""
        return self.shape[self.axes.index(axis)] if axis in self.axes else 1

    def check_plane(self, t: int, z: int) -> None:
        """Refuse a plane that is not there.

        Raises
        ------
        ParameterError
            If it is not; says how many there are.
        """
        if not (0 <= t < self.size("T") and 0 <= z < self.size("Z")):
            raise ParameterError(f"There is no plane t={t}, z={z}; there are {self.size('T')} × {self.size('Z')}.")

    def place(self, tile: Tile) -> tuple[int, ...]:
        """Return the index of a tile along the axes of the array."""
        lead = {"T": tile.t, "Z": tile.z}
        return (*(lead[axis] for axis in self.axes[:-2]), tile.y, tile.x)


def add_labels(
    store: Store, act: int, image_id: str, labels: Labels, *, name: str = "cells", origin: Mapping[str, Any] = {}
) -> str:
    """Return the id of a new label image of an image, which hides an older one of the same name.

    Call it outside a transaction for large labels: they are written to the disk first.

    Parameters
    ----------
    act
        The act that adds them (`acts.act`).
    """
    written = write_labels(store, labels)
    enter_labels(store, act, image_id, written, name=name, origin=origin)
    return written.id


def write_labels(store: Store, labels: Labels) -> WrittenLabels:
    """Return labels after writing them to the disk; `enter_labels` makes them a label image of the study."""
    store.must_be_writable()
    labels_id = new_name("lbl")
    place = PurePosixPath("labels", labels_id, "0.ome.zarr").as_posix()
    write_label_store(labels, store.folder / place, chunk=TILE, smallest=TILE)
    tiles = TileStore(store.folder / place)
    whole = labels if isinstance(labels.array, np.ndarray) else open_label_store(store.folder / place)
    details = {"pixel_size": labels.pixel_size, "linked_z": labels.linked_z, "ids_along": labels.ids_along}
    said = {
        "axes": labels.axes,
        "shape": json.dumps(labels.shape),
        "details": json.dumps(details),
        "levels": len(tiles.levels),
        "sha256": labels_hash(whole),
    }
    return WrittenLabels(labels_id, place, said, tuple(found_objects(labels.axes, tiles)))


def enter_labels(
    store: Store, act: int, image_id: str, written: WrittenLabels, *, name: str, origin: Mapping[str, Any] = {}
) -> None:
    """Make labels that were written a label image of an image, which hides an older one of the same name.

    Raises
    ------
    OutputError
        If what was written has gone.
    """
    with store.database.write() as connection:
        if not (store.folder / written.place).is_dir():
            raise OutputError(f"{store.folder / written.place} has gone since it was written; do it again.")
        connection.execute(
            f"UPDATE labels SET removed_by = ? WHERE image_id = ? AND name = ? AND {ALIVE}", (act, image_id, name)
        )
        row = {
            **{"id": written.id, "image_id": image_id, "name": name, **written.said, "next_id": 1},
            **{"first_checkpoint": written.place, "checkpoint": written.place},
            **{"origin": json.dumps(dict(origin)), "added_by": act},
        }
        marks = ", ".join(f":{column}" for column in row)
        connection.execute(f"INSERT INTO labels ({', '.join(row)}) VALUES ({marks})", row)
        largest = insert_objects(connection, written.id, written.objects)
        connection.execute("UPDATE labels SET next_id = ? WHERE id = ?", (largest + 1, written.id))
    if not store.database.writing:  # a manifest says that the database has the labels; if not now, `keep_up` writes it
        with suppress(OutputError):
            write_missing_manifest(store.database, store.folder, written.id)


def discard_labels(store: Store, written: WrittenLabels) -> None:
    """Remove labels that were written and never entered."""
    shutil.rmtree(store.folder / "labels" / written.id, ignore_errors=True)


def remove_labels(store: Store, act: int, labels_id: str) -> None:
    """Hide a label image; undoing the act brings it back.

    Raises
    ------
    UnknownName
        If there is none.
    ParameterError
        If it is hidden already.
    """
    with store.database.write():
        label_set(store, labels_id)
        hide_row(store, act, "labels", labels_id)


def label_set(store: Store, labels_id: str) -> LabelSet:
    """Return a label image by its id, also a hidden one.

    Raises
    ------
    UnknownName
        If there is none.
    """
    row = store.database.row("SELECT * FROM labels WHERE id = ?", (labels_id,))
    if row is None:
        raise UnknownName("label image", labels_id)
    return _set_of(row)


def stored_labels(store: Store) -> list[LabelSet]:
    """Return all label images that were ever added, hidden ones too."""
    return [_set_of(row) for row in store.database.rows("SELECT * FROM labels ORDER BY added_by, rowid")]


def label_sets(store: Store, image_id: str | None = None, *, after: str | None = None) -> list[LabelSet]:
    """Return the label images that are to be seen, of one image or of all, the oldest first.

    Parameters
    ----------
    after
        Only those that were added after this one, by its id, though it may be hidden by now.
    """
    later = "(added_by, rowid) > (SELECT added_by, rowid FROM labels WHERE id = ?2)"
    rows = store.database.rows(
        f"SELECT * FROM labels WHERE (?1 IS NULL OR image_id = ?1) AND (?2 IS NULL OR {later}) AND {ALIVE} "
        "ORDER BY added_by, rowid",
        (image_id, after),
    )
    return [_set_of(row) for row in rows]


def labels_of_image(store: Store, image_id: str, name: str = "cells") -> LabelSet | None:
    """Return the label image of this name that an image has now."""
    return next((each for each in reversed(label_sets(store, image_id)) if each.name == name), None)


def labels_replaced_by(store: Store, labels: LabelSet) -> LabelSet | None:
    """Return the labels of the same name that were hidden when these were added, None if there were none."""
    row = store.database.row(
        "SELECT * FROM labels WHERE image_id = ? AND name = ? AND removed_by = ? "
        "AND rowid < (SELECT rowid FROM labels WHERE id = ?) ORDER BY rowid DESC",
        (labels.image_id, labels.name, labels.added_by, labels.id),
    )
    return None if row is None else _set_of(row)


def tile_frame(store: Store, labels: LabelSet, tile: Tile) -> bytes | None:
    """Return the zstd frame of a tile as it is now, None where all of it is background.

    Raises
    ------
    ParameterError
        If there is no such tile.
    """
    labels.check_plane(tile.t, tile.z)
    place = ""
    while True:
        row = store.database.row(
            "SELECT checkpoint, (SELECT frame FROM tiles WHERE labels_id = id AND level = ? AND t = ? AND z = ? "
            "AND y = ? AND x = ?) AS frame FROM labels WHERE id = ?",
            (*tile, labels.id),
        )
        if row is None or row["frame"] is not None:
            return None if row is None else bytes(row["frame"])
        if row["checkpoint"] == place:
            raise missing_tile(store.folder, place, tile)
        place = row["checkpoint"]
        frame = tile_store(store.folder / place).frame(tile.level, labels.place(tile))
        if frame is not None or is_background(store.folder / place, labels, tile):
            return frame


def read_window(
    store: Store,
    labels: LabelSet,
    t: int,
    z: int,
    box: Box,
    *,
    read: Callable[[Tile], NDArray[np.uint32]] | None = None,
) -> NDArray[np.uint32]:
    """Return the ids in a box of one plane as they are now.

    Parameters
    ----------
    read
        `read_tile` of these labels, if it keeps tiles for many windows.

    Raises
    ------
    ParameterError
        If the box is not inside the plane.
    DamagedFile
        If a tile is damaged.
    """
    labels.check_plane(t, z)
    height, width = labels.plane_shape
    if not (0 <= box.y0 <= box.y1 <= height and 0 <= box.x0 <= box.x1 <= width):
        raise ParameterError(f"{tuple(box)} is not inside labels of {height} × {width} pixels.")
    window = np.zeros(box.shape, np.uint32)
    for tile, inside in tiles_of(box, 0, t, z):
        part = read_tile(store, labels, tile) if read is None else read(tile)
        window[inside.within(box).slices] = part[inside.within(box_of_tile(tile)).slices]
    return window


def whole_labels(store: Store, labels: LabelSet) -> Labels:
    """Return the labels as they are now; tiles are read when asked for."""
    pixel_size = PixelSize(*labels.details["pixel_size"])
    array = _StoredLabels(store, labels)
    return Labels(
        array, labels.axes, pixel_size, linked_z=labels.details["linked_z"], ids_along=labels.details["ids_along"]
    )


def read_labels(store: Store, labels_id: str) -> Labels:
    """Return the labels of an id as they are now; tiles are read when asked for."""
    return whole_labels(store, label_set(store, labels_id))


def patch_at_level(patch: Patch, pixels: NDArray[np.uint32], level: int) -> tuple[NDArray[np.uint32], Box]:
    """Return what a level, where every 2^level-th pixel is, has of the pixels in a patch's box; and the box there."""
    step = 1 << level
    box = Box(*(-(-edge // step) for edge in patch.box))
    rows, columns = box.y0 * step - patch.box.y0, box.x0 * step - patch.box.x0
    return pixels[rows::step, columns::step], box


def tiles_of(box: Box, level: int, t: int, z: int) -> Iterator[tuple[Tile, Box]]:
    """Yield the tiles that a box touches, each with the part of the box that is in it."""
    rows, columns = (range(a // TILE, -(-b // TILE)) for a, b in ((box.y0, box.y1), (box.x0, box.x1)))
    if 0 in box.shape:
        return
    for y, x in product(rows, columns):
        tile = Tile(level, t, z, y, x)
        whole = box_of_tile(tile)
        inside = (max(box.y0, whole.y0), min(box.y1, whole.y1), max(box.x0, whole.x0), min(box.x1, whole.x1))
        yield tile, Box(*inside)


def box_of_tile(tile: Tile) -> Box:
    """Return the pixels of a tile at its level, as if the plane went on beyond its edge."""
    return Box(tile.y * TILE, (tile.y + 1) * TILE, tile.x * TILE, (tile.x + 1) * TILE)


def read_tile(store: Store, labels: LabelSet, tile: Tile) -> NDArray[np.uint32]:
    """Return the ids of a whole tile: `TILE` × `TILE` pixels also at the edge of a plane, less if that is smaller."""
    shape = tuple(min(TILE, -(-size // (1 << tile.level))) for size in labels.plane_shape)
    frame = tile_frame(store, labels, tile)
    if frame is None:
        return np.zeros(shape, np.uint32)
    return decode_tile(frame, shape, _UINT32, f"tile {tuple(tile)} of the labels {labels.id} of {store.folder}")


def is_background(checkpoint: Path, labels: LabelSet, tile: Tile) -> bool:
    """Return whether a tile that has no file is not meant to have one."""
    files = stored_files(checkpoint)
    if files is None:
        return checkpoint.is_dir()
    return chunk_file(labels.axes, tile._asdict()) not in files


def missing_tile(folder: Path, place: str, tile: Tile) -> DamagedFile:
    """Return the error that says that a tile of a checkpoint has gone."""
    return DamagedFile(
        f"Tile {tuple(tile)} of {folder / place} is missing; `cellmetry study repair` makes what can be whole."
    )


@dataclass(frozen=True)
class _StoredLabels:
    """Ids as they are now, indexed like an array by whole numbers, slices and ``...``."""

    store: Store
    labels: LabelSet

    @property
    def shape(self) -> tuple[int, ...]:
        return self.labels.shape

    @property
    def dtype(self) -> np.dtype[np.uint32]:
        return np.dtype(np.uint32)

    def __getitem__(self, index: Any) -> NDArray[np.uint32]:
        return planes_of(self.labels, index, partial(read_window, self.store, self.labels))


def planes_of(labels: LabelSet, index: Any, read: Callable[[int, int, Box], NDArray[np.uint32]]) -> NDArray[np.uint32]:
    """Return what an index of whole numbers, slices and ``...`` means, of labels whose boxes `read` returns."""
    ranges = [range(size)[part] for part, size in zip(_whole_index(index, labels.shape), labels.shape, strict=True)]
    lead = [[part] if isinstance(part, int) else part for part in ranges[:-2]]
    rows, columns = (range(part, part + 1) if isinstance(part, int) else part for part in ranges[-2:])
    box = Box(*(edge for part in (rows, columns) for edge in ((part.start, part.stop) if part else (0, 0))))
    planes = []
    for place in product(*lead):
        at = dict(zip(labels.axes, place, strict=False))
        planes.append(read(at.get("T", 0), at.get("Z", 0), box)[:: rows.step, :: columns.step])
    shape = [len(part) for part in (*lead, rows, columns)]
    dropped = tuple(axis for axis, part in enumerate(ranges) if isinstance(part, int))
    return np.stack(planes).reshape(shape).squeeze(dropped)


def _whole_index(index: Any, shape: Sequence[int]) -> list[Any]:
    """Return one entry for each axis."""
    parts = list(index) if isinstance(index, tuple) else [index]
    missing = len(shape) - sum(part is not Ellipsis for part in parts)
    if Ellipsis not in parts:
        parts.append(Ellipsis)
    at = parts.index(Ellipsis)
    return [*parts[:at], *[slice(None)] * missing, *parts[at + 1 :]]


def _set_of(row: sqlite3.Row) -> LabelSet:
    said = dict(row)
    for name in ("details", "origin"):
        said[name] = json.loads(said[name])
    return LabelSet(**{**said, "shape": tuple(json.loads(said["shape"]))})
