"""Conflicts: an edit does what it would have done to the labels that its maker saw, or it is refused.

So an operation is done twice where others changed the labels since: to the labels as they are, and to those without
what the others changed. If it differs, or what it changes meets what they changed, there is a conflict: also where an
operation yields to others, as a brush that leaves their pixels alone, and where it can do nothing any more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cellmetry.errors import LimitExceeded, ParameterError
from cellmetry.study.store.acts import ALIVE, find_act
from cellmetry.study.store.labels import labels_of_image
from cellmetry.study.store.patching import patches_of_changes
from cellmetry.study.store.seen import SeenView, common_box
from cellmetry.study.store.view import StoredView

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from cellmetry.study.editing.operation import Change, LabelView
    from cellmetry.study.store.label_tiles import Patch
    from cellmetry.study.store.labels import LabelSet
    from cellmetry.study.store.seen import Seen
    from cellmetry.study.store.store import Store

__all__ = ["Attempt", "Conflict", "attempt", "changed_since", "not_shown"]


class Conflict(NamedTuple):
    """Why an edit is refused: a sentence, and the act that is in the way."""

    text: str
    act: int | None


class Attempt(NamedTuple):
    """What an edit would do to labels as they are, with the smallest id that is unused then; or why it must not."""

    patches: list[Patch]
    next_id: int
    conflict: Conflict | None


def attempt(
    store: Store,
    labels: LabelSet,
    seen: Seen,
    changes: Callable[[LabelView], Iterable[Change]],
    named: frozenset[int] = frozenset(),
) -> Attempt:
    """Return what an edit would do; nothing is changed yet. Called within the transaction of the edit.

    Parameters
    ----------
    changes
        What the edit does to labels.
    named
        Objects that the edit names: that it cannot be done is a conflict if others changed one of them.

    Raises
    ------
    ParameterError
        If it makes no sense there, and nobody else is the reason.
    LimitExceeded
        If it changes too many pixels.
    """
    conflict = not_shown(store, labels)
    if conflict is not None:
        return Attempt([], labels.next_id, conflict)
    now, view = StoredView(store, labels), SeenView(store, labels, seen)
    try:
        patches = patches_of_changes(now, changes(now))
    except ParameterError:
        if not view.others:
            raise
        found = _in_the_way(view, None, _wanted(view, changes)) or view.last_of(named)
        if not found:
            raise
        return Attempt([], now.next_id, _conflict(store, found, "the same place"))
    found = _in_the_way(view, patches, _wanted(view, changes)) if view.others else 0
    return Attempt(patches, now.next_id, _conflict(store, found, "the same place") if found else None)


def not_shown(store: Store, labels: LabelSet) -> Conflict | None:
    """Return why labels are not to be edited: they are hidden, and nobody would see it; None if they are shown."""
    if store.database.row(f"SELECT id FROM labels WHERE id = ? AND {ALIVE}", (labels.id,)) is not None:
        return None
    added = find_act(store, labels.added_by)
    act = find_act(store, added.undone_by or labels.removed_by or added.seq)
    newer = labels_of_image(store, labels.image_id, labels.name)
    what = "removed" if newer is None else "replaced by newer ones"
    do = "undo that first" if newer is None else "look at those and edit again"
    return Conflict(f"These labels were {what}, by {act.who} ({act.summary}); {do}.", act.seq)


def changed_since(store: Store, labels: LabelSet, seen: Seen) -> Conflict | None:
    """Return the last act by which others changed the labels since, wherever that was; None if nobody did."""
    others = SeenView(store, labels, seen).others
    return _conflict(store, max(others), "the labels") if others else None


def _wanted(view: SeenView, changes: Callable[[LabelView], Iterable[Change]]) -> list[Patch] | None:
    """Return what an edit does to the labels as its maker saw them; None if it cannot be done to those."""
    try:
        return patches_of_changes(view, changes(view))
    except (LimitExceeded, ParameterError):
        return None


def _in_the_way(view: SeenView, now: list[Patch] | None, wanted: list[Patch] | None) -> int:
    """Return the last act of others for which an edit does not do now what was wanted, or undoes what they did."""
    found = max(_last_meeting(view, patches) for patches in (now or (), wanted or ()))
    return found or (0 if _same(now, wanted) else view.met)


def _conflict(store: Store, seq: int, what: str) -> Conflict:
    act = find_act(store, seq)
    return Conflict(f"{act.who} changed {what} since ({act.summary}); look at it and edit again.", seq)


def _last_meeting(view: SeenView, patches: Iterable[Patch]) -> int:
    """Return the last act by which others changed one of the pixels or objects that patches change, 0 if none did."""
    found = 0
    for patch in patches:
        for act, other in view.patches_at(patch.t, patch.z, patch.box):
            if act <= found:
                break
            if _meet(patch, other):
                found = act
    return found


def _meet(patch: Patch, other: Patch) -> bool:
    """Return whether two patches change the same pixel or the same object."""
    changed, theirs = patch.before != patch.after, other.before != other.after
    common = common_box(patch.box, other.box)
    if (changed[common.within(patch.box).slices] & theirs[common.within(other.box).slices]).any():
        return True
    mine = np.union1d(patch.before[changed], patch.after[changed])
    both = np.intersect1d(mine, np.union1d(other.before[theirs], other.after[theirs]))
    return bool(both.size and both[-1] > 0)


def _same(now: Sequence[Patch] | None, wanted: Sequence[Patch] | None) -> bool:
    """Return whether two lists of patches do the same: pixel by pixel the same id comes in."""
    if now is None or wanted is None:
        return now is wanted
    places = [[(patch.t, patch.z, *patch.box) for patch in patches] for patches in (now, wanted)]
    return places[0] == places[1] and all(map(_alike, now, wanted))


def _alike(one: Patch, other: Patch) -> bool:
    changed = one.before != one.after
    same = np.array_equal(changed, other.before != other.after)
    return same and np.array_equal(one.after[changed], other.after[changed])
