"""What happened since: acts after one that is known, and what an edit did, without reading its pixels."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from cellmetry.study.store.acts import ALIVE, acts_of_ids

if TYPE_CHECKING:
    from cellmetry.study.store.acts import Act
    from cellmetry.study.store.store import Store

__all__ = ["acts_after", "changes_of", "counts_of", "newest_act"]

_MOST_BOXES = 1000


def newest_act(store: Store) -> int:
    """Return the number of the last act, 0 if there is none."""
    row = store.database.row("SELECT ifnull(max(seq), 0) AS seq FROM acts")
    return 0 if row is None else int(row["seq"])


def counts_of(store: Store) -> dict[str, Any]:
    """Return how many images and label images are to be seen, and number and time of the last act."""
    row = store.database.row(
        f"SELECT (SELECT count(*) FROM images WHERE {ALIVE}) AS images, (SELECT count(*) FROM labels WHERE {ALIVE}) "
        "AS labels, (SELECT ifnull(max(seq), 0) FROM acts) AS last_act, "
        "(SELECT at FROM acts ORDER BY seq DESC LIMIT 1) AS changed"
    )
    return dict(row or {})


def acts_after(store: Store, seq: int, *, limit: int = 100) -> list[Act]:
    """Return the next acts after one, the oldest first."""
    rows = store.database.rows("SELECT seq FROM acts WHERE seq > ? ORDER BY seq LIMIT ?", (seq, limit))
    return list(acts_of_ids(store, [row["seq"] for row in rows]).values()) if rows else []


def changes_of(store: Store, seq: int) -> dict[str, Any] | None:
    """Return labels, version, session, objects and boxes (t, z, y0, y1, x0, x1) of an edit; None if an act is none.

    Of an edit with very many boxes, only the one around them is told, plane by plane.
    """
    row = store.database.row(
        "SELECT labels_id, image_id, edits.version AS version, session, ids FROM edits JOIN labels "
        "ON labels.id = labels_id WHERE act = ?",
        (seq,),
    )
    if row is None:
        return None
    boxes = store.database.rows("SELECT t, z, y0, y1, x0, x1 FROM patches WHERE act = ? ORDER BY part", (seq,))
    if len(boxes) > _MOST_BOXES:
        boxes = store.database.rows(
            "SELECT t, z, min(y0), max(y1), min(x0), max(x1) FROM patches WHERE act = ? GROUP BY t, z", (seq,)
        )
    return {
        "labels": row["labels_id"],
        "image": row["image_id"],
        "version": row["version"],
        "session": row["session"],
        "ids": json.loads(row["ids"]),
        "boxes": [list(box) for box in boxes],
    }
