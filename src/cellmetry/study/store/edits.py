"""Edits of labels: each is in the log, with the pixels before and after, before anybody hears that it is saved.

An edit made on an older version is put on the present one if nobody changed the same place since; if somebody did, it
is refused, and kept in the log as refused. Undo and redo are acts of their own, exact to the pixel: they too are
refused where the place was changed since.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from cellmetry.core.image import Box
from cellmetry.errors import EditConflict, ParameterError
from cellmetry.io.tile_store import decode_tile, encode_tile
from cellmetry.study.store.acts import Act, act, acts_of_ids, find_act, undo_act
from cellmetry.study.store.labels import Patch, label_set, read_window, write_patch
from cellmetry.study.store.objects import find_object, objects_in

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from cellmetry.study.editing.operation import Change, EditOperation
    from cellmetry.study.store.acts import Actor
    from cellmetry.study.store.labels import LabelSet, Tile
    from cellmetry.study.store.store import Store

__all__ = [
    "Edit",
    "EditResult",
    "apply_changes",
    "apply_edit",
    "history",
    "patch_of",
    "patches_of",
    "redo",
    "reverse_edit",
    "undo",
    "undo_any",
]

_UINT32 = np.dtype("<u4")


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


@dataclass(frozen=True)
class Edit:
    """One line of a label image's history.

    Parameters
    ----------
    version
        The version that it made; None if it was refused.
    """

    act: Act
    labels_id: str
    version: int | None
    base_version: int
    session: str
    operation: str
    parameters: dict[str, Any]
    ids: tuple[int, ...]


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
        Name of the window or program that edits: its own edits since `base_version` are known to it.

    Raises
    ------
    EditConflict
        If another session changed the same place since `base_version`.
    ParameterError
        If the operation makes no sense there.
    """
    store.must_be_writable()
    with store.database.write():
        labels = label_set(store, labels_id)
        view = _View(store, labels)
        changes = operation.changes(view)
        said = operation.model_dump(mode="json")
        base = labels.version if base_version is None else base_version
        made = _Made(operation.name, said, base, session, f"{operation.name} in {labels.name}", view.used)
        patches = _patches(store, labels, changes)
        other = _conflicting(store, labels, patches, base, session)
        if other is None:
            return _commit(store, actor, labels, patches, made)
        refused = _log(store, actor, labels.id, made, None, ())
    raise EditConflict(
        f"{other.who} changed the same place since ({other.summary}, act {other.seq}); look at it and edit again. Your "
        f"edit is kept in the history as refused (act {refused}).",
        version=labels.version,
        act=other.seq,
    )


def apply_changes(
    store: Store, actor: Actor, labels_id: str, changes: Iterable[Change], verb: str, summary: str, **said: Any
) -> EditResult:
    """Return what was changed by a program that knows the new pixels, such as the restoring of a version."""
    store.must_be_writable()
    with store.database.write():
        labels = label_set(store, labels_id)
        made = _Made(verb, said, labels.version, "", summary, labels.next_id)
        return _commit(store, actor, labels, _patches(store, labels, changes), made)


def undo(store: Store, actor: Actor, labels_id: str, *, who: str | None = None) -> EditResult:
    """Return what changed by undoing the last edit of a label image (of one person) that holds.

    Raises
    ------
    ParameterError
        If there is none.
    EditConflict
        If its place was changed since by somebody else.
    """
    row = store.database.row(
        "SELECT act FROM edits JOIN acts ON acts.seq = edits.act WHERE labels_id = ?1 AND version IS NOT NULL "
        "AND undone_by IS NULL AND undoes IS NULL AND (?2 IS NULL OR who = ?2) ORDER BY act DESC LIMIT 1",
        (labels_id, who),
    )
    if row is None:
        raise ParameterError("There is no edit to undo.")
    return reverse_edit(store, actor, row["act"])


def redo(store: Store, actor: Actor, labels_id: str, *, who: str | None = None) -> EditResult:
    """Return what changed by doing again what was undone last, if no edit was made since.

    Raises
    ------
    ParameterError
        If nothing was undone, or an edit was made since.
    """
    row = store.database.row(
        "SELECT act FROM edits JOIN acts ON acts.seq = edits.act WHERE labels_id = ?1 AND verb = 'undo' "
        "AND undone_by IS NULL AND (?2 IS NULL OR who = ?2) AND act > (SELECT ifnull(max(act), 0) FROM edits "
        "JOIN acts ON acts.seq = edits.act WHERE labels_id = ?1 AND version IS NOT NULL "
        "AND verb NOT IN ('undo', 'redo') AND (?2 IS NULL OR who = ?2)) ORDER BY act DESC LIMIT 1",
        (labels_id, who),
    )
    if row is None:
        raise ParameterError("There is nothing to redo.")
    return reverse_edit(store, actor, row["act"])


def reverse_edit(store: Store, actor: Actor, seq: int) -> EditResult:
    """Return what changed by putting back the pixels that one edit changed; for an undo, that is a redo.

    Raises
    ------
    ParameterError
        If the act is no edit, was refused, or is undone already.
    EditConflict
        If one of the pixels was changed since.
    """
    store.must_be_writable()
    with store.database.write():
        row = store.database.row("SELECT * FROM edits WHERE act = ?", (seq,))
        if row is None or row["version"] is None:
            raise ParameterError(f"Act {seq} is not an edit of labels that holds.")
        labels = label_set(store, row["labels_id"])
        back = [_reversed(store, labels, patch, seq) for patch in patches_of(store, seq)]
        new = undo_act(store, actor, seq)
        verb = find_act(store, new).verb
        made = _Made(verb, {"act": seq}, labels.version, "", "", labels.next_id)
        return _store(store, labels, back, made, new)


def undo_any(store: Store, actor: Actor, seq: int) -> int:
    """Return the number of the act that undoes any act: an edit by its pixels, all others by hiding what they added.

    Raises
    ------
    ParameterError
        If it is undone already, or was a refused edit.
    EditConflict
        If it was an edit whose place was changed since.
    """
    store.must_be_writable()
    if store.database.row("SELECT act FROM edits WHERE act = ?", (seq,)) is None:
        return undo_act(store, actor, seq)
    return reverse_edit(store, actor, seq).act or 0


def history(store: Store, labels_id: str, *, before: int | None = None, limit: int = 100) -> list[Edit]:
    """Return the edits of a label image, newest first, refused and undone ones too."""
    rows = store.database.rows(
        "SELECT * FROM edits WHERE labels_id = ? AND act < ? ORDER BY act DESC LIMIT ?",
        (labels_id, before or 1 << 62, limit),
    )
    found = acts_of_ids(store, [row["act"] for row in rows])
    return [_edit_of(row, found[row["act"]]) for row in rows]


def patches_of(store: Store, seq: int) -> list[Patch]:
    """Return what an edit changed.

    Raises
    ------
    DamagedFile
        If its pixels are damaged.
    """
    rows = store.database.rows("SELECT * FROM patches WHERE act = ? ORDER BY part", (seq,))
    return [patch_of(row) for row in rows]


@dataclass(frozen=True)
class _Made:
    """How an edit was made, for the log."""

    operation: str
    parameters: dict[str, Any]
    base_version: int
    session: str
    summary: str
    next_id: int


class _View:
    """Labels as an operation sees them, within its transaction."""

    def __init__(self, store: Store, labels: LabelSet) -> None:
        self._store, self._labels, self.used = store, labels, labels.next_id

    @property
    def plane_shape(self) -> tuple[int, int]:
        return self._labels.plane_shape

    def size(self, axis: str) -> int:
        return self._labels.size(axis)

    def read(self, t: int, z: int, box: Box) -> NDArray[np.uint32]:
        return read_window(self._store, self._labels, t, z, box)

    def box_of(self, label: int, t: int, z: int) -> Box | None:
        found = find_object(self._store, self._labels, label, t, z)
        return None if found is None else found.box

    def ids_in(self, t: int, z: int, box: Box) -> Sequence[int]:
        return [each.id for each in objects_in(self._store, self._labels, t, z, box)]

    def new_id(self) -> int:
        self.used += 1
        return self.used - 1


def _patches(store: Store, labels: LabelSet, changes: Iterable[Change]) -> list[Patch]:
    """Return the parts of changes that do change pixels, each in the smallest box."""
    found = []
    for change in changes:
        before = read_window(store, labels, change.t, change.z, change.box)
        differing = before != change.after
        if not differing.any():
            continue
        rows, columns = (np.flatnonzero(differing.any(axis=axis)) for axis in (1, 0))
        inner = Box(int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1)
        y, x = int(change.box.y0), int(change.box.x0)
        box = Box(inner.y0 + y, inner.y1 + y, inner.x0 + x, inner.x1 + x)
        after = change.after[inner.slices].astype(np.uint32, copy=False)
        found.append(Patch(change.t, change.z, box, before[inner.slices], after))
    return found


def _conflicting(store: Store, labels: LabelSet, patches: Sequence[Patch], base: int, session: str) -> Act | None:
    """Return the last act by which another session changed one of these places since a version."""
    if base >= labels.version:
        return None
    for patch in patches:
        row = store.database.row(
            "SELECT edits.act FROM edits JOIN patches ON patches.act = edits.act WHERE labels_id = ? AND version > ? "
            "AND (session = '' OR session != ?) AND t = ? AND z = ? AND y0 < ? AND y1 > ? AND x0 < ? AND x1 > ? "
            "ORDER BY edits.act DESC LIMIT 1",
            (labels.id, base, session, patch.t, patch.z, patch.box.y1, patch.box.y0, patch.box.x1, patch.box.x0),
        )
        if row is not None:
            return find_act(store, row["act"])
    return None


def _commit(store: Store, actor: Actor, labels: LabelSet, patches: Sequence[Patch], made: _Made) -> EditResult:
    if not patches:
        return EditResult(None, labels.version, (), (), ())
    seq = act(store, actor, "edit", made.summary, labels=labels.id, image=labels.image_id, operation=made.operation)
    return _store(store, labels, patches, made, seq)


def _store(store: Store, labels: LabelSet, patches: Sequence[Patch], made: _Made, seq: int) -> EditResult:
    """Put patches into the tiles, the log and the version; called within a transaction."""
    version = labels.version + 1
    ids = _changed_ids(patches)
    with store.database.write() as connection:
        _insert_edit(connection, seq, labels.id, made, version, ids)
        tiles: list[Tile] = []
        for part, patch in enumerate(patches):
            connection.execute(
                "INSERT INTO patches VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (seq, part, patch.t, patch.z, *patch.box, encode_tile(patch.before), encode_tile(patch.after)),
            )
            tiles += write_patch(connection, store, labels, patch, version)
        connection.execute(
            "UPDATE labels SET version = ?, next_id = max(next_id, ?) WHERE id = ?", (version, made.next_id, labels.id)
        )
    boxes = tuple((patch.t, patch.z, patch.box) for patch in patches)
    return EditResult(seq, version, boxes, ids, tuple(dict.fromkeys(tiles)))


def _log(store: Store, actor: Actor, labels_id: str, made: _Made, version: int | None, ids: tuple[int, ...]) -> int:
    seq = act(store, actor, "edit", f"{made.summary} (refused)", labels=labels_id, operation=made.operation)
    with store.database.write() as connection:
        _insert_edit(connection, seq, labels_id, made, version, ids)
    return seq


def _insert_edit(
    connection: sqlite3.Connection, seq: int, labels_id: str, made: _Made, version: int | None, ids: tuple[int, ...]
) -> None:
    connection.execute(
        "INSERT INTO edits (act, labels_id, version, base_version, session, operation, parameters, ids) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            seq,
            labels_id,
            version,
            made.base_version,
            made.session,
            made.operation,
            json.dumps(made.parameters),
            json.dumps(ids),
        ),
    )


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


def _changed_ids(patches: Sequence[Patch]) -> tuple[int, ...]:
    each = [side[patch.before != patch.after] for patch in patches for side in (patch.before, patch.after)]
    ids = np.unique(np.concatenate(each)) if each else np.empty(0, np.uint32)
    return tuple(int(label) for label in ids if label > 0)


def patch_of(row: sqlite3.Row) -> Patch:
    """Return a row of the table of patches.

    Raises
    ------
    DamagedFile
        If its pixels are damaged.
    """
    box = Box(row["y0"], row["y1"], row["x0"], row["x1"])
    name = f"act {row['act']} of the history"
    before, after = (decode_tile(bytes(row[side]), box.shape, _UINT32, name) for side in ("before", "after"))
    return Patch(row["t"], row["z"], box, before, after)


def _edit_of(row: sqlite3.Row, found: Act) -> Edit:
    return Edit(
        found,
        row["labels_id"],
        row["version"],
        row["base_version"],
        row["session"],
        row["operation"],
        json.loads(row["parameters"]),
        tuple(json.loads(row["ids"])),
    )
