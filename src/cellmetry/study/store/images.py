"""The images of a study: which originals they are made of, what their headers say, where their pyramid is."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from cellmetry.errors import ParameterError, UnknownName
from cellmetry.study.store.acts import ALIVE, hide_row
from cellmetry.study.store.names import new_name

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping, Sequence

    from cellmetry.study.store.store import Store

__all__ = ["StoredImage", "add_image", "image", "images", "remove_images", "said_of", "say", "set_failed", "set_ready"]

ImageState = Literal["new", "ready", "failed"]
_LARGEST = 2**53
"""Up to here floating-point numbers, which columns of tables may be, hold each whole number."""


@dataclass(frozen=True)
class StoredImage:
    """An image of a study.

    Parameters
    ----------
    seq
        Its place among the images: that of the image which it was read again for, if there is one.
    name
        As in tables.
    source
        How it is opened: ids of its `originals.Original`, scene, and what the user said about reading; and which image
        of which place it was read again for.
    state
        ``new`` until a worker has read it, then ``ready``, or ``failed`` with a `reason`.
    header
        Axes, shape, dtype, channel names, pixel size, detector bits and display ranges, once it is ready.
    pyramid
        Folder of its tiles in the study's folder, once it is ready.
    """

    id: str
    seq: int
    name: str
    source: dict[str, Any]
    sha256: str
    state: ImageState
    reason: str
    header: dict[str, Any]
    warnings: tuple[str, ...]
    pyramid: str | None
    added_by: int
    removed_by: int | None


def add_image(store: Store, act: int, name: str, source: Mapping[str, Any], sha256: str) -> str:
    """Return the id of a new image, which a worker has not read yet.

    A name that another image has gets a number.
    """
    image_id = new_name("img")
    with store.database.write() as connection:
        taken = {row["name"] for row in store.database.rows(f"SELECT name FROM images WHERE {ALIVE}")}
        connection.execute(
            "INSERT INTO images (id, seq, name, source, sha256, state, added_by) "
            "VALUES (?, (SELECT ifnull(max(seq), 0) + 1 FROM images), ?, ?, ?, 'new', ?)",
            (image_id, _free_name(name, taken), json.dumps(dict(source)), sha256, act),
        )
    return image_id


def set_ready(store: Store, image_id: str, header: Mapping[str, Any], warnings: Sequence[str], pyramid: str) -> None:
    """Note what a worker found in an image."""
    with store.database.write() as connection:
        connection.execute(
            "UPDATE images SET state = 'ready', reason = '', header = ?, warnings = ?, pyramid = ? WHERE id = ?",
            (json.dumps(dict(header)), json.dumps(list(warnings)), pyramid, image_id),
        )


def set_failed(store: Store, image_id: str, reason: str) -> None:
    """Note why an image cannot be read."""
    with store.database.write() as connection:
        connection.execute("UPDATE images SET state = 'failed', reason = ? WHERE id = ?", (reason, image_id))


def image(store: Store, image_id: str) -> StoredImage:
    """Return an image by its id, also a removed one.

    Raises
    ------
    UnknownName
        If there is none.
    """
    row = store.database.row("SELECT * FROM images WHERE id = ?", (image_id,))
    if row is None:
        raise UnknownName("image", image_id)
    return _image_of(row)


def images(store: Store) -> list[StoredImage]:
    """Return the images that are to be seen, in order."""
    found = [_image_of(row) for row in store.database.rows(f"SELECT * FROM images WHERE {ALIVE} ORDER BY seq")]
    return sorted(found, key=lambda each: each.seq)


def remove_images(store: Store, act: int, ids: Sequence[str]) -> None:
    """Hide images; originals stay where they are, and undoing the act brings the images back.

    Raises
    ------
    ParameterError
        If one is hidden already.
    """
    with store.database.write():
        for each in dict.fromkeys(ids):
            hide_row(store, act, "images", each)


def say(store: Store, act: int, subject: str, values: Mapping[str, Any]) -> None:
    """Note what a user says of an image (by its id) or of the study (``study``): condition, replicate, active model.

    The newest word holds; undoing its act brings back the one before.

    Raises
    ------
    ParameterError
        If a whole number is so large that tables would not hold it exactly.
    """
    large = next((key for key, value in values.items() if isinstance(value, int) and abs(value) > _LARGEST), None)
    if large is not None:
        raise ParameterError(
            f"{large}: whole numbers beyond ±{_LARGEST:,} are not held exactly by tables; write it as text."
        )
    with store.database.write() as connection:
        connection.executemany(
            "INSERT INTO said VALUES (?, ?, ?, ?)",
            [(act, subject, key, json.dumps(value)) for key, value in values.items()],
        )


def said_of(store: Store, subject: str) -> dict[str, Any]:
    """Return what holds of an image or the study."""
    rows = store.database.rows(
        "SELECT key, value FROM said WHERE subject = ? AND act IN (SELECT seq FROM holding) ORDER BY act", (subject,)
    )
    return {row["key"]: json.loads(row["value"]) for row in rows}


def _free_name(name: str, taken: set[str]) -> str:
    free, number = name, 1
    while free in taken:
        number += 1
        free = f"{name} ({number})"
    return free


def _image_of(row: sqlite3.Row) -> StoredImage:
    said = {**dict(row), "source": json.loads(row["source"]), "header": json.loads(row["header"])}
    said["seq"] = said["source"].get("again", {}).get("seq", said["seq"])
    return StoredImage(**{**said, "warnings": tuple(json.loads(row["warnings"]))})
