"""Splitting objects: by a line, by seeds, or where they are narrow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar

import numpy as np
from pydantic import Field

from cellmetry.errors import ParameterError
from cellmetry.ops.editing.ids import renumber_parts
from cellmetry.ops.editing.outlines import pixels_of
from cellmetry.ops.editing.splitting import parts_by_line, parts_by_seeds, parts_by_summits
from cellmetry.study.editing.drawing import covered_by_stroke
from cellmetry.study.editing.operation import Change, EditOperation, Id, LabelView, Point
from cellmetry.study.editing.places import need_box

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cellmetry.core.image import Box

__all__ = ["Split", "Watershed"]

_REACH = 0.75


class Split(EditOperation):
    """Cut objects along a line; the largest piece keeps the id."""

    name: ClassVar[str] = "split"

    points: tuple[Point, ...] = Field(min_length=2, max_length=20_000)
    """Line as (y, x), right through what it is to cut."""
    id: Id | None = None
    """Object to cut; all that the line goes through if left out."""
    smallest_px: int = Field(5, ge=1, le=1_000_000)
    """Pieces of fewer pixels stay with the nearest other."""

    def changes(self, view: LabelView) -> list[Change]:
        """Return the boxes of the objects with their pieces apart.

        Raises
        ------
        ParameterError
            If the object is not there, or the line cuts none in two.
        """
        if self.id is None:
            box, covered = covered_by_stroke(view, self.points, _REACH)
            met = np.unique(view.read(self.t, self.z, box)[covered])
            ids = [label for label in met.tolist() if label > 0]
        else:
            ids = [self.id]
        found = [self._cut(view, label, need_box(view, label, self.t, self.z)) for label in ids]
        changes = [each for each in found if each is not None]
        if not changes:
            raise ParameterError("The line cuts no object in two; draw it from edge to edge.")
        return changes

    def _cut(self, view: LabelView, label: int, box: Box) -> Change | None:
        window = view.read(self.t, self.z, box)
        line = np.array(self.points) - (box.y0, box.x0)
        parts = parts_by_line(window == label, line, smallest=self.smallest_px)
        if parts.max() < 2:
            return None
        return Change(self.t, self.z, box, renumber_parts(window, label, parts, view.new_id))


class Watershed(EditOperation):
    """Cut one object where it is narrow: between seeds, or by itself; the largest piece keeps the id."""

    name: ClassVar[str] = "watershed"

    id: Id
    """The object."""
    seeds: Annotated[tuple[Point, ...], Field(max_length=1000)] = ()
    """A point (y, x) in each piece; found by itself if left out."""
    depth: float = Field(1.0, ge=0, le=1000)
    """Without seeds: how much wider (in pixels of half its width) a piece must be than the neck to the next."""

    def changes(self, view: LabelView) -> list[Change]:
        """Return the box of the object with its pieces apart.

        Raises
        ------
        ParameterError
            If the object is not there, a seed lies outside it, there is one seed alone, or nothing is to be cut.
        """
        box = need_box(view, self.id, self.t, self.z)
        window = view.read(self.t, self.z, box)
        mask = window == self.id
        parts = self._by_seeds(mask, box) if self.seeds else parts_by_summits(mask, depth=self.depth)
        if parts.max() < 2:
            raise ParameterError(
                "The cell is narrow nowhere: give a point in each of its parts, or cut it along a line (Split)."
            )
        return [Change(self.t, self.z, box, renumber_parts(window, self.id, parts, view.new_id))]

    def _by_seeds(self, mask: NDArray[np.bool_], box: Box) -> NDArray[np.uint32]:
        pixels = np.array(pixels_of(np.array(self.seeds) - (box.y0, box.x0), mask.shape))
        if pixels.shape[1] < len(self.seeds) or not mask[pixels[0], pixels[1]].all():
            raise ParameterError("Each point must lie in the cell that is split.")
        pixels = np.unique(pixels, axis=1)
        if pixels.shape[1] < 2:
            raise ParameterError("To split takes two points at least, in different pixels.")
        return parts_by_seeds(mask, pixels)
