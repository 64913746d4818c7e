"""Labels all of whose cells a person called right: said of those that were looked at, and of no others."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from cellmetry.errors import ParameterError
from cellmetry.study.store.acts import Actor, act
from cellmetry.study.store.images import image, say
from cellmetry.study.store.labels import label_sets

if TYPE_CHECKING:
    from cellmetry.study.store.labels import LabelSet
    from cellmetry.study.store.store import Store

__all__ = ["CORRECTED", "right_labels", "say_right"]

CORRECTED = "corrected"
"""The word by which a person says of labels that all of their cells are right."""


def say_right(store: Store, actor: Actor, labels: LabelSet, *, right: bool) -> int:
    """Return the act that notes that all cells of labels are right, or that this is not known.

    Newer labels that take their place are others, as are those of another name: nobody has looked at them.

    Raises
    ------
    ParameterError
        If the image does not have these labels any more.
    """
    name = image(store, labels.image_id).name
    if all(each.id != labels.id for each in label_sets(store, labels.image_id)):
        raise ParameterError(f"{name} has no longer the {labels.name} that were looked at; look at those it has now.")
    what = f"{labels.name} of {name}"
    with store.database.write():
        summary = f"Call all {what} right" if right else f"Call {what} right no longer"
        seq = act(store, actor, "call right", summary, image=labels.image_id, labels=labels.id, right=right)
        say(store, seq, labels.id, {CORRECTED: right or None})
    return seq


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
