"""Filling: the holes of objects, and the background between objects."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np
from pydantic import Field
from scipy import ndimage

from cellmetry.core.image import Box
from cellmetry.errors import ParameterError
from cellmetry.ops.editing.filling import flooded, holes_of
from cellmetry.study.editing.drawing import painted
from cellmetry.study.editing.operation import Change, EditOperation, Id, Ids, LabelView, Point
from cellmetry.study.editing.places import need_box

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Fill", "FillHoles"]

_FIRST_MARGIN = 64


class FillHoles(EditOperation):
    """Give objects the background that they surround."""

    name: ClassVar[str] = "fill_holes"

    ids: Ids
    """The objects."""

    def changes(self, view: LabelView) -> list[Change]:
        """Return the boxes of the objects without holes; other objects in holes stay.

        Raises
        ------
        ParameterError
            If an object is not there.
        """
        return [self._filled(view, label, need_box(view, label, self.t, self.z)) for label in dict.fromkeys(self.ids)]

    def _filled(self, view: LabelView, label: int, box: Box) -> Change:
        window = view.read(self.t, self.z, box)
        hole = holes_of(window == label) & (window == 0)
        return Change(self.t, self.z, box, np.where(hole, np.uint32(label), window))


class Fill(EditOperation):
    """Give an object, or a new one, the background round a point, up to other objects and the edge of the image."""

    name: ClassVar[str] = "fill"

    point: Point
    """A point (y, x) of background."""
    id: Id | None = None
    """Object to which the region is added; a new one if left out."""
    largest_px: int = Field(1_000_000, ge=1, le=16_000_000)
    """Refuse a region of more pixels: it is then not bounded by objects."""
    most_cells: float | None = Field(None, gt=0, le=1_000_000)
    """Refuse a region larger than this many times the median area of the objects that bound it, and one that none
    bounds; not looked at if left out."""

    def changes(self, view: LabelView) -> list[Change]:
        """Return the box of the region, filled.

        Raises
        ------
        ParameterError
            If the point lies outside the image or in an object, the region is too large, or the object is not there.
        """
        y, x = (int(np.floor(at)) for at in self.point)
        height, width = view.plane_shape
        if not (0 <= y < height and 0 <= x < width):
            raise ParameterError("The point lies outside the image.")
        margin = _FIRST_MARGIN
        while True:
            box = Box(max(y - margin, 0), min(y + margin, height), max(x - margin, 0), min(x + margin, width))
            window = view.read(self.t, self.z, box)
            region = self._region(window, y - box.y0, x - box.x0)
            if not _leaves(region, box, view.plane_shape):
                self._must_be_bounded(view, window, region)
                after = painted(view, window, region, self.id, over=False)
                return [Change(self.t, self.z, box, after)]
            margin *= 2

    def _region(self, window: NDArray[np.uint32], y: int, x: int) -> NDArray[np.bool_]:
        if window[y, x]:
            raise ParameterError(f"The point lies in object {window[y, x]}, not in the background.")
        region = flooded(window == 0, y, x)
        if np.count_nonzero(region) > self.largest_px:
            how = "allow more with largest_px" if self.most_cells is None else "draw the cell"
            raise ParameterError(
                f"The background round the point has more than {self.largest_px:,} pixels: objects do not bound it. "
                f"Close the gap, or {how}."
            )
        return region

    def _must_be_bounded(self, view: LabelView, window: NDArray[np.uint32], region: NDArray[np.bool_]) -> None:
        if self.most_cells is None:
            return
        near = np.unique(window[ndimage.binary_dilation(region)])
        areas = [view.area_of(int(label), self.t, self.z) for label in near if label]
        size = int(np.count_nonzero(region))
        if not areas or size > self.most_cells * float(np.median(areas)):
            times = f", {size / float(np.median(areas)):.0f} times those round it" if areas else ""
            raise ParameterError(
                f"This is open background, no gap between cells: it would become one cell of {size:,} px{times}. "
                f"Draw the cell, or close the gap first."
            )


def _leaves(region: NDArray[np.bool_], box: Box, plane: tuple[int, int]) -> bool:
    """Return whether a region goes on beyond a box."""
    sides = (
        (region[0], box.y0 > 0),
        (region[-1], box.y1 < plane[0]),
        (region[:, 0], box.x0 > 0),
        (region[:, -1], box.x1 < plane[1]),
    )
    return any(more and bool(side.any()) for side, more in sides)
