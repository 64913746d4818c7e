"""`standings`: how far people stand behind labels, and so whether these teach a model."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from cellmetry.pipeline.looked_through import count_fields, looked_through
from cellmetry.study.rebase.held import edited_labels
from cellmetry.study.store.reviewed import reviewed_fields
from cellmetry.study.store.right import right_labels

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cellmetry.study.store.labels import LabelSet
    from cellmetry.study.store.reviewed import ReviewedField
    from cellmetry.study.store.store import Store

__all__ = ["Standing", "standings"]


class Standing(NamedTuple):
    """What people did with labels.

    Parameters
    ----------
    right
        Whether somebody said that all cells are right.
    reviewed
        Part of their fields that was looked through, 0 to 1.
    teaches
        Whether a training takes them: they have edits that hold, were imported, called right, or looked through whole.
    """

    right: bool
    reviewed: float
    teaches: bool


def standings(store: Store, sets: Iterable[LabelSet]) -> dict[str, Standing]:
    """Return how people stand behind labels, by the labels' ids."""
    found = list(sets)
    of = {each.image_id for each in found}
    only = of.pop() if len(of) == 1 else None
    right, edited = right_labels(store, only), edited_labels(store, only)
    fields: dict[str, list[ReviewedField]] = defaultdict(list)
    for each in reviewed_fields(store, only):
        fields[each.labels_id].append(each)
    return {
        each.id: _standing(each, fields.get(each.id, ()), right=each.id in right, edited=each.id in edited)
        for each in found
    }


def _standing(labels: LabelSet, fields: Iterable[ReviewedField], *, right: bool, edited: bool) -> Standing:
    reviewed = len(looked_through(labels, fields)) / max(count_fields(labels), 1)
    agreed = bool(labels.origin.get("said"))  # corrections that a newer model made likewise
    teaches = edited or agreed or "upload" in labels.origin or right or reviewed >= 1
    return Standing(right, reviewed, teaches)
