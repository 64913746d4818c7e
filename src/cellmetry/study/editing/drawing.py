"""Edits by hand with a pen: brush, erase, draw."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np
from pydantic import Field

from cellmetry.errors import ParameterError
from cellmetry.ops.editing.outlines import box_of_points, polygon_mask, stroke_mask
from cellmetry.study.editing.operation import Change, EditOperation, Id, LabelView, Outline, Point, Stroke
from cellmetry.study.editing.places import need_box, need_object

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cellmetry.core.image import Box

__all__ = ["Brush", "Draw", "Erase", "Point", "covered_by_stroke", "painted"]


class Brush(EditOperation):
    """Paint along a line with a round pen: add to an object, or make a new one."""

    name: ClassVar[str] = "brush"

    points: Stroke
    """Line of the pen's centre as (y, x)."""
    radius: float = Field(ge=0.5, le=1000)
    """Of the pen, in pixels."""
    id: Id | None = None
    """Object to which the paint is added; a new one if left out."""
    over: bool = False
    """Whether pixels of other objects are taken; if not, only background is."""

    def changes(self, view: LabelView) -> list[Change]:
        """Return the box of the stroke with it painted.

        Raises
        ------
        ParameterError
            If the stroke lies outside the image or covers no pixel that may be painted, or the object is not there.
        """
        box, covered = covered_by_stroke(view, self.points, self.radius)
        window = view.read(self.t, self.z, box)
        return [Change(self.t, self.z, box, painted(view, window, covered, self.id, over=self.over))]


class Erase(EditOperation):
    """Make background along a line with a round pen."""

    name: ClassVar[str] = "erase"

    points: Stroke
    """Line of the pen's centre as (y, x)."""
    radius: float = Field(ge=0.5, le=1000)
    """Of the pen, in pixels."""
    id: Id | None = None
    """Object of which to erase; of every object if left out."""

    def changes(self, view: LabelView) -> list[Change]:
        """Return the box of the stroke with it erased.

        Raises
        ------
        ParameterError
            If the stroke lies outside the image, or the object is not there.
        """
        if self.id is not None:
            need_box(view, self.id, self.t, self.z)
        box, covered = covered_by_stroke(view, self.points, self.radius)
        window = view.read(self.t, self.z, box)
        gone = covered if self.id is None else covered & (window == self.id)
        return [Change(self.t, self.z, box, np.where(gone, np.uint32(0), window))]


class Draw(EditOperation):
    """Make a new object of the inside of an outline, or add that to an object.

    Where the outline crosses itself, what it goes round twice is outside (even-odd rule).
    """

    name: ClassVar[str] = "draw"

    points: Outline
    """Outline as (y, x)."""
    id: Id | None = None
    """Object to which the inside is added; a new one if left out."""
    over: bool = False
    """Whether pixels of other objects are taken; if not, only background is."""

    def changes(self, view: LabelView) -> list[Change]:
        """Return the box of the outline with its inside filled.

        Raises
        ------
        ParameterError
            If the outline lies outside the image or holds no pixel that may be painted, or the object is not there.
        """
        box = box_of_points(self.points, 0, view.plane_shape)
        _must_meet(box, "outline")
        window = view.read(self.t, self.z, box)
        inside = polygon_mask(np.array(self.points) - (box.y0, box.x0), box.shape)
        return [Change(self.t, self.z, box, painted(view, window, inside, self.id, over=self.over))]


def covered_by_stroke(view: LabelView, points: tuple[Point, ...], radius: float) -> tuple[Box, NDArray[np.bool_]]:
    """Return the box of a stroke in the plane and which pixels of it the pen covers.

    Raises
    ------
    ParameterError
        If it lies outside the image.
    """
    box = box_of_points(points, radius, view.plane_shape)
    _must_meet(box, "stroke")
    view.may_read(box)
    return box, stroke_mask(np.array(points) - (box.y0, box.x0), radius, box.shape)


def painted(
    view: LabelView, window: NDArray[np.uint32], mask: NDArray[np.bool_], label: int | None, *, over: bool
) -> NDArray[np.uint32]:
    """Return a window in which the pixels of a mask belong to an object, or to a new one.

    Raises
    ------
    ParameterError
        If there is no such object, or no pixel may be painted.
    """
    if label is not None:
        need_object(view, label)
    taken = mask if over else mask & (window == 0)
    if not (taken.any() or (label is not None and mask.any())):
        raise ParameterError(
            "There is no pixel that could be painted: what is marked is empty or belongs to other objects."
        )
    return np.where(taken, np.uint32(view.new_id() if label is None else label), window)


def _must_meet(box: Box, what: str) -> None:
    if min(box.shape) <= 0:
        raise ParameterError(f"The {what} lies outside the image.")
