"""Copying objects to the next plane or frame."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from cellmetry.core.image import Box
from cellmetry.errors import ParameterError
from cellmetry.study.editing.operation import Change, EditOperation, Id, LabelView
from cellmetry.study.editing.places import need_box, pieces

__all__ = ["CopyPlane"]


class CopyPlane(EditOperation):
    """Copy objects of a plane, with their ids, to another plane of the stack or the movie."""

    name: ClassVar[str] = "copy_plane"

    axis: Literal["Z", "T"] = "Z"
    """Along which."""
    step: int = Field(1, ge=-10_000, le=10_000)
    """How many planes further; back if negative."""
    ids: Annotated[tuple[Id, ...], Field(max_length=100_000)] = ()
    """The objects; all of the plane if left out."""
    over: bool = False
    """Whether pixels of objects there are taken; if not, only background is."""

    def changes(self, view: LabelView) -> list[Change]:
        """Return the pieces of the other plane with the objects in them.

        Raises
        ------
        ParameterError
            If there is no such plane or object.
        """
        at = (self.t + self.step, self.z) if self.axis == "T" else (self.t, self.z + self.step)
        place, count = at[0 if self.axis == "T" else 1], view.size(self.axis)
        if self.step == 0 or not 0 <= place < count:
            raise ParameterError(f"There is no other plane {place} along {self.axis}; there are {count}, from 0.")
        height, width = view.plane_shape
        whole = [Box(0, height, 0, width)]
        boxes = [need_box(view, label, self.t, self.z) for label in self.ids] if self.ids else whole
        return [self._copied(view, at, box) for box in pieces(boxes)]

    def _copied(self, view: LabelView, at: tuple[int, int], box: Box) -> Change:
        source, target = view.read(self.t, self.z, box), view.read(*at, box)
        chosen = source > 0 if not self.ids else np.isin(source, np.array(self.ids, np.uint32))
        taken = chosen if self.over else chosen & (target == 0)
        return Change(*at, box, np.where(taken, source, target))
