"""The log of edits of labels: who changed what, with the pixels before and after."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cellmetry.core.image import Box
from cellmetry.errors import UnknownName
from cellmetry.io.tile_store import decode_tile, encode_tile
from cellmetry.study.store.acts import Act, acts_of_ids
from cellmetry.study.store.label_tiles import Patch

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Sequence

    from cellmetry.study.store.store import Store

__all__ = [
    "BATCH_PIXELS",
    "Edit",
    "Made",
    "find_edit",
    "history",
    "image_history",
    "log_edit",
    "log_ids",
    "log_patches",
    "patch_of",
    "patches_by_batch",
    "patches_of",
    "places_of",
]

BATCH_PIXELS = 1 << 24
"""Pixels of an edit of any size, which a program made, that are in memory at once."""
_UINT32 = np.dtype("<u4")


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


@dataclass(frozen=True)
class Made:
    """How an edit was made, for the log."""

    operation: str
    parameters: dict[str, Any]
    base_version: int
    session: str
    summary: str
    next_id: int


def history(
    store: Store, labels_id: str, *, before: int | None = None, limit: int = 100, key: str | None = None
) -> list[Edit]:
    """Return the edits of a label image, newest first, refused and undone ones too.

    Parameters
    ----------
    key
        Only what was done with this key of its `Actor`.
    """
    rows = store.database.rows(
        "SELECT edits.* FROM edits JOIN acts ON acts.seq = edits.act WHERE labels_id = ?1 AND act < ?2 "
        "AND (?4 IS NULL OR json_extract(details, '$.key') = ?4) ORDER BY act DESC LIMIT ?3",
        (labels_id, before or 1 << 62, limit, key),
    )
    return _edits_of(store, rows)


def image_history(store: Store, image_id: str, *, before: int | None = None, limit: int = 100) -> list[Edit]:
    """Return the edits of all label images of an image, also of hidden ones, newest first."""
    rows = store.database.rows(
        "SELECT edits.* FROM edits JOIN labels ON labels.id = labels_id WHERE image_id = ? AND act < ? "
        "ORDER BY act DESC LIMIT ?",
        (image_id, before or 1 << 62, limit),
    )
    return _edits_of(store, rows)


def find_edit(store: Store, seq: int) -> Edit:
    """Return one edit by its number in the study's history.

    Raises
    ------
    UnknownName
        If that act is no edit of labels.
    """
    found = _edits_of(store, store.database.rows("SELECT * FROM edits WHERE act = ?", (seq,)))
    if not found:
        raise UnknownName("edit number", str(seq))
    return found[0]


def patches_of(store: Store, seq: int, part: int | None = None) -> list[Patch]:
    """Return what an edit changed: each place with its pixels before and after; nothing if it was refused.

    Parameters
    ----------
    part
        Only this place, counted from 0.

    Raises
    ------
    DamagedFile
        If its pixels are damaged.
    """
    rows = store.database.rows(
        "SELECT * FROM patches WHERE act = ?1 AND (?2 IS NULL OR part = ?2) ORDER BY part", (seq, part)
    )
    return [patch_of(row) for row in rows]


def patches_by_batch(store: Store, seq: int) -> Iterator[list[Patch]]:
    """Yield what an edit changed, as `patches_of` returns it, so many places at a time as memory holds at ease."""
    places = places_of(store, seq)
    first = pixels = 0
    for part, (_, _, box) in enumerate(places):
        pixels += box.shape[0] * box.shape[1]
        if pixels >= BATCH_PIXELS or part == len(places) - 1:
            rows = store.database.rows(
                "SELECT * FROM patches WHERE act = ? AND part BETWEEN ? AND ? ORDER BY part", (seq, first, part)
            )
            yield [patch_of(row) for row in rows]
            first, pixels = part + 1, 0


def places_of(store: Store, seq: int) -> list[tuple[int, int, Box]]:
    """Return where an edit changed pixels: frame, plane and box, in the order of their numbers."""
    rows = store.database.rows("SELECT t, z, y0, y1, x0, x1 FROM patches WHERE act = ? ORDER BY part", (seq,))
    return [(row["t"], row["z"], Box(row["y0"], row["y1"], row["x0"], row["x1"])) for row in rows]


def log_edit(
    connection: sqlite3.Connection, seq: int, labels_id: str, made: Made, version: int | None, ids: tuple[int, ...]
) -> None:
    """Put an edit into the log; within the transaction of its act. A refused one has no version."""
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


def log_ids(connection: sqlite3.Connection, seq: int, ids: tuple[int, ...]) -> None:
    """Put the objects that an edit changed into the log, where they were not known before."""
    connection.execute("UPDATE edits SET ids = ? WHERE act = ?", (json.dumps(ids), seq))


def log_patches(connection: sqlite3.Connection, seq: int, patches: Sequence[Patch], first: int = 0) -> None:
    """Put what an edit changes into the log, its places numbered from `first`."""
    connection.executemany(
        "INSERT INTO patches VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            (seq, part, patch.t, patch.z, *patch.box, encode_tile(patch.before), encode_tile(patch.after))
            for part, patch in enumerate(patches, first)
        ),
    )


def _edits_of(store: Store, rows: Sequence[sqlite3.Row]) -> list[Edit]:
    found = acts_of_ids(store, [row["act"] for row in rows])
    return [_edit_of(row, found[row["act"]]) for row in rows]


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
