"""Edits that a merge would lose: what humans set is looked for in the merged labels, edit by edit."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cellmetry.ops.overlaps import count_overlaps
from cellmetry.study.store.edit_log import patch_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from cellmetry.core.image import Box
    from cellmetry.study.store.labels import LabelSet
    from cellmetry.study.store.store import Store

__all__ = ["Stroke", "overlooked", "strokes_in"]

_HELD = 0.5
"""Share of the pixels that an edit set and no later edit changed that must be as it set them."""


class Stroke(NamedTuple):
    """What an edit that holds changed in a window: ids before and after, uint32 (Y, X), and where in the window."""

    rows: slice
    columns: slice
    before: NDArray[np.uint32]
    after: NDArray[np.uint32]


def strokes_in(store: Store, labels: LabelSet, t: int, z: int, window: Box) -> Iterator[Stroke]:
    """Yield what the edits that hold changed in a window of a plane, edit by edit.

    Raises
    ------
    DamagedFile
        If the pixels of an edit are damaged.
    """
    rows = store.database.rows(
        "SELECT patches.* FROM patches JOIN edits ON edits.act = patches.act JOIN acts ON acts.seq = edits.act "
        "WHERE labels_id = ? AND version IS NOT NULL AND undone_by IS NULL AND undoes IS NULL "
        "AND t = ? AND z = ? AND y0 < ? AND y1 > ? AND x0 < ? AND x1 > ? ORDER BY patches.act, part",
        (labels.id, t, z, window.y1, window.y0, window.x1, window.x0),
    )
    for row in rows:
        patch = patch_of(row)
        y0, y1 = max(patch.box.y0, window.y0), min(patch.box.y1, window.y1)
        x0, x1 = max(patch.box.x0, window.x0), min(patch.box.x1, window.x1)
        part = (slice(y0 - patch.box.y0, y1 - patch.box.y0), slice(x0 - patch.box.x0, x1 - patch.box.x0))
        rows_in, columns_in = slice(y0 - window.y0, y1 - window.y0), slice(x0 - window.x0, x1 - window.x0)
        yield Stroke(rows_in, columns_in, patch.before[part], patch.after[part])


def overlooked(strokes: Iterable[Stroke], mine: NDArray[np.uint32], merged: NDArray[np.uint32]) -> set[int]:
    """Return the objects of edits of whose pixels more than half are not as the human set them.

    A pixel is as it was set if it is in the same object, which still is the same (IoU 0.5), or, where something was
    taken out, if it is not in what it was taken from.

    Parameters
    ----------
    mine, merged
        uint32 (Y, X): labels of the window as the human left them, and as a merge gives them.
    """
    same = _same(mine, merged)
    lost: set[int] = set()
    for stroke in strokes:
        now, is_so = mine[stroke.rows, stroke.columns], merged[stroke.rows, stroke.columns]
        standing = (stroke.before != stroke.after) & (now == stroke.after)
        put_in = (stroke.after > 0) & (is_so == stroke.after) & np.isin(stroke.after, same)
        met = standing & (put_in | ((stroke.after == 0) & (is_so != stroke.before)))
        if np.count_nonzero(met) < _HELD * np.count_nonzero(standing):
            touched = np.union1d(stroke.after[standing], stroke.before[standing & (stroke.after == 0)])
            lost.update(touched[touched > 0].tolist())
    return lost


def _same(mine: NDArray[np.uint32], merged: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Return the ids of objects that are in about the same place in both."""
    found = count_overlaps(mine, merged)
    own = found.first_ids[found.rows] == found.second_ids[found.columns]
    ids, shared = found.first_ids[found.rows][own], found.pixels[own]
    areas = [dict(zip(*np.unique(each, return_counts=True), strict=True)) for each in (mine, merged)]
    whole = np.array([areas[0][label] + areas[1][label] for label in ids], dtype=np.int64) - shared
    kept: NDArray[np.uint32] = ids[shared >= 0.5 * whole]
    return kept
