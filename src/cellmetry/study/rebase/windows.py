"""Where humans edited labels, as windows that hold all objects in question whole and do not overlap."""

from __future__ import annotations

import base64
import json
from collections import defaultdict
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy import ndimage

from cellmetry.core.image import Box
from cellmetry.io.tile_store import decode_tile, encode_tile, tile_store
from cellmetry.study.store.label_pixels import is_background, missing_tile
from cellmetry.study.store.label_tiles import box_of_tile, tiles_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from cellmetry.measure.runs import Extents
    from cellmetry.study.store.labels import LabelSet
    from cellmetry.study.store.store import Store

__all__ = ["Said", "edited_windows", "pack", "read_base", "said_of_labels", "unpack"]

_GRID = 16
_IDS_A_QUESTION = 500
_UINT32 = np.dtype("<u4")


class Said(NamedTuple):
    """What a human said and an earlier new model had alike: pixels of the labels before, and as they are since.

    Parameters
    ----------
    base, mine
        uint32 (Y, X); alike where nothing was said.
    """

    t: int
    z: int
    box: Box
    base: NDArray[np.uint32]
    mine: NDArray[np.uint32]

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {"t": self.t, "z": self.z, "box": list(self.box), "base": pack(self.base), "mine": pack(self.mine)}


def pack(window: NDArray[np.uint32]) -> str:
    """Return a window of ids as text."""
    return base64.b64encode(encode_tile(window)).decode("ascii")


def unpack(text: str, box: Box) -> NDArray[np.uint32]:
    """Return the window of ids of a text.

    Raises
    ------
    DamagedFile
        If it is damaged.
    """
    return decode_tile(base64.b64decode(text), box.shape, _UINT32, "a window of ids in the study's database")


def said_of_labels(labels: LabelSet) -> list[Said]:
    """Return what the labels keep of what humans said and their model had alike."""
    found = []
    for each in labels.origin.get("said", ()):
        box = Box(*each["box"])
        found.append(Said(each["t"], each["z"], box, unpack(each["base"], box), unpack(each["mine"], box)))
    return found


def read_base(
    store: Store, labels: LabelSet, t: int, z: int, box: Box, *, said: Iterable[Said] = ()
) -> NDArray[np.uint32]:
    """Return the ids that the model gave in a box of a plane, without what humans said of them."""
    base = _first_window(store, labels, t, z, box)
    for each in said:
        if (each.t, each.z) != (t, z) or not _meet(each.box, box):
            continue
        edges = zip(each.box, box, (max, min, max, min), strict=True)
        both = Box(*(choose(own, other) for own, other, choose in edges))
        here, there = both.within(box).slices, both.within(each.box).slices
        alike = (base[here] == each.mine[there]) & (each.base[there] != each.mine[there])
        base[here] = np.where(alike, each.base[there], base[here])
    return base


def _first_window(store: Store, labels: LabelSet, t: int, z: int, box: Box) -> NDArray[np.uint32]:
    """Return the ids of version 0 in a box of a plane."""
    folder = store.folder / labels.first_checkpoint
    tiles = tile_store(folder)
    window = np.zeros(box.shape, np.uint32)
    for tile, inside in tiles_of(box, 0, t, z):
        place = labels.place(tile)
        if tiles.frame(0, place) is None:
            if not is_background(folder, labels, tile):
                raise missing_tile(store.folder, labels.first_checkpoint, tile)
            continue
        values = tiles.tile(0, place)
        whole = values.reshape(values.shape[-2:])
        window[inside.within(box).slices] = whole[inside.within(box_of_tile(tile)).slices]
    return window


def edited_windows(
    store: Store, labels: LabelSet, said: Iterable[Said], extents: Mapping[tuple[int, int], Extents]
) -> list[tuple[int, int, Box]]:
    """Return windows (t, z, box) that hold all edits, the objects that they touched, and new objects there, whole.

    Parameters
    ----------
    extents
        Boxes of the new objects by frame and plane.
    """
    boxes: dict[tuple[int, int], list[Box]] = defaultdict(list)
    ids: dict[tuple[int, int], set[int]] = defaultdict(set)
    rows = store.database.rows(
        "SELECT t, z, y0, y1, x0, x1, ids FROM patches JOIN edits ON edits.act = patches.act "
        "WHERE labels_id = ? AND version IS NOT NULL",
        (labels.id,),
    )
    for row in rows:
        boxes[row["t"], row["z"]].append(Box(row["y0"], row["y1"], row["x0"], row["x1"]))
        ids[row["t"], row["z"]].update(json.loads(row["ids"]))
    for each in said:
        boxes[each.t, each.z].append(each.box)
        ids[each.t, each.z].update(np.unique(each.mine).tolist(), np.unique(each.base).tolist())
    found = []
    for (t, z), own in sorted(boxes.items()):
        objects = _object_boxes(store, labels, t, z, sorted(ids[t, z] - {0}))
        near = _windows([*own, *objects], extents[t, z], ids[t, z], labels.plane_shape)
        found += [(t, z, box) for box in near]
    return found


def _object_boxes(store: Store, labels: LabelSet, t: int, z: int, ids: Sequence[int]) -> list[Box]:
    found = []
    for start in range(0, len(ids), _IDS_A_QUESTION):
        some = ids[start : start + _IDS_A_QUESTION]
        marks = ", ".join("?" * len(some))
        rows = store.database.rows(
            f"SELECT y0, y1, x0, x1 FROM objects WHERE labels_id = ? AND t = ? AND z = ? AND id IN ({marks})",
            (labels.id, t, z, *some),
        )
        found += [Box(*row) for row in rows]
    return found


def _windows(boxes: Sequence[Box], extents: Extents, ids: set[int], shape: tuple[int, int]) -> list[Box]:
    """Return boxes that do not overlap and hold `boxes` and the new objects that meet them or have one of the ids."""
    grid = np.zeros([size // _GRID + 1 for size in shape], bool)
    for box in boxes:
        _paint(grid, box)
    edges = zip(extents.ids.tolist(), extents.low[:, 1:].tolist(), extents.high[:, 1:].tolist(), strict=True)
    theirs = [(label, Box(low[0], high[0], low[1], high[1])) for label, low, high in edges]
    for box in [box for label, box in theirs if label in ids or grid[_cells(box)].any()]:
        _paint(grid, box)
    count = -1
    while True:
        parts, n = ndimage.label(grid, np.ones((3, 3)))
        places = ndimage.find_objects(parts)
        if n == count:
            break
        count = n
        for place in places:
            grid[place] = True
    return [_box_of(place, shape) for place in places]


def _paint(grid: NDArray[np.bool_], box: Box) -> None:
    rows, columns = _cells(box)
    grid[max(0, rows.start - 1) : rows.stop + 1, max(0, columns.start - 1) : columns.stop + 1] = True


def _cells(box: Box) -> tuple[slice, slice]:
    return slice(box.y0 // _GRID, -(-box.y1 // _GRID)), slice(box.x0 // _GRID, -(-box.x1 // _GRID))


def _box_of(place: tuple[slice, slice], shape: tuple[int, int]) -> Box:
    rows, columns = place
    return Box(
        rows.start * _GRID,
        min(rows.stop * _GRID, shape[0]),
        columns.start * _GRID,
        min(columns.stop * _GRID, shape[1]),
    )


def _meet(one: Box, other: Box) -> bool:
    return one.y0 < other.y1 and other.y0 < one.y1 and one.x0 < other.x1 and other.x0 < one.x1
