"""Labels as who makes an edit saw them: at a version, with their own edits since, without those of others."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cellmetry.core.image import Box
from cellmetry.errors import ParameterError
from cellmetry.study.store.edit_log import patches_of
from cellmetry.study.store.labels import box_of_tile, tiles_of
from cellmetry.study.store.objects import box_around, boxes_before
from cellmetry.study.store.view import StoredView

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from cellmetry.study.store.acts import Actor
    from cellmetry.study.store.labels import LabelSet, Patch, Tile
    from cellmetry.study.store.store import Store

__all__ = ["Seen", "SeenView", "common_box", "seen_by"]


_KEPT_TILES = 16


class Seen(NamedTuple):
    """What who makes an edit knows.

    Parameters
    ----------
    version
        That they saw last.
    who, session
        Edits since then by this person in this window or program are known too. Without a name of the window none are.
    """

    version: int
    who: str
    session: str


def seen_by(actor: Actor, labels: LabelSet, version: int | None, session: str) -> Seen:
    """Return what who makes an edit of labels knows, if they say that they saw a version; else the present one.

    Raises
    ------
    ParameterError
        If there is no such version yet.
    """
    known = labels.version if version is None else version
    if not 0 <= known <= labels.version:
        raise ParameterError(f"There is no version {known} of {labels.name}; the present one is {labels.version}.")
    return Seen(known, actor.who, session)


class SeenView(StoredView):
    """Labels as who makes an edit saw them, as an operation sees them, within its transaction; a `LabelView`.

    Parameters
    ----------
    others
        Edits that others made since: act and the objects that changed, the newest first.
    met
        The newest of these without which something that was asked of this view would look as it does now; 0 if none.
    """

    def __init__(self, store: Store, labels: LabelSet, seen: Seen) -> None:
        super().__init__(store, labels)
        rows = store.database.rows(
            "SELECT act, ids FROM edits JOIN acts ON seq = act WHERE labels_id = ? AND version > ? "
            "AND (session = '' OR session != ? OR who != ?) ORDER BY version DESC",
            (labels.id, seen.version, seen.session, seen.who),
        )
        self.others = {int(row["act"]): frozenset[int](json.loads(row["ids"])) for row in rows}
        self.met = 0
        self._since = seen.version
        self._tiles: dict[Tile, NDArray[np.uint32]] = {}
        self._had: dict[tuple[int, int], dict[int, list[Box]]] = {}
        self._touched = frozenset[int]().union(*self.others.values())

    def read(self, t: int, z: int, box: Box) -> NDArray[np.uint32]:
        """Return the ids in a box of a plane."""
        window = super().read(t, z, box)
        for act, patch in self.patches_at(t, z, box):
            common = common_box(box, patch.box)
            there = common.within(patch.box).slices
            place, before, after = window[common.within(box).slices], patch.before[there], patch.after[there]
            back = (before != after) & (place == after)
            if back.any():
                np.copyto(place, before, where=back)
                self.met = max(self.met, act)
        return window

    def box_of(self, label: int, t: int, z: int) -> Box | None:
        """Return the box of an object in a plane, None if it is not there."""
        now = super().box_of(label, t, z)
        if label not in self._touched:
            return now
        before = self._before(t, z).get(label, [])
        found = []
        for part in before if now is None else [now, *before]:
            for inside, own in self._own(label, t, z, part):
                rows, columns = (np.flatnonzero(own.any(axis=axis)).tolist() for axis in (1, 0))
                if rows:
                    y, x = inside.y0, inside.x0
                    found.append(Box(y + rows[0], y + rows[-1] + 1, x + columns[0], x + columns[-1] + 1))
        return box_around(found) if found else None

    def area_of(self, label: int, t: int, z: int) -> int:
        """Return how many pixels an object has in a plane."""
        if label not in self._touched:
            return super().area_of(label, t, z)
        box = self.box_of(label, t, z)
        return 0 if box is None else sum(int(np.count_nonzero(own)) for _, own in self._own(label, t, z, box))

    def last_of(self, ids: frozenset[int]) -> int:
        """Return the newest act by which others changed one of some objects, 0 if there is none."""
        return max((act for act, changed in self.others.items() if changed & ids), default=0)

    def patches_at(self, t: int, z: int, box: Box) -> Iterator[tuple[int, Patch]]:
        """Yield what others changed since in places that meet a box: the act and the patch, the newest first."""
        if not self.others:
            return
        rows = self._store.database.rows(
            "SELECT patches.act, part FROM edits JOIN patches ON patches.act = edits.act WHERE labels_id = ? "
            "AND version > ? AND t = ? AND z = ? AND y0 < ? AND y1 > ? AND x0 < ? AND x1 > ? "
            "ORDER BY version DESC, part",
            (self._labels.id, self._since, t, z, box.y1, box.y0, box.x1, box.x0),
        )
        for row in rows:
            if row["act"] in self.others:
                yield row["act"], patches_of(self._store, row["act"], row["part"])[0]

    def _before(self, t: int, z: int) -> dict[int, list[Box]]:
        """Return where objects of a plane had pixels that others changed since."""
        if (t, z) not in self._had:
            had: dict[int, list[Box]] = {}
            for _, patch in self.patches_at(t, z, Box(0, self.plane_shape[0], 0, self.plane_shape[1])):
                for label, box in boxes_before(patch).items():
                    had.setdefault(label, []).append(box)
            self._had[t, z] = had
        return self._had[t, z]

    def _own(self, label: int, t: int, z: int, box: Box) -> Iterator[tuple[Box, NDArray[np.bool_]]]:
        """Yield the parts of a box in which tiles lie, and which pixels of each an object has."""
        for tile, inside in tiles_of(box, 0, t, z):
            yield inside, self._tile(tile)[inside.within(box_of_tile(tile)).slices] == label

    def _tile(self, tile: Tile) -> NDArray[np.uint32]:
        """Return the ids of a tile; those asked for last are kept, since objects lie side by side."""
        if tile not in self._tiles:
            whole, (height, width) = box_of_tile(tile), self.plane_shape
            box = Box(whole.y0, min(whole.y1, height), whole.x0, min(whole.x1, width))
            self._tiles[tile] = self.read(tile.t, tile.z, box)
            if len(self._tiles) > _KEPT_TILES:
                del self._tiles[next(iter(self._tiles))]
        return self._tiles[tile]


def common_box(one: Box, other: Box) -> Box:
    """Return the box that two boxes have in common, an empty one if they do not meet."""
    y0, x0 = max(one.y0, other.y0), max(one.x0, other.x0)
    return Box(y0, max(y0, min(one.y1, other.y1)), x0, max(x0, min(one.x1, other.x1)))
