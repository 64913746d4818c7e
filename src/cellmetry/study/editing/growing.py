"""Growing and shrinking objects."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np
from pydantic import Field

from cellmetry.core.image import Box
from cellmetry.errors import ParameterError
from cellmetry.ops.editing.growing import grown, shrunk
from cellmetry.study.editing.operation import Change, EditOperation, Ids, LabelView
from cellmetry.study.editing.places import groups, need_box

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Grow", "Shrink"]


class Grow(EditOperation):
    """Give objects the background round them; none grows into another, and what two reach goes to the nearer."""

    name: ClassVar[str] = "grow"

    ids: Ids
    """The objects."""
    pixels: float = Field(ge=1, le=200)
    """How far, from the centre of the object's last pixels to the centre of new ones."""

    def changes(self, view: LabelView) -> list[Change]:
        """Return the boxes of the objects, grown.

        Raises
        ------
        ParameterError
            If an object is not there.
        """
        ids = np.unique(np.array(self.ids, np.uint32))
        boxes = [self._wider(need_box(view, label, self.t, self.z), view.plane_shape) for label in ids.tolist()]
        return [
            Change(self.t, self.z, box, grown(view.read(self.t, self.z, box), ids, self.pixels))
            for box in groups(boxes)
        ]

    def _wider(self, box: Box, plane: tuple[int, int]) -> Box:
        more = int(np.ceil(self.pixels)) + 1
        return Box(
            max(box.y0 - more, 0), min(box.y1 + more, plane[0]), max(box.x0 - more, 0), min(box.x1 + more, plane[1])
        )


class Shrink(EditOperation):
    """Make the rim of objects background; not where they lie at the edge of the image."""

    name: ClassVar[str] = "shrink"

    ids: Ids
    """The objects."""
    pixels: float = Field(ge=1, le=200)
    """How much, from the centre of the pixels round the object."""

    def changes(self, view: LabelView) -> list[Change]:
        """Return the boxes of the objects, shrunk.

        Raises
        ------
        ParameterError
            If an object is not there, or nothing of it would be left.
        """
        return [self._smaller(view, label) for label in dict.fromkeys(self.ids)]

    def _smaller(self, view: LabelView, label: int) -> Change:
        box = need_box(view, label, self.t, self.z)
        window = view.read(self.t, self.z, box)
        mask: NDArray[np.bool_] = window == label
        beyond = (box.y0 == 0, box.y1 == view.plane_shape[0], box.x0 == 0, box.x1 == view.plane_shape[1])
        kept = shrunk(mask, self.pixels, beyond=beyond)
        if not kept.any():
            raise ParameterError(f"Nothing would be left of object {label}; shrink it less, or delete it.")
        return Change(self.t, self.z, box, np.where(mask & ~kept, np.uint32(0), window))
