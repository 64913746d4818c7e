"""Edits by hand with a pen: draw."""

from __future__ import annotations

from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field

from cellmetry.core.image import Box
from cellmetry.errors import ParameterError
from cellmetry.ops.editing import polygon_mask
from cellmetry.study.editing.operation import Change, EditOperation, LabelView

__all__ = ["Draw", "Point"]

Coordinate = Annotated[float, Field(ge=-1e6, le=1e6)]
Point = tuple[Coordinate, Coordinate]
"""(y, x)"""


class Draw(EditOperation):
    """Make a new object of the inside of an outline, or add that to an object."""

    name: ClassVar[str] = "draw"

    points: tuple[Point, ...] = Field(min_length=3, max_length=20_000)
    """Outline as (y, x)."""
    id: int | None = Field(None, ge=1, le=2**32 - 1)
    """Object to which the inside is added; a new one if left out."""
    over: bool = False
    """Whether pixels of other objects are taken; if not, only background is."""

    def changes(self, view: LabelView) -> list[Change]:
        """Return the box of the outline with its inside filled.

        Raises
        ------
        ParameterError
            If no pixel of the labels is inside.
        """
        points = np.array(self.points)
        low, high = np.floor(points.min(axis=0)).astype(int), np.ceil(points.max(axis=0)).astype(int) + 1
        height, width = view.plane_shape
        box = Box(max(low[0], 0), min(high[0], height), max(low[1], 0), min(high[1], width))
        if min(box.shape) <= 0:
            raise ParameterError("The outline lies outside the image.")
        inside = polygon_mask(points - (box.y0, box.x0), box.shape)
        window = view.read(self.t, self.z, box)
        free = inside if self.over else inside & (window == 0)
        if not free.any():
            raise ParameterError("The outline holds no pixel that could be drawn on.")
        label = view.new_id() if self.id is None else self.id
        return [Change(self.t, self.z, box, np.where(free, np.uint32(label), window))]
