"""Labels as who makes an edit saw them: at a version, with their own edits since, without those of others."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cellmetry.core.image import Box
from cellmetry.errors import ParameterError
from cellmetry.study.store.edit_log import patches_of
from cellmetry.study.store.objects import box_around
from cellmetry.study.store.view import StoredView

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from cellmetry.study.store.acts import Actor
    from cellmetry.study.store.labels import LabelSet, Patch
    from cellmetry.study.store.store import Store

__all__ = ["Seen", "SeenView", "common_box", "seen_by"]


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
        everywhere = Box(0, self.plane_shape[0], 0, self.plane_shape[1])
        places = [box for act, _, box in self._places(t, z, everywhere) if label in self.others[act]]
        parts = [self._box_within(box, label, t, z) for box in (places if now is None else [now, *places])]
        found = [box for box in parts if box is not None]
        return box_around(found) if found else None

    def area_of(self, label: int, t: int, z: int) -> int:
        """Return how many pixels an object has in a plane."""
        if label not in self._touched:
            return super().area_of(label, t, z)
        box = self.box_of(label, t, z)
        return 0 if box is None else int(np.count_nonzero(self.read(t, z, box) == label))

    def last_of(self, ids: frozenset[int]) -> int:
        """Return the newest act by which others changed one of some objects, 0 if there is none."""
        return max((act for act, changed in self.others.items() if changed & ids), default=0)

    def patches_at(self, t: int, z: int, box: Box) -> Iterator[tuple[int, Patch]]:
        """Yield what others changed since in places that meet a box: the act and the patch, the newest first."""
        for act, part, _ in self._places(t, z, box):
            yield act, patches_of(self._store, act, part)[0]

    def _places(self, t: int, z: int, box: Box) -> list[tuple[int, int, Box]]:
        """Return act, number and box of what others changed since where that meets a box, the newest first."""
        if not self.others:
            return []
        rows = self._store.database.rows(
            "SELECT patches.act, part, y0, y1, x0, x1 FROM edits JOIN patches ON patches.act = edits.act "
            "WHERE labels_id = ? AND version > ? AND t = ? AND z = ? AND y0 < ? AND y1 > ? AND x0 < ? AND x1 > ? "
            "ORDER BY version DESC, part",
            (self._labels.id, self._since, t, z, box.y1, box.y0, box.x1, box.x0),
        )
        return [(row["act"], row["part"], Box(*tuple(row)[2:])) for row in rows if row["act"] in self.others]

    def _box_within(self, box: Box, label: int, t: int, z: int) -> Box | None:
        """Return the box of what an object has in a box."""
        own = self.read(t, z, box) == label
        rows, columns = (np.flatnonzero(own.any(axis=axis)).tolist() for axis in (1, 0))
        if not rows:
            return None
        return Box(box.y0 + rows[0], box.y0 + rows[-1] + 1, box.x0 + columns[0], box.x0 + columns[-1] + 1)


def common_box(one: Box, other: Box) -> Box:
    """Return the box that two boxes have in common, an empty one if they do not meet."""
    y0, x0 = max(one.y0, other.y0), max(one.x0, other.x0)
    return Box(y0, max(y0, min(one.y1, other.y1)), x0, max(x0, min(one.x1, other.x1)))
