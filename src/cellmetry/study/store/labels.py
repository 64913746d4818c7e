"""Label images of a study: a checkpoint on the disk that never changes, and the tiles that edits changed since.

``labels/ID/N.ome.zarr`` is the checkpoint of version N. Changed tiles lie in the database, at every resolution level,
so an edit, its tiles and its version number are one transaction. A tile, from either place, is a zstd frame of uint32.
"""

from __future__ import annotations

import json
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from cellmetry.core.labels import Labels, labels_hash
from cellmetry.errors import OutputError, ParameterError, UnknownName
from cellmetry.io.label_store import open_label_store, write_label_store
from cellmetry.io.tile_store import TileStore
from cellmetry.study.store.acts import ALIVE, hide_row
from cellmetry.study.store.checkpoints import write_missing_manifest
from cellmetry.study.store.label_tiles import TILE
from cellmetry.study.store.names import new_name
from cellmetry.study.store.objects import found_objects, insert_objects

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping

    from cellmetry.study.store.label_tiles import Tile
    from cellmetry.study.store.objects import PlaneObjects
    from cellmetry.study.store.store import Store

__all__ = [
    "LabelSet",
    "WrittenLabels",
    "add_labels",
    "discard_labels",
    "enter_labels",
    "label_set",
    "label_sets",
    "labels_of_image",
    "labels_replaced_by",
    "remove_labels",
    "stored_labels",
    "write_labels",
]


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


def _set_of(row: sqlite3.Row) -> LabelSet:
    said = dict(row)
    for name in ("details", "origin"):
        said[name] = json.loads(said[name])
    return LabelSet(**{**said, "shape": tuple(json.loads(said["shape"]))})
