"""Conflicts: what another session changed since the version that an edit was made on."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np

from cellmetry.core.image import Box
from cellmetry.study.store.acts import Act, find_act
from cellmetry.study.store.edit_log import patches_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cellmetry.study.store.labels import LabelSet, Patch
    from cellmetry.study.store.store import Store

__all__ = ["changed_objects", "changed_place"]


def changed_place(store: Store, labels: LabelSet, patches: Sequence[Patch], base: int, session: str) -> Act | None:
    """Return the last act by which another session changed, since a version, one of these pixels or objects there."""
    if base >= labels.version:
        return None
    found = 0
    for patch in patches:
        rows = store.database.rows(
            "SELECT patches.act, part FROM edits JOIN patches ON patches.act = edits.act WHERE labels_id = ? "
            "AND version > ? AND (session = '' OR session != ?) AND t = ? AND z = ? AND y0 < ? AND y1 > ? AND x0 < ? "
            "AND x1 > ? AND patches.act > ? ORDER BY patches.act DESC",
            (labels.id, base, session, patch.t, patch.z, patch.box.y1, patch.box.y0, patch.box.x1, patch.box.x0, found),
        )
        for row in rows:
            if row["act"] > found and _meet(patch, patches_of(store, row["act"], row["part"])[0]):
                found = row["act"]
    return find_act(store, found) if found else None


def _meet(patch: Patch, other: Patch) -> bool:
    """Return whether two patches change the same pixel or the same object."""
    changed, theirs = patch.before != patch.after, other.before != other.after
    y0, x0 = max(patch.box.y0, other.box.y0), max(patch.box.x0, other.box.x0)
    common = Box(y0, min(patch.box.y1, other.box.y1), x0, min(patch.box.x1, other.box.x1))
    if (changed[common.within(patch.box).slices] & theirs[common.within(other.box).slices]).any():
        return True
    mine = np.union1d(patch.before[changed], patch.after[changed])
    both = np.intersect1d(mine, np.union1d(other.before[theirs], other.after[theirs]))
    return bool(both.size and both[-1] > 0)


def changed_objects(store: Store, labels: LabelSet, named: frozenset[int], base: int, session: str) -> Act | None:
    """Return the last act by which another session changed one of these objects since a version."""
    rows = store.database.rows(
        "SELECT act, ids FROM edits WHERE labels_id = ? AND version > ? AND (session = '' OR session != ?) "
        "ORDER BY version DESC",
        (labels.id, base, session),
    )
    return next((find_act(store, row["act"]) for row in rows if named & set(json.loads(row["ids"]))), None)
