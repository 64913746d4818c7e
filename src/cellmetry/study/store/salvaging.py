"""Edits read from a damaged database: those whose pixels are whole are put into the state that took its place."""

from __future__ import annotations

import contextlib
import sqlite3
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cellmetry.errors import CellmetryError
from cellmetry.study.store.acts import mark_undone
from cellmetry.study.store.edit_log import patch_of
from cellmetry.study.store.label_pixels import read_window
from cellmetry.study.store.labels import label_set
from cellmetry.study.store.patching import write_patches

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cellmetry.study.store.label_tiles import Patch
    from cellmetry.study.store.store import Store

__all__ = ["salvage_edits"]

_MOST_NAMED = 20
_PATCHES = "SELECT * FROM patches WHERE act = ? ORDER BY part"


class _Line(NamedTuple):
    """An act of the damaged database, its edit and the pixels of that; None where they cannot be read."""

    act: sqlite3.Row
    edit: sqlite3.Row | None
    patches: list[sqlite3.Row] | None


def salvage_edits(store: Store, damaged: Path) -> list[str]:
    """Return what was taken from a damaged database, and what was not, in sentences.

    An edit is taken if all of its pixels can be read and the labels are as it found them.
    """
    row = store.database.row("SELECT ifnull(max(seq), 0) AS last FROM acts")
    last = 0 if row is None else int(row["last"])
    taken, lost = 0, []
    with contextlib.closing(sqlite3.connect(f"{damaged.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        connection.row_factory = sqlite3.Row
        newest = _newest(connection)
        for line in _lines(connection, last):
            if _taken(store, line):
                taken += 1
            else:
                lost.append(f"{line.act['summary']} ({line.act['who']}, {line.act['at'][:16]})")
    told = [f"{taken} later edits were taken from the damaged {damaged.name}."] if taken else []
    if lost:
        more = f" and {len(lost) - _MOST_NAMED} more" if len(lost) > _MOST_NAMED else ""
        told.append(f"Lost: {'; '.join(lost[:_MOST_NAMED])}{more}.")
    if newest is not None and newest <= last:
        told.append("No later change is in it.")
    elif not (taken or lost):
        told.append(f"Changes after act {last} of the history, if there were any, could not be read and are lost.")
    return told


def _newest(connection: sqlite3.Connection) -> int | None:
    """Return the number of the last act, None if that cannot be read."""
    with contextlib.suppress(sqlite3.DatabaseError):
        return int(connection.execute("SELECT ifnull(max(seq), 0) FROM acts").fetchone()[0])
    return None


def _lines(connection: sqlite3.Connection, last: int) -> Iterator[_Line]:
    """Yield what can be read of the acts after one; damage ends it."""
    with contextlib.suppress(sqlite3.DatabaseError):
        for act in connection.execute("SELECT * FROM acts WHERE seq > ? ORDER BY seq", (last,)):
            edit, patches = None, None
            with contextlib.suppress(sqlite3.DatabaseError):
                edit = connection.execute("SELECT * FROM edits WHERE act = ?", (act["seq"],)).fetchone()
                patches = connection.execute(_PATCHES, (act["seq"],)).fetchall()
            yield _Line(act, edit, patches)


def _taken(store: Store, line: _Line) -> bool:
    """Return whether an edit was put in."""
    if line.edit is None or line.patches is None or (line.edit["version"] is not None and not line.patches):
        return False
    try:
        with store.database.write() as connection:
            _copy(connection, "acts", {**dict(line.act), "undone_by": None})
            if line.act["undoes"] is not None:
                mark_undone(connection, line.act["undoes"], line.act["seq"])
            _copy(connection, "edits", dict(line.edit))
            if line.edit["version"] is not None:
                _put(store, connection, line.edit, line.patches)
    except (CellmetryError, sqlite3.IntegrityError):
        return False
    return True


def _put(store: Store, connection: sqlite3.Connection, edit: sqlite3.Row, rows: list[sqlite3.Row]) -> None:
    """Put the pixels of an edit into the tiles.

    Raises
    ------
    CellmetryError
        If the labels are not as the edit found them, or its pixels are damaged.
    """
    labels = label_set(store, edit["labels_id"])
    if edit["version"] != labels.version + 1:
        raise CellmetryError("An edit before this one is lost.")
    patches: list[Patch] = [patch_of(row) for row in rows]
    for row, patch in zip(rows, patches, strict=True):
        if not np.array_equal(read_window(store, labels, patch.t, patch.z, patch.box), patch.before):
            raise CellmetryError("The labels are not as this edit found them.")
        _copy(connection, "patches", dict(row))
    write_patches(connection, store, labels, patches, edit["version"])
    largest = max(int(patch.after.max(initial=0)) for patch in patches)
    connection.execute(
        "UPDATE labels SET version = ?, next_id = max(next_id, ?) WHERE id = ?",
        (edit["version"], largest + 1, labels.id),
    )


def _copy(connection: sqlite3.Connection, table: str, row: dict[str, object]) -> None:
    marks = ", ".join("?" * len(row))
    connection.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", list(row.values()))
