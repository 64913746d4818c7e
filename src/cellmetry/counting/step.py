"""The step `count`: counts of an image by its objects, its density map or both, with an interval where one holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from cellmetry.core.progress import SILENT
from cellmetry.core.step import Step
from cellmetry.counting.differences import block_differences, differences_image
from cellmetry.counting.doubts import doubts_of, unfamiliar_reason
from cellmetry.counting.objects import plane_objects
from cellmetry.counting.regions import CountedPlane, in_labels, in_shapes, in_whole, outside_shapes
from cellmetry.counting.table import Number, count_table, counters_of
from cellmetry.errors import ParameterError
from cellmetry.models.count_calibration import CountCalibration
from cellmetry.ops.label_checks import check_same_size
from cellmetry.ops.shapes import Shape, shapes_on

if TYPE_CHECKING:
    from cellmetry.core.labels import Labels
    from cellmetry.core.progress import Progress
    from cellmetry.core.sample import Sample
    from cellmetry.counting.regions import RegionCounts

__all__ = ["DIFFERENCES", "Count"]

DIFFERENCES = "disagreement"
"""Name of the map that tells where the two counters differ."""


class Count(Step):
    """Count cells in each plane, and in regions of it: by labelled objects, by a density map, and by both together."""

    name: ClassVar[str] = "count"

    labels: str = "cells"
    """Name of the labels whose objects are counted, where an earlier step made them."""
    density: str = "density"
    """Name of the map whose sum is a count, where an earlier step made it."""
    table: str = "counts"
    """Name of the table that is made."""
    regions: str | None = None
    """Name of labels whose objects are regions to count in."""
    shapes: tuple[Shape, ...] = ()
    """Drawn regions to count in."""
    outside: bool = False
    """Whether what lies in none of the drawn regions is counted too, as the region `outside`."""
    number: Number = "joint"
    """What the count is: both counters joined, or the labelled objects, which the density only checks. Labels that were
    drawn, corrected or read from files count as themselves, without an interval."""
    calibration: CountCalibration | None = None
    """How the two counts are joined and how wide intervals are, as the model's card says."""
    void_because: str = ""
    """Why the calibration gives no interval with these steps, as a clause; each run finds it out anew."""
    block_px: int = Field(default=64, ge=8, le=4096)
    """Side of the blocks in which the two counters are compared."""

    def __call__(self, sample: Sample, progress: Progress = SILENT) -> Sample:
        """Return the sample with the table of counts added, and the map of where the counters differ."""
        planes = self._planes(sample)
        progress.start("count", len(planes))
        rows: list[tuple[CountedPlane, RegionCounts]] = []
        for plane in planes:
            rows += [(plane, counts) for counts in self._count(sample, plane)]
            progress.advance()
        known = self.calibration if self.number == "joint" and self._fits(planes[0]) else None
        void = self._void(sample, known)
        pixel_um2 = sample.image.pixel_size.area_um2
        table = count_table(rows, sample.image.axes, known, holds=not void, number=self.number, pixel_um2=pixel_um2)
        sample = sample.with_table(self.table, table)
        doubts = doubts_of(sample.image, rows, known, self.calibration, void=void, number=self.number)
        sample = sample.with_warnings(*doubts)
        if counters_of(planes[0]) != "both":
            return sample
        differences = [block_differences(plane, self.block_px) for plane in planes]
        return sample.with_maps({DIFFERENCES: differences_image(sample.image, differences, self.block_px)})

    def _planes(self, sample: Sample) -> list[CountedPlane]:
        """Return what there is to count in each plane of the image."""
        image, labels, density = sample.image, sample.labels.get(self.labels), sample.maps.get(self.density)
        if labels is None and density is None:
            raise ParameterError(
                f"There is nothing to count in {image.name}: no step before made labels named {self.labels!r} or a "
                f"map named {self.density!r}."
            )
        if labels is not None:
            check_same_size(labels, image)
            _refuse_volumes(labels)
        sizes = image.sizes
        return [
            CountedPlane(
                (sizes["Y"], sizes["X"]), None if labels is None else plane_objects(labels, t, z), density, t, z
            )
            for t in range(sizes["T"])
            for z in range(sizes["Z"])
        ]

    def _count(self, sample: Sample, plane: CountedPlane) -> list[RegionCounts]:
        """Return the counts of one plane and of the regions in it."""
        shapes = shapes_on(sample.image, self.shapes)
        found = [in_whole(plane), *in_shapes(plane, shapes)]
        if self.outside and shapes:
            found.append(outside_shapes(plane, shapes))
        if self.regions is None:
            return found
        regions = sample.need_labels(self.regions)
        check_same_size(regions, sample.image)
        return [*found, *in_labels(plane, regions)]

    def _fits(self, plane: CountedPlane) -> bool:
        """Return whether the calibration is of the counters that there are."""
        return self.calibration is not None and self.calibration.counters == counters_of(plane)

    def _void(self, sample: Sample, known: CountCalibration | None) -> list[str]:
        """Return why the calibration in use gives no interval for an image, a clause each."""
        if known is None:
            return []
        reasons = (self.void_because, unfamiliar_reason(sample.scores.get("unfamiliarity"), known))
        return [reason for reason in reasons if reason]


def _refuse_volumes(labels: Labels) -> None:
    if "Z" in labels.axes and labels.linked_z:
        raise ParameterError(
            "Counting works plane by plane, but these objects run through Z; project the stack first with stack=max, "
            "or segment it with stack=planes."
        )
