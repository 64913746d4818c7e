"""Edits of whole objects: delete, merge, relabel, part."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np
from pydantic import Field

from cellmetry.errors import ParameterError
from cellmetry.ops.editing.ids import mapped_ids, parts_of_mask, renumber_parts
from cellmetry.ops.editing.outlines import box_of_points, pixels_of, polygon_mask
from cellmetry.study.editing.drawing import covered_by_stroke
from cellmetry.study.editing.operation import Change, EditOperation, Id, Ids, LabelView, Outline, Stroke
from cellmetry.study.editing.places import Planes, need_box, need_objects, pieces, planes_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from cellmetry.core.image import Box

__all__ = ["Delete", "DeleteInside", "Merge", "MergeAlong", "PartApart", "Relabel"]


class Delete(EditOperation):
    """Make objects background."""

    name: ClassVar[str] = "delete"

    ids: Ids
    """The objects."""
    planes: Planes = "here"
    """Where: in this plane, in all of this frame (``z``), or in all planes of all frames (``all``)."""

    def changes(self, view: LabelView) -> list[Change]:
        """Return the boxes of the objects without them.

        Raises
        ------
        ParameterError
            If an object is not there.
        """
        found = need_objects(view, self.ids, planes_of(view, self, self.planes))
        return [each for plane, boxes in found.items() for each in _mapped(view, plane, boxes, self.ids, 0)]


class DeleteInside(EditOperation):
    """Make the objects inside an outline background.

    Where the outline crosses itself, what it goes round twice is outside (even-odd rule).
    """

    name: ClassVar[str] = "delete_inside"

    points: Outline
    """Outline as (y, x)."""
    touching: bool = False
    """Whether objects go of which only a part is inside; if not, those go that are wholly inside."""

    def changes(self, view: LabelView) -> list[Change]:
        """Return the boxes of the objects without them.

        Raises
        ------
        ParameterError
            If no object is inside.
        """
        box = box_of_points(self.points, 0, view.plane_shape)
        if min(box.shape) <= 0:
            raise ParameterError("The outline lies outside the image.")
        window = view.read(self.t, self.z, box)
        inside = polygon_mask(np.array(self.points) - (box.y0, box.x0), box.shape)
        ids, counts = np.unique(window[inside], return_counts=True)
        gone = [
            label
            for label, count in zip(ids.tolist(), counts.tolist(), strict=True)
            if label > 0 and (self.touching or view.area_of(label, self.t, self.z) == count)
        ]
        if not gone:
            raise ParameterError(f"No object lies {'' if self.touching else 'wholly '}inside the outline.")
        boxes = [need_box(view, label, self.t, self.z) for label in gone]
        return _mapped(view, (self.t, self.z), boxes, gone, 0)


class Merge(EditOperation):
    """Make one object of several: the first one given."""

    name: ClassVar[str] = "merge"

    ids: tuple[Id, ...] = Field(min_length=2, max_length=100_000)
    """The objects; the id of the first stays."""
    planes: Planes = "here"
    """Where: in this plane, in all of this frame (``z``), or in all planes of all frames (``all``)."""

    def changes(self, view: LabelView) -> list[Change]:
        """Return the boxes of the objects with one id.

        Raises
        ------
        ParameterError
            If an object is not there, or only one is given.
        """
        first, *others = dict.fromkeys(self.ids)
        if not others:
            raise ParameterError("To merge takes two objects at least.")
        planes = planes_of(view, self, self.planes)
        need_objects(view, (first,), planes)
        found = need_objects(view, others, planes)
        return [each for plane, boxes in found.items() for each in _mapped(view, plane, boxes, others, first)]


class MergeAlong(EditOperation):
    """Make one object of all that a stroke goes over: the one in which it begins."""

    name: ClassVar[str] = "merge_along"

    points: Stroke
    """Line of the pen's centre as (y, x)."""
    radius: float = Field(0.5, ge=0.5, le=1000)
    """Of the pen, in pixels."""

    def changes(self, view: LabelView) -> list[Change]:
        """Return the boxes of the objects with one id.

        Raises
        ------
        ParameterError
            If the stroke meets fewer than two objects.
        """
        box, covered = covered_by_stroke(view, self.points, self.radius)
        window = view.read(self.t, self.z, box)
        ids = np.unique(window[covered])
        ids = ids[ids > 0]
        if ids.size < 2:
            raise ParameterError("The stroke meets fewer than two objects; begin it in one and end it in the other.")
        met = window[pixels_of(np.array(self.points) - (box.y0, box.x0), box.shape)]
        first = int(met[met > 0][0]) if (met > 0).any() else int(ids[0])
        others = [label for label in ids.tolist() if label != first]
        boxes = [need_box(view, label, self.t, self.z) for label in others]
        return _mapped(view, (self.t, self.z), boxes, others, first)


class Relabel(EditOperation):
    """Give an object another id."""

    name: ClassVar[str] = "relabel"

    id: Id
    """The object."""
    to: Id | None = None
    """Its id from now on: that of an object of other planes only, or one that was never used; a new one if left out."""
    planes: Planes = "here"
    """Where: in this plane, in all of this frame (``z``), or in all planes of all frames (``all``)."""

    def changes(self, view: LabelView) -> list[Change]:
        """Return the boxes of the object with its new id.

        Raises
        ------
        ParameterError
            If it is not there, or the other id is that of an object there or of one that is gone.
        """
        planes = planes_of(view, self, self.planes)
        found = need_objects(view, (self.id,), planes)
        if self.to is not None and any(view.box_of(self.to, *plane) is not None for plane in planes):
            raise ParameterError(f"There is an object {self.to} already; to make one of both, merge them.")
        if self.to is not None and not view.has(self.to):
            view.claim(self.to)
        target = view.new_id() if self.to is None else self.to
        return [each for plane, boxes in found.items() for each in _mapped(view, plane, boxes, (self.id,), target)]


class PartApart(EditOperation):
    """Give the parts of an object that do not touch ids of their own; the largest keeps the id."""

    name: ClassVar[str] = "part_apart"

    id: Id
    """The object. Corners count as contact."""

    def changes(self, view: LabelView) -> list[Change]:
        """Return the box of the object with its parts apart.

        Raises
        ------
        ParameterError
            If it is not there, or is of one part.
        """
        box = need_box(view, self.id, self.t, self.z)
        window = view.read(self.t, self.z, box)
        parts, sizes = parts_of_mask(window == self.id)
        if sizes.size < 3:
            raise ParameterError("The cell is of one part already.")
        return [Change(self.t, self.z, box, renumber_parts(window, self.id, parts, view.new_id))]


def _mapped(
    view: LabelView, plane: tuple[int, int], boxes: Sequence[Box], ids: Sequence[int], target: int
) -> list[Change]:
    """Return the pieces of a plane that hold boxes, with another id for some objects."""
    known: NDArray[np.uint32] = np.unique(np.array(ids, np.uint32))
    return [Change(*plane, box, mapped_ids(view.read(*plane, box), known, target)) for box in pieces(boxes)]
