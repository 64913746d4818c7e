"""Labels all of whose cells a person called right: said of an image, it holds of the labels that it has then."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from cellmetry.study.store.images import say
from cellmetry.study.store.labels import label_sets

if TYPE_CHECKING:
    from cellmetry.study.store.labels import LabelSet
    from cellmetry.study.store.store import Store

__all__ = ["CORRECTED", "right_labels", "say_right"]

CORRECTED = "corrected"
"""The word by which a person says of an image that all cells of its labels are right."""


def say_right(store: Store, act: int, image_id: str, *, right: bool) -> None:
    """Note that all cells of the labels that an image has now are right, or that this is not known.

    Newer labels that take their place are others: nobody has looked at them.
    """
    for each in label_sets(store, image_id):
        say(store, act, each.id, {CORRECTED: right or None})


def right_labels(store: Store, image_id: str | None = None) -> set[str]:
    """Return the ids of the labels that an image has now, or all images, all of whose cells somebody called right."""
    rows = store.database.rows(
        "SELECT act, subject, value FROM said WHERE key = ? AND act IN (SELECT seq FROM holding)", (CORRECTED,)
    )
    words: dict[str, list[tuple[int, Any]]] = defaultdict(list)
    for row in rows:
        words[row["subject"]].append((row["act"], json.loads(row["value"])))
    return {each.id for each in label_sets(store, image_id) if _is_right(each, words)} if words else set()


def _is_right(labels: LabelSet, words: dict[str, list[tuple[int, Any]]]) -> bool:
    """Return the newest word on labels; one on their image, as studies had it at first, holds of labels before it."""
    of_image = [word for word in words.get(labels.image_id, ()) if word[0] > labels.added_by]
    said = [*words.get(labels.id, ()), *of_image]
    return bool(max(said, key=lambda word: word[0])[1]) if said else False
