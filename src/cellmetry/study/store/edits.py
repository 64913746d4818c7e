"""Edits of labels: each is in the log, with the pixels before and after, before anybody hears that it is saved.

An edit made on an older version is put on the present one if nobody changed the same place since; if somebody did, it
is refused, and kept in the log as refused. Undo and redo are acts of their own, exact to the pixel: they too are
refused where the place was changed since. Labels that newer ones took the place of are not edited any more.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from cellmetry.errors import EditConflict, ParameterError
from cellmetry.study.store.acts import Act, find_act, undo_act, undone_first, words_of_undoing
from cellmetry.study.store.committing import EditResult, commit, commit_act, refuse
from cellmetry.study.store.conflicts import Conflict, attempt, not_shown
from cellmetry.study.store.edit_log import (
    Edit,
    Made,
    find_edit,
    history,
    image_history,
    patches_by_batch,
    patches_of,
    places_of,
)
from cellmetry.study.store.label_pixels import read_window
from cellmetry.study.store.label_tiles import Patch
from cellmetry.study.store.labels import label_set
from cellmetry.study.store.patching import patch_batches
from cellmetry.study.store.seen import seen_by

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cellmetry.study.editing.operation import Change, EditOperation
    from cellmetry.study.store.acts import Actor
    from cellmetry.study.store.labels import LabelSet
    from cellmetry.study.store.store import Store

__all__ = [
    "Edit",
    "EditResult",
    "apply_changes",
    "apply_edit",
    "find_edit",
    "history",
    "image_history",
    "patches_of",
    "places_of",
    "redo",
    "reverse_edit",
    "undo",
    "undo_any",
]


def apply_edit(
    store: Store,
    actor: Actor,
    labels_id: str,
    operation: EditOperation,
    *,
    base_version: int | None = None,
    session: str = "",
) -> EditResult:
    """Return what an operation changed, after that is on the disk.

    Parameters
    ----------
    base_version
        Version that who made the edit saw; the present one if left out.
    session
        Name of the window or program that edits: what this person did there since `base_version` is known to them.

    Raises
    ------
    EditConflict
        If others changed the same place or objects since `base_version`, or newer labels took the place of these.
    ParameterError
        If the operation makes no sense there, or there is no such version yet.
    LimitExceeded
        If it changes too many pixels.
    """
    store.must_be_writable()
    with store.database.write():
        labels = label_set(store, labels_id)
        labels.check_plane(operation.t, operation.z)
        seen = seen_by(actor, labels, base_version, session)
        summary = f"{operation.name.replace('_', ' ')} in {labels.name}"
        made = Made(operation.name, operation.model_dump(mode="json"), seen.version, session, summary, labels.next_id)
        tried = attempt(store, labels, seen, operation.changes, operation.named())
        if tried.conflict is None:
            made = replace(made, next_id=tried.next_id)
            return commit(store, actor, labels, [tried.patches] if tried.patches else [], made)
    raise refuse(store, actor, labels, made, tried.conflict)


def apply_changes(
    store: Store, actor: Actor, labels_id: str, changes: Iterable[Change], verb: str, summary: str, **said: Any
) -> EditResult:
    """Return what was changed by a program that knows the new pixels, such as the restoring of a version.

    It may be of any size: only some of it is in memory at once.

    Parameters
    ----------
    changes
        No two of their boxes overlap.
    """
    store.must_be_writable()
    with store.database.write():
        labels = label_set(store, labels_id)
        made = Made(verb, said, labels.version, "", summary, labels.next_id)
        return commit(store, actor, labels, patch_batches(store, labels, changes), made)


def undo(
    store: Store, actor: Actor, labels_id: str, *, who: str | None = None, session: str | None = None
) -> EditResult:
    """Return what changed by undoing the last edit of a label image that holds.

    Parameters
    ----------
    who, session
        Undo the last edit of this person, and of this window or program; of any if left out.

    Raises
    ------
    ParameterError
        If there is none.
    EditConflict
        If its place was changed since by somebody else, or newer labels took the place of these.
    """
    row = store.database.row(
        "SELECT act FROM edits JOIN acts ON acts.seq = edits.act WHERE labels_id = ?1 AND version IS NOT NULL "
        "AND undone_by IS NULL AND undoes IS NULL AND (?2 IS NULL OR who = ?2) AND (?3 IS NULL OR session = ?3) "
        "ORDER BY act DESC LIMIT 1",
        (labels_id, who, session),
    )
    if row is None:
        raise ParameterError("There is no edit to undo.")
    return reverse_edit(store, actor, row["act"], session=session or "")


def redo(
    store: Store, actor: Actor, labels_id: str, *, who: str | None = None, session: str | None = None
) -> EditResult:
    """Return what changed by doing again what was undone last, if no edit was made since.

    Parameters
    ----------
    who, session
        Redo what this person, and this window or program, undid; what anybody did if left out.

    Raises
    ------
    ParameterError
        If nothing was undone, or an edit was made since.
    EditConflict
        If its place was changed since by somebody else, or newer labels took the place of these.
    """
    row = store.database.row(
        "WITH own AS (SELECT act, version, verb, undone_by FROM edits JOIN acts ON acts.seq = edits.act "
        "WHERE labels_id = ?1 AND (?2 IS NULL OR who = ?2) AND (?3 IS NULL OR session = ?3)) "
        "SELECT act FROM own WHERE verb = 'undo' AND undone_by IS NULL AND act > (SELECT ifnull(max(act), 0) FROM own "
        "WHERE version IS NOT NULL AND verb NOT IN ('undo', 'redo')) ORDER BY act DESC LIMIT 1",
        (labels_id, who, session),
    )
    if row is None:
        raise ParameterError("There is nothing to redo.")
    return reverse_edit(store, actor, row["act"], session=session or "")


def reverse_edit(store: Store, actor: Actor, seq: int, *, session: str = "") -> EditResult:
    """Return what changed by putting back the pixels that one edit changed; for an undo, that is a redo.

    Reversing a redo undoes the edit that it did again.

    Raises
    ------
    ParameterError
        If the act is no edit, was refused, or is undone already.
    EditConflict
        If one of the pixels was changed since, or newer labels took the place of these; noted in the log as refused.
    """
    store.must_be_writable()
    try:
        with store.database.write():
            row = store.database.row("SELECT * FROM edits WHERE act = ?", (seq,))
            if row is None or row["version"] is None:
                raise ParameterError(f"Act {seq} is not an edit of labels that holds.")
            labels = label_set(store, row["labels_id"])
            first = undone_first(store, seq)
            verb, summary = words_of_undoing(find_act(store, first))
            made = Made(verb, {"act": first}, labels.version, session, summary, labels.next_id)
            hidden = not_shown(store, labels)
            if hidden is not None:
                raise EditConflict(hidden.text, version=labels.version, act=hidden.act)
            new = undo_act(store, actor, first)
            return commit_act(store, labels, _back(store, labels, first), made, new)
    except EditConflict as conflict:
        raise refuse(store, actor, labels, made, Conflict(str(conflict), conflict.act)) from None


def undo_any(store: Store, actor: Actor, seq: int) -> int:
    """Return the number of the act that undoes any act: an edit by its pixels, all others by hiding what they added.

    Raises
    ------
    ParameterError
        If it is undone already, or was a refused edit.
    EditConflict
        If it was an edit whose place was changed since, or of labels that newer ones took the place of.
    """
    store.must_be_writable()
    if store.database.row("SELECT act FROM edits WHERE act = ?", (seq,)) is None:
        return undo_act(store, actor, seq)
    return reverse_edit(store, actor, seq).act or 0


def _back(store: Store, labels: LabelSet, seq: int) -> Iterator[list[Patch]]:
    for patches in patches_by_batch(store, seq):
        yield [_reversed(store, labels, patch, seq) for patch in patches]


def _reversed(store: Store, labels: LabelSet, patch: Patch, seq: int) -> Patch:
    """Return the patch that puts back what one changed, if the pixels are still as it left them."""
    now = read_window(store, labels, patch.t, patch.z, patch.box)
    changed = patch.before != patch.after
    if not np.array_equal(now[changed], patch.after[changed]):
        other = _last_at(store, labels, patch, seq)
        raise EditConflict(
            f"The place was changed since by {other.who} ({other.summary}, act {other.seq}); undo that first.",
            version=labels.version,
            act=other.seq,
        )
    return Patch(patch.t, patch.z, patch.box, now, np.where(changed, patch.before, now))


def _last_at(store: Store, labels: LabelSet, patch: Patch, seq: int) -> Act:
    row = store.database.row(
        "SELECT max(edits.act) AS act FROM edits JOIN patches ON patches.act = edits.act WHERE labels_id = ? "
        "AND edits.act > ? AND t = ? AND z = ? AND y0 < ? AND y1 > ? AND x0 < ? AND x1 > ?",
        (labels.id, seq, patch.t, patch.z, patch.box.y1, patch.box.y0, patch.box.x1, patch.box.x0),
    )
    return find_act(store, seq if row is None or row["act"] is None else row["act"])
