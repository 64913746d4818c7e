"""The fields into which planes of labels are cut, and which of them people looked through."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cellmetry.core.image import Box

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cellmetry.study.store.labels import LabelSet
    from cellmetry.study.store.reviewed import ReviewedField

__all__ = ["FIELD_PX", "FieldPlace", "count_fields", "field_box", "looked_through", "rows_and_columns"]

FIELD_PX = 512
"""Side of a field, in pixels."""
FieldPlace = tuple[int, int, int, int]
"""Frame, plane, row and column of a field."""


def rows_and_columns(labels: LabelSet) -> tuple[int, int]:
    """Return how many fields lie below and beside each other in a plane of labels."""
    height, width = labels.plane_shape
    return -(-height // FIELD_PX), -(-width // FIELD_PX)


def count_fields(labels: LabelSet) -> int:
    """Return how many fields all planes of labels have."""
    rows, columns = rows_and_columns(labels)
    return rows * columns * labels.size("T") * labels.size("Z")


def field_box(labels: LabelSet, row: int, column: int) -> Box:
    """Return the box of a field; those at the edge are smaller."""
    height, width = labels.plane_shape
    y0, x0 = row * FIELD_PX, column * FIELD_PX
    return Box(y0, min(height, y0 + FIELD_PX), x0, min(width, x0 + FIELD_PX))


def looked_through(labels: LabelSet, reviewed: Iterable[ReviewedField]) -> set[FieldPlace]:
    """Return the fields of labels that were looked through: those whose middle lies in what was reviewed."""
    return {place for each in reviewed if each.labels_id == labels.id for place in _middles(labels, each)}


def _middles(labels: LabelSet, reviewed: ReviewedField) -> set[FieldPlace]:
    """Return the fields whose middle lies in a reviewed box."""
    found, box = set(), reviewed.box
    for row in range(box.y0 // FIELD_PX, -(-box.y1 // FIELD_PX)):
        for column in range(box.x0 // FIELD_PX, -(-box.x1 // FIELD_PX)):
            field = field_box(labels, row, column)
            y, x = (field.y0 + field.y1) / 2, (field.x0 + field.x1) / 2
            if box.y0 <= y < box.y1 and box.x0 <= x < box.x1:
                found.add((reviewed.t, reviewed.z, row, column))
    return found
