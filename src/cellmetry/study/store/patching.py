"""Putting the changes of an edit into tiles: which pixels change, and what the pyramid shows of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cellmetry.core.image import Box
from cellmetry.errors import LimitExceeded
from cellmetry.io.tile_store import encode_tile
from cellmetry.study.store.labels import Patch, box_of_tile, read_tile, read_window, tiles_of
from cellmetry.study.store.objects import update_objects

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from cellmetry.study.editing.operation import Change
    from cellmetry.study.store.labels import LabelSet, Tile
    from cellmetry.study.store.store import Store

__all__ = ["MOST_PIXELS", "must_be_small", "patches_of_changes", "write_patches"]

MOST_PIXELS = 1 << 26
"""Pixels of all boxes that one edit may change."""


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


def patches_of_changes(store: Store, labels: LabelSet, changes: Iterable[Change]) -> list[Patch]:
    """Return the parts of changes that do change pixels, each in the smallest box.

    No pixel changes in two of them: where changes overlap, the first holds.

    Raises
    ------
    LimitExceeded
        If they are too large together.
    """
    found: list[Patch] = []
    total = 0
    for change in changes:
        before = read_window(store, labels, change.t, change.z, change.box)
        differing = before != change.after
        for other in found:
            if (other.t, other.z) == (change.t, change.z):
                _leave_out(differing, change.box, other)
        if not differing.any():
            continue
        rows, columns = (np.flatnonzero(differing.any(axis=axis)) for axis in (1, 0))
        inner = Box(int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1)
        y, x = int(change.box.y0), int(change.box.x0)
        box = Box(inner.y0 + y, inner.y1 + y, inner.x0 + x, inner.x1 + x)
        total += box.shape[0] * box.shape[1]
        must_be_small(total)
        old = before[inner.slices]
        after = np.where(differing[inner.slices], change.after[inner.slices], old).astype(np.uint32, copy=False)
        found.append(Patch(change.t, change.z, box, old, after))
    return found


def write_patches(
    connection: sqlite3.Connection, store: Store, labels: LabelSet, patches: Sequence[Patch], version: int
) -> list[Tile]:
    """Return the tiles of all levels that change when patches are put in; call it within a transaction.

    Parameters
    ----------
    patches
        No pixel changes in two of them.
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


def _leave_out(differing: NDArray[np.bool_], box: Box, other: Patch) -> None:
    """Clear the pixels of a box that another patch changes."""
    common = Box(
        max(box.y0, other.box.y0), min(box.y1, other.box.y1), max(box.x0, other.box.x0), min(box.x1, other.box.x1)
    )
    if min(common.shape) > 0:
        place = common.within(other.box).slices
        differing[common.within(box).slices] &= other.before[place] == other.after[place]


def _update_objects(connection: sqlite3.Connection, store: Store, labels: LabelSet, patches: Sequence[Patch]) -> None:
    t, z = patches[0].t, patches[0].z
    update_objects(connection, labels.id, patches, lambda box: read_window(store, labels, t, z, box))
