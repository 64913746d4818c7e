"""Where each object of a label image is: its box and its pixels in each plane, kept as edits change them."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from cellmetry.core.image import Box
from cellmetry.measure.runs import Extents, extents_and_areas, merge_extents

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from cellmetry.io.tile_store import TileStore
    from cellmetry.study.store.label_tiles import Patch
    from cellmetry.study.store.labels import LabelSet
    from cellmetry.study.store.store import Store

__all__ = [
    "PlaneObjects",
    "StoredObject",
    "box_around",
    "boxes_before",
    "count_bodies",
    "count_stored",
    "find_object",
    "found_objects",
    "insert_objects",
    "objects_in",
    "objects_page",
    "store_objects",
    "update_objects",
]

_IDS_A_QUESTION = 500
_STRIP = 512


class StoredObject(NamedTuple):
    """One object in one plane."""

    t: int
    z: int
    id: int
    box: Box
    area_px: int


class PlaneObjects(NamedTuple):
    """The objects of one plane: their boxes, in rows (0, y, x), and numbers of pixels."""

    t: int
    z: int
    extents: Extents
    areas: NDArray[np.int64]


class _Found(NamedTuple):
    """Objects with their boxes, in rows (y0, y1, x0, x1), and numbers of pixels."""

    extents: Extents
    areas: NDArray[np.int64]


def store_objects(connection: sqlite3.Connection, labels_id: str, axes: str, tiles: TileStore) -> int:
    """Return the largest id after storing all objects of a label image, plane by plane, tile by tile."""
    return insert_objects(connection, labels_id, found_objects(axes, tiles))


def found_objects(axes: str, tiles: TileStore) -> Iterator[PlaneObjects]:
    """Yield the objects of a label image, plane by plane."""
    level = tiles.levels[0]
    for lead in product(*(range(size) for size in level.shape[:-2])):
        place = dict(zip(axes, lead, strict=False))
        found = _merged(
            [
                _found(tiles.tile(0, (*lead, y, x)).reshape(level.tile[-2:]), y * level.tile[-2], x * level.tile[-1])
                for y, x in product(*(range(n) for n in level.count[-2:]))
            ]
        )
        yield PlaneObjects(place.get("T", 0), place.get("Z", 0), *found)


def insert_objects(connection: sqlite3.Connection, labels_id: str, planes: Iterable[PlaneObjects]) -> int:
    """Return the largest id after storing objects of a label image; call it within a transaction."""
    largest = 0
    for t, z, extents, areas in planes:
        _insert(connection, labels_id, t, z, _Found(extents, areas))
        largest = max(largest, int(extents.ids.max(initial=0)))
    return largest


def update_objects(
    connection: sqlite3.Connection,
    labels_id: str,
    patches: Sequence[Patch],
    read: Callable[[Box], NDArray[np.uint32]],
) -> None:
    """Bring the objects that patches of one plane touched up to date, after their pixels are stored.

    Boxes and areas follow from the pixels that changed; an object is read again only where it lost pixels at the edge
    of its box.

    Parameters
    ----------
    patches
        No pixel changes in two of them.
    read
        Returns the ids in a box of the plane, with the patches.
    """
    t, z = patches[0].t, patches[0].z
    gained, lost = (_by_id([_changed(patch, side) for patch in patches]) for side in ("after", "before"))
    ids = np.array(sorted({*gained, *lost}), np.int64)
    old = {each.id: (each.box, each.area_px) for each in _select(connection, labels_id, t, z, ids)}
    connection.executemany(
        "DELETE FROM objects WHERE labels_id = ? AND t = ? AND z = ? AND id = ?",
        [(labels_id, t, z, label) for label in ids.tolist()],
    )
    rows = []
    for label in ids.tolist():
        parts = [each[label] for each in (old, gained) if label in each]
        area = sum(part[1] for part in parts) - (lost[label][1] if label in lost else 0)
        if area == 0:
            continue
        box = box_around([part[0] for part in parts])
        if label in lost and _reaches_edge(lost[label][0], box):
            box = _tight(box, label, read)
        rows.append((labels_id, t, z, label, *box, area))
    connection.executemany(
        "INSERT INTO objects (labels_id, t, z, id, y0, y1, x0, x1, area_px) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows
    )


def _changed(patch: Patch, side: Literal["before", "after"]) -> _Found:
    """Return the objects of the pixels that a patch changes, as they were or are."""
    window = np.where(patch.before != patch.after, getattr(patch, side), 0)
    return _found(window.astype(np.uint32, copy=False), patch.box.y0, patch.box.x0)


def _by_id(parts: Sequence[_Found]) -> dict[int, tuple[Box, int]]:
    found = _merged(parts)
    low, high = found.extents.low[:, 1:].tolist(), found.extents.high[:, 1:].tolist()
    boxes = [Box(y0, y1, x0, x1) for (y0, x0), (y1, x1) in zip(low, high, strict=True)]
    return dict(zip(found.extents.ids.tolist(), zip(boxes, found.areas.tolist(), strict=True), strict=True))


def _reaches_edge(inner: Box, box: Box) -> bool:
    return inner.y0 <= box.y0 or inner.y1 >= box.y1 or inner.x0 <= box.x0 or inner.x1 >= box.x1


def _tight(box: Box, label: int, read: Callable[[Box], NDArray[np.uint32]]) -> Box:
    """Return the box of an object that has pixels in a box, read strip by strip."""
    rows, columns = [], np.zeros(box.shape[1], bool)
    for y in range(box.y0, box.y1, _STRIP):
        own = read(Box(y, min(y + _STRIP, box.y1), box.x0, box.x1)) == label
        rows.append(own.any(axis=1))
        columns |= own.any(axis=0)
    y_in, x_in = np.flatnonzero(np.concatenate(rows)), np.flatnonzero(columns)
    return Box(box.y0 + int(y_in[0]), box.y0 + int(y_in[-1]) + 1, box.x0 + int(x_in[0]), box.x0 + int(x_in[-1]) + 1)


def boxes_before(patch: Patch) -> dict[int, Box]:
    """Return the objects that had the pixels that a patch changes, and the box of these pixels of each."""
    return {label: box for label, (box, _) in _by_id([_changed(patch, "before")]).items()}


def find_object(store: Store, labels: LabelSet, label: int, t: int = 0, z: int = 0) -> StoredObject | None:
    """Return where an object is in a plane, None if it is not there."""
    row = store.database.row(
        "SELECT * FROM objects WHERE labels_id = ? AND t = ? AND z = ? AND id = ?", (labels.id, t, z, label)
    )
    return None if row is None else _object_of(row)


def objects_in(store: Store, labels: LabelSet, t: int, z: int, box: Box) -> list[StoredObject]:
    """Return the objects whose boxes meet a box, by id."""
    rows = store.database.rows(
        "SELECT * FROM objects WHERE labels_id = ? AND t = ? AND z = ? AND y0 < ? AND y1 > ? AND x0 < ? AND x1 > ? "
        "ORDER BY id",
        (labels.id, t, z, box.y1, box.y0, box.x1, box.x0),
    )
    return [_object_of(row) for row in rows]


def objects_page(  # noqa: PLR0913  one page of a window
    store: Store, labels: LabelSet, t: int, z: int, box: Box, *, after: int = 0, limit: int = 1000
) -> list[StoredObject]:
    """Return the objects whose boxes meet a box and whose ids are above `after`, by id."""
    rows = store.database.rows(
        "SELECT * FROM objects WHERE labels_id = ? AND t = ? AND z = ? AND id > ? AND y0 < ? AND y1 > ? AND x0 < ? "
        "AND x1 > ? ORDER BY id LIMIT ?",
        (labels.id, t, z, after, box.y1, box.y0, box.x1, box.x0, limit),
    )
    return [_object_of(row) for row in rows]


def count_stored(store: Store, labels: LabelSet) -> int:
    """Return the number of outlines: every object once in each plane where it is."""
    row = store.database.row("SELECT count(*) AS n FROM objects WHERE labels_id = ?", (labels.id,))
    return 0 if row is None else int(row["n"])


def count_bodies(store: Store, labels: LabelSet) -> int:
    """Return the number of objects: once in each plane where it is, but once in all where they are linked along Z."""
    if labels.details["linked_z"] is False or "Z" not in labels.axes:
        return count_stored(store, labels)
    told = "SELECT count(*) AS n FROM (SELECT DISTINCT t, id FROM objects WHERE labels_id = ?)"
    row = store.database.row(told, (labels.id,))
    return 0 if row is None else int(row["n"])


def box_around(boxes: Iterable[Box]) -> Box:
    """Return the smallest box that holds all of `boxes`, of which there is one at least."""
    edges = np.array(list(boxes))
    low, high = edges.min(axis=0), edges.max(axis=0)
    return Box(int(low[0]), int(high[1]), int(low[2]), int(high[3]))


def _found(window: NDArray[np.uint32], y: int, x: int) -> _Found:
    """Return the objects of a window whose first pixel lies at row y and column x."""
    return _Found(*extents_and_areas(window[None], (0, y, x)))


def _merged(parts: Sequence[_Found]) -> _Found:
    if not parts:
        empty = np.empty((0, 3), np.int64)
        return _Found(Extents(np.empty(0, np.uint32), empty, empty), np.empty(0, np.int64))
    extents = merge_extents([part.extents for part in parts])
    places = np.searchsorted(extents.ids, np.concatenate([part.extents.ids for part in parts]))
    areas = np.zeros(extents.ids.size, np.int64)
    np.add.at(areas, places, np.concatenate([part.areas for part in parts]))
    return _Found(extents, areas)


def _insert(connection: sqlite3.Connection, labels_id: str, t: int, z: int, found: _Found) -> None:
    low, high = found.extents.low, found.extents.high
    columns = (found.extents.ids, low[:, 1], high[:, 1], low[:, 2], high[:, 2], found.areas)
    connection.executemany(
        "INSERT INTO objects (labels_id, t, z, id, y0, y1, x0, x1, area_px) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [(labels_id, t, z, *row) for row in zip(*(column.tolist() for column in columns), strict=True)],
    )


def _select(
    connection: sqlite3.Connection, labels_id: str, t: int, z: int, ids: NDArray[np.int64]
) -> list[StoredObject]:
    found = []
    for start in range(0, ids.size, _IDS_A_QUESTION):
        some = ids[start : start + _IDS_A_QUESTION].tolist()
        marks = ", ".join("?" * len(some))
        found += connection.execute(
            f"SELECT * FROM objects WHERE labels_id = ? AND t = ? AND z = ? AND id IN ({marks})",
            (labels_id, t, z, *some),
        ).fetchall()
    return [_object_of(row) for row in found]


def _object_of(row: sqlite3.Row) -> StoredObject:
    return StoredObject(row["t"], row["z"], row["id"], Box(row["y0"], row["y1"], row["x0"], row["x1"]), row["area_px"])
