"""The step `radial`: the part of each cell, or around it, that lies in a range from centre to boundary and beyond."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field, model_validator

from cellmetry.core.progress import SILENT
from cellmetry.core.step import Step
from cellmetry.ops.distance import sides_of
from cellmetry.ops.radial import RadialRange, checked_range, select_range
from cellmetry.quantify.cleaning import clean_mask
from cellmetry.quantify.positions import PlaneCells, new_mask

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

    from cellmetry.core.image import Box
    from cellmetry.core.labels import Labels
    from cellmetry.core.progress import Progress
    from cellmetry.core.sample import Sample

__all__ = ["Radial", "radial_mask"]


def radial_mask(labels: Labels, wanted: RadialRange, *, clip: bool = False) -> Labels:
    """Return the pixels within a radial range, each with the id of its cell, in each plane by itself.

    See `cellmetry.ops.radial` for what positions mean. Regions of two cells never overlap: outside, a pixel belongs to
    the nearest cell alone. Pixels that the image's border leaves unsure are left out, unless they lie in the range
    whatever lies beyond.

    Parameters
    ----------
    clip
        Whether to leave out what lies outside of the cells.

    Raises
    ------
    PixelSizeNeeded
        If the range is in µm and the labels have no pixel size.
    """
    sides = sides_of(labels.pixel_size, um=wanted.unit == "um", what="The radial range")
    return new_mask(labels, lambda lead: _select(PlaneCells(labels, lead, sides), wanted, clip))


def _select(plane: PlaneCells, wanted: RadialRange, clip: bool) -> Iterator[tuple[Box, NDArray[np.uint32]]]:
    percent = wanted.unit == "percent"
    depths = plane.depths if percent else plane.no_depths
    reach = (wanted.outer / 100 - 1) * float(depths.length.max(initial=0)) if percent else wanted.outer
    limits = (float(wanted.inner), float(wanted.outer))
    for part in plane.parts(0.0 if clip else max(reach, 0.0)):
        yield part.box, select_range(tuple(part.positions), part.index, tuple(depths), limits, clip)


class Radial(Step):
    """Make a mask of the pixels that lie in a range between centre and boundary of their cell, or beyond it."""

    name: ClassVar[str] = "radial"

    labels: str = Field("cells", description="Name of the labels of the cells.")
    made: str = Field("radial_mask", description="Name of the mask that is made.")
    inner: float = Field(
        0.0,
        description="Where the range begins: 0 is the centre and 100 the boundary in per cent; in px and µm the signed "
        "distance from the boundary, negative inside.",
    )
    outer: float = Field(100.0, description="Where the range ends, likewise; above 100 % or 0 outside of the cell.")
    unit: Literal["percent", "px", "um"] = Field("percent", description="Unit of inner and outer.")
    clip: bool = Field(False, description="Whether to leave out what lies outside of the cells.")
    min_object_px: int = Field(0, ge=0, description="Drop connected parts of fewer pixels (by 4 neighbours).")

    @model_validator(mode="after")
    def _range_rises(self) -> Radial:
        checked_range(self.range)
        return self

    @property
    def range(self) -> RadialRange:
        """The range of positions."""
        return RadialRange(self.inner, self.outer, self.unit)

    def __call__(self, sample: Sample, progress: Progress = SILENT) -> Sample:
        """Return the sample with the mask added."""
        labels = sample.need_labels(self.labels)
        if not labels.pixel_size.known:
            labels = replace(labels, pixel_size=sample.image.pixel_size)
        mask = radial_mask(labels, self.range, clip=self.clip)
        return sample.with_masks({self.made: clean_mask(mask, self.min_object_px)})
