"""Putting the changes of an edit into tiles: which pixels change, and what the pyramid shows of them."""

from __future__ import annotations

from functools import lru_cache, partial
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cellmetry.core.image import Box
from cellmetry.errors import LimitExceeded
from cellmetry.io.tile_store import encode_tile
from cellmetry.study.editing.operation import Change
from cellmetry.study.editing.places import pieces
from cellmetry.study.store.edit_log import BATCH_PIXELS
from cellmetry.study.store.label_pixels import read_tile, read_window
from cellmetry.study.store.label_tiles import Patch, box_of_tile, tiles_of
from cellmetry.study.store.objects import update_objects

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from cellmetry.study.editing.operation import LabelView
    from cellmetry.study.store.label_tiles import Tile
    from cellmetry.study.store.labels import LabelSet
    from cellmetry.study.store.store import Store

__all__ = ["MOST_PIXELS", "must_be_small", "patch_batches", "patches_of_changes", "write_patches"]

MOST_PIXELS = 1 << 26
"""Pixels of all boxes that one edit of a person may change."""
_FEW = 500
_KEPT_TILES = 64


class _Seen(NamedTuple):
    """What a level shows of a patch: its box there, which pixels change, and their new ids."""

    box: Box
    changed: NDArray[np.bool_]
    after: NDArray[np.uint32]


def must_be_small(pixels: int) -> None:
    """Refuse an edit of too many pixels.

    Raises
    ------
    LimitExceeded
        If it is; says how many there may be.
    """
    if pixels > MOST_PIXELS:
        raise LimitExceeded(
            f"One edit changes boxes of at most {MOST_PIXELS / 1e6:.0f} megapixels, this one of {pixels / 1e6:.0f}; do "
            f"it in parts."
        )


def patches_of_changes(view: LabelView, changes: Iterable[Change]) -> list[Patch]:
    """Return the parts of changes that do change pixels, each in the smallest box; no two boxes overlap.

    Where changes overlap, the first that changes a pixel holds.

    Raises
    ------
    LimitExceeded
        If they are too large together.
    """
    planes: dict[tuple[int, int], list[Change]] = {}
    for change in changes:
        planes.setdefault((change.t, change.z), []).append(change)
    found: list[Patch] = []
    total = 0
    for (t, z), here in planes.items():
        edges = np.array([change.box for change in here])
        for box in _apart([change.box for change in here], edges):
            before = view.read(t, z, box)
            meeting = np.flatnonzero(_meeting(edges, box))
            patch = _patch(t, z, box, before, [here[index] for index in meeting])
            if patch is not None:
                total += patch.before.size
                must_be_small(total)
                found.append(patch)
    return found


def patch_batches(store: Store, labels: LabelSet, changes: Iterable[Change]) -> Iterator[list[Patch]]:
    """Yield the parts of changes that do change pixels, so many at a time as memory holds at ease.

    Parameters
    ----------
    changes
        No two of their boxes overlap.
    """
    batch: list[Patch] = []
    pixels = 0
    for change in chain.from_iterable(map(_strips, changes)):
        before = read_window(store, labels, change.t, change.z, change.box)
        patch = _patch(change.t, change.z, change.box, before, [change])
        if patch is None:
            continue
        if batch and pixels + patch.before.size > BATCH_PIXELS:
            yield batch
            batch, pixels = [], 0
        batch.append(patch)
        pixels += patch.before.size
    if batch:
        yield batch


def write_patches(
    connection: sqlite3.Connection, store: Store, labels: LabelSet, patches: Sequence[Patch], version: int
) -> list[Tile]:
    """Return the tiles of all levels that change when patches are put in; call it within a transaction.

    Parameters
    ----------
    patches
        Their boxes do not overlap.
    """
    touched = []
    for t, z in dict.fromkeys((patch.t, patch.z) for patch in patches):
        here = [patch for patch in patches if (patch.t, patch.z) == (t, z)]
        seen = [_Seen(patch.box, patch.before != patch.after, patch.after) for patch in here]
        for level in range(labels.levels):
            for tile, values in _changed_tiles(store, labels, seen, (level, t, z)):
                connection.execute(
                    "INSERT OR REPLACE INTO tiles VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                    (labels.id, *tile, version, encode_tile(values)),
                )
                touched.append(tile)
            seen = [half for each in seen if (half := _half(each)).changed.any()]
            if not seen:
                break
        _update_objects(connection, store, labels, here)
    return touched


def _changed_tiles(
    store: Store, labels: LabelSet, seen: Sequence[_Seen], plane: tuple[int, int, int]
) -> list[tuple[Tile, NDArray[np.uint32]]]:
    """Return the tiles of a level (level, t, z) in which a pixel changes, with their new ids."""
    tiles: dict[Tile, NDArray[np.uint32]] = {}
    for each in seen:
        for tile, inside in tiles_of(each.box, *plane):
            place = inside.within(each.box).slices
            changed = each.changed[place]
            if not changed.any():
                continue
            if tile not in tiles:
                tiles[tile] = read_tile(store, labels, tile)
            np.copyto(tiles[tile][inside.within(box_of_tile(tile)).slices], each.after[place], where=changed)
    return list(tiles.items())


def _half(seen: _Seen) -> _Seen:
    """Return what the next level shows: every second pixel of this one."""
    box = Box(*(-(-edge // 2) for edge in seen.box))
    rows, columns = box.y0 * 2 - seen.box.y0, box.x0 * 2 - seen.box.x0
    return _Seen(box, seen.changed[rows::2, columns::2], seen.after[rows::2, columns::2])


def _strips(change: Change) -> Iterator[Change]:
    """Yield a change in strips of rows, none larger than memory holds at ease."""
    box, rows = change.box, max(1, BATCH_PIXELS // max(1, change.box.shape[1]))
    for y in range(box.y0, box.y1, rows):
        strip = Box(y, min(y + rows, box.y1), box.x0, box.x1)
        yield Change(change.t, change.z, strip, change.after[strip.within(box).slices])


def _apart(boxes: Sequence[Box], edges: NDArray[np.int64]) -> Sequence[Box]:
    """Return boxes as they are if none overlap, else pieces that hold them and do not overlap."""
    if len(boxes) <= _FEW and all(np.count_nonzero(_meeting(edges, box)) == 1 for box in boxes):
        return boxes
    return pieces(boxes)


def _meeting(edges: NDArray[np.int64], box: Box) -> NDArray[np.bool_]:
    """Return which boxes (rows y0, y1, x0, x1) meet another."""
    y0, y1, x0, x1 = edges.T
    meets: NDArray[np.bool_] = (y0 < box.y1) & (box.y0 < y1) & (x0 < box.x1) & (box.x0 < x1)
    return meets


def _patch(t: int, z: int, box: Box, before: NDArray[np.uint32], changes: Sequence[Change]) -> Patch | None:
    """Return what changes do within a box, None if they change nothing."""
    after = before.copy()
    for change in changes:
        y0, x0 = max(box.y0, change.box.y0), max(box.x0, change.box.x0)
        common = Box(y0, min(box.y1, change.box.y1), x0, min(box.x1, change.box.x1))
        place, new = common.within(box).slices, change.after[common.within(change.box).slices]
        np.copyto(after[place], new.astype(np.uint32, copy=False), where=after[place] == before[place])
    rows, columns = (np.flatnonzero((before != after).any(axis=axis)) for axis in (1, 0))
    if not rows.size:
        return None
    inner = Box(int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1)
    y, x = int(box.y0), int(box.x0)
    outer = Box(inner.y0 + y, inner.y1 + y, inner.x0 + x, inner.x1 + x)
    return Patch(t, z, outer, before[inner.slices], after[inner.slices])


def _update_objects(connection: sqlite3.Connection, store: Store, labels: LabelSet, patches: Sequence[Patch]) -> None:
    t, z = patches[0].t, patches[0].z
    read = lru_cache(_KEPT_TILES)(partial(read_tile, store, labels))  # many objects lie in one tile
    update_objects(connection, labels.id, patches, lambda box: read_window(store, labels, t, z, box, read=read))
