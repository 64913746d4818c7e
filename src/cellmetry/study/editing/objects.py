"""Edits of whole objects: delete."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from cellmetry.ops.editing import without_ids
from cellmetry.study.editing.operation import Change, EditOperation, LabelView

if TYPE_CHECKING:
    from cellmetry.core.image import Box

__all__ = ["Delete"]


class Delete(EditOperation):
    """Make objects background."""

    name: ClassVar[str] = "delete"

    ids: tuple[int, ...] = Field(min_length=1, max_length=100_000)
    """The objects."""

    def changes(self, view: LabelView) -> list[Change]:
        """Return the boxes of the objects without them."""
        boxes = [box for label in self.ids if (box := view.box_of(label, self.t, self.z)) is not None]
        return [self._without(view, box) for box in boxes]

    def _without(self, view: LabelView, box: Box) -> Change:
        return Change(self.t, self.z, box, without_ids(view.read(self.t, self.z, box), self.ids))
