"""Putting an edit into the tiles, the log and the version of labels; or noting that it was refused."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cellmetry.errors import EditConflict
from cellmetry.study.store.acts import act
from cellmetry.study.store.edit_log import Made, log_edit, log_ids, log_patches
from cellmetry.study.store.patching import write_patches

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cellmetry.core.image import Box
    from cellmetry.study.store.acts import Actor
    from cellmetry.study.store.conflicts import Conflict
    from cellmetry.study.store.label_tiles import Patch, Tile
    from cellmetry.study.store.labels import LabelSet
    from cellmetry.study.store.store import Store

__all__ = ["EditResult", "commit", "commit_act", "refuse"]

_OWN_WORDS = ("undo", "redo", "restore", "answer")


class EditResult(NamedTuple):
    """What an edit did.

    Parameters
    ----------
    act
        Its number in the study's history; None if it changed nothing.
    version
        Of the labels now.
    boxes
        Places that changed, with their frame and plane: (t, z, box).
    ids
        Objects that changed, came or went.
    tiles
        Tiles of all levels that are to be read again.
    """

    act: int | None
    version: int
    boxes: tuple[tuple[int, int, Box], ...]
    ids: tuple[int, ...]
    tiles: tuple[Tile, ...]


def commit(store: Store, actor: Actor, labels: LabelSet, batches: Iterable[list[Patch]], made: Made) -> EditResult:
    """Return what an edit did, as an act of its own; no act if it changes nothing. Called within a transaction."""
    batches = iter(batches)
    first = next(batches, None)
    if first is None:
        return EditResult(None, labels.version, (), (), ())
    return commit_act(store, labels, chain([first], batches), made, _act(store, actor, labels, made))


def commit_act(store: Store, labels: LabelSet, batches: Iterable[list[Patch]], made: Made, seq: int) -> EditResult:
    """Put patches into the tiles, the log and the version, batch by batch; called within the transaction of the act."""
    version, next_id = labels.version + 1, made.next_id
    boxes: list[tuple[int, int, Box]] = []
    ids: set[int] = set()
    tiles: dict[Tile, None] = {}
    with store.database.write() as connection:
        log_edit(connection, seq, labels.id, made, version, ())
        for patches in batches:
            log_patches(connection, seq, patches, len(boxes))
            tiles |= dict.fromkeys(write_patches(connection, store, labels, patches, version))
            boxes += [(patch.t, patch.z, patch.box) for patch in patches]
            ids |= _changed_ids(patches)
            next_id = max(next_id, *(int(patch.after.max()) + 1 for patch in patches))
        changed = tuple(sorted(ids))
        log_ids(connection, seq, changed)
        connection.execute(
            "UPDATE labels SET version = ?, next_id = max(next_id, ?) WHERE id = ?", (version, next_id, labels.id)
        )
    return EditResult(seq, version, tuple(boxes), changed, tuple(tiles))


def refuse(store: Store, actor: Actor, labels: LabelSet, made: Made, why: Conflict) -> EditConflict:
    """Return the error that tells of a conflict, after noting the edit as refused; called after its transaction."""
    with store.database.write() as connection:
        seq = _act(store, actor, labels, made, " (refused)")
        log_edit(connection, seq, labels.id, made, None, ())
    what = made.operation if made.operation in _OWN_WORDS else "edit"
    told = f"{why.text} Your {what} is kept in the history as refused."
    return EditConflict(told, version=labels.version, act=why.act)


def _act(store: Store, actor: Actor, labels: LabelSet, made: Made, end: str = "") -> int:
    summary = f"{made.summary}{end}"
    return act(store, actor, "edit", summary, labels=labels.id, image=labels.image_id, operation=made.operation)


def _changed_ids(patches: Sequence[Patch]) -> set[int]:
    each = [side[patch.before != patch.after] for patch in patches for side in (patch.before, patch.after)]
    return set(np.unique(np.concatenate(each)).tolist()) - {0}
