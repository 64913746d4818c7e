"""Pixels of label images as they are now: changed tiles lie in the database, all others in a checkpoint."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from cellmetry.core.image import Box, PixelSize
from cellmetry.core.labels import Labels
from cellmetry.errors import DamagedFile, ParameterError
from cellmetry.io.tile_store import decode_tile, tile_store
from cellmetry.study.store.checkpoints import chunk_file
from cellmetry.study.store.label_tiles import TILE, box_of_tile, tiles_of
from cellmetry.study.store.labels import label_set
from cellmetry.study.store.manifests import stored_files

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from cellmetry.study.store.label_tiles import Tile
    from cellmetry.study.store.labels import LabelSet
    from cellmetry.study.store.store import Store

__all__ = [
    "is_background",
    "missing_tile",
    "planes_of",
    "read_labels",
    "read_tile",
    "read_window",
    "tile_frame",
    "whole_labels",
]

_UINT32 = np.dtype("<u4")


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
