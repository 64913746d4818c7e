"""Edits of labels that hold: neither taken back since, nor the taking back of others."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from cellmetry.study.rebase.carrying import edits_before_relabelling
from cellmetry.study.store.labels import label_set

if TYPE_CHECKING:
    from cellmetry.study.store.labels import LabelSet
    from cellmetry.study.store.store import Store

__all__ = ["count_held_edits", "edited_labels"]

_REBASE = "rebase"


def count_held_edits(store: Store, labels: LabelSet, version: int) -> int:
    """Return how many edits of people hold in a version of labels, with those that older labels handed on to them."""
    held = _held_edits(store, labels, version)
    mine = sum(operation != _REBASE and holds for operation, holds in held)
    handed = (_REBASE, False) not in held
    return mine + (_edits_handed_on(store, labels) if handed else 0) + edits_before_relabelling(labels)


def edited_labels(store: Store, image_id: str | None = None) -> set[str]:
    """Return the ids of labels, of one image or of all, that have edits which hold."""
    rows = store.database.rows(
        "SELECT DISTINCT labels_id FROM edits JOIN acts ON acts.seq = edits.act WHERE version IS NOT NULL "
        "AND undone_by IS NULL AND undoes IS NULL "
        "AND (?1 IS NULL OR labels_id IN (SELECT id FROM labels WHERE image_id = ?1))",
        (image_id,),
    )
    return {row["labels_id"] for row in rows}


def _held_edits(store: Store, labels: LabelSet, version: int) -> list[tuple[str, bool]]:
    """Return what edits up to a version did, and whether each holds in it; undoing and doing again are none."""
    operations: dict[int, str] = {}
    undone: dict[int, bool] = {}
    undoing: dict[int, int] = {}
    for row in store.database.rows(
        "SELECT act, operation, parameters FROM edits WHERE labels_id = ? AND version <= ? ORDER BY version",
        (labels.id, version),
    ):
        if row["operation"] == "undo":
            undoing[row["act"]] = json.loads(row["parameters"])["act"]
            undone[undoing[row["act"]]] = True
        elif row["operation"] == "redo":
            undone[undoing[json.loads(row["parameters"])["act"]]] = False
        else:
            operations[row["act"]] = row["operation"]
    return [(operation, not undone.get(act, False)) for act, operation in operations.items()]


def _edits_handed_on(store: Store, labels: LabelSet) -> int:
    """Return how many edits the labels had whose corrections were put onto these."""
    before = labels.origin.get("rebased")
    if before is None:
        return 0
    row = store.database.row(
        "SELECT max(version) AS version FROM edits WHERE labels_id = ? AND act < ?", (before, labels.added_by)
    )
    return count_held_edits(store, label_set(store, before), (row and row["version"]) or 0)
