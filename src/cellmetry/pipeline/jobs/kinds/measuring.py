"""The job `measure`: label images, as edited now, to one table of their objects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import numpy as np
import pandas as pd
from pydantic import Field

from cellmetry.core.columns import Column
from cellmetry.core.sample import Sample
from cellmetry.io.tables import write_table
from cellmetry.measure.columns import describe_columns
from cellmetry.measure.options import MeasureOptions
from cellmetry.measure.passport.options import PassportOptions
from cellmetry.measure.passport.step import Passport
from cellmetry.measure.step import Measure
from cellmetry.ops.saturation import find_detectors
from cellmetry.ops.shapes import Shape, inside
from cellmetry.pipeline.acquisition import settings_of
from cellmetry.pipeline.jobs.beginning import same_labels, same_regions
from cellmetry.pipeline.jobs.bounded import BoundedJob, ImageIds, Name, TableName
from cellmetry.pipeline.jobs.gathering import NewResult, done_units, gather_table, keep_result, kept_before, part_path
from cellmetry.pipeline.jobs.how_read import READ, how_read
from cellmetry.pipeline.jobs.labelled import labelled_images, steady_labels
from cellmetry.pipeline.jobs.units import each_unit
from cellmetry.pipeline.outputs import with_image_names
from cellmetry.pipeline.stored.looked_at import projection_of
from cellmetry.pipeline.stored.opening import image_ref
from cellmetry.study.words import counted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cellmetry.core.image import Image
    from cellmetry.core.labels import Labels
    from cellmetry.core.progress import Progress
    from cellmetry.ops.project import Projection
    from cellmetry.pipeline.jobs.kind import JobWork
    from cellmetry.pipeline.jobs.labelled import LabelledImage
    from cellmetry.pipeline.jobs.units import Commit

__all__ = ["MeasureLabels"]


_REGION = Column("region", "", "Drawn regions in which the centre lies; several are parted by semicolons.", "Cellmetry")


class MeasureLabels(BoundedJob):
    """Measure the objects of images, as their labels are edited now, into one table."""

    name: ClassVar[str] = "measure"

    images: ImageIds = None
    """Ids of the images; all that have the labels and are not excluded if left out."""
    labels: Name = "cells"
    """Name of the labels whose objects are measured."""
    table: TableName = "cells"
    """Name of the table; an older one of this name is hidden."""
    regions: Annotated[tuple[Name, ...], Field(max_length=1000)] | None = None
    """Names of regions drawn in the study: the column `region` says in which of them the centre of a cell lies; an
    empty list for all of them."""
    measure: MeasureOptions = Field(default_factory=MeasureOptions)
    """Which features of which channels, as in the step ``measure``."""
    passport: PassportOptions | None = Field(default_factory=PassportOptions)
    """Thresholds of the flags, as in the step ``passport``; no flags with null."""

    def run(self, work: JobWork) -> dict[str, Any]:
        """Return the id of the table, its number of rows, and why images are not in it."""
        before = kept_before(work, "table")
        if before is not None:
            return {"table": before.id, "act": before.added_by, **_told(before.details)}
        found = same_labels(work, self.labels, lambda: labelled_images(work.store, self.images, self.labels))

        def measured(image_id: str, progress: Progress) -> Commit:
            return self._measure(work, found[image_id], drawn.get(image_id), progress)

        drawn = same_regions(work, found, self.regions)
        names = {image_id: each.image.name for image_id, each in found.items()}
        units = each_unit(work, "measure", names, measured)
        done = done_units(units)
        path = gather_table(work, done, flagged=self.passport is not None)
        rows = sum(unit.result["rows"] for unit in done)
        failed = {unit.name: unit.reason for unit in units if unit.state == "failed"}
        details = {
            "rows": rows,
            "labels": self.labels,
            "images": {unit.name: {"name": names[unit.name], **unit.result} for unit in done},
            "failed": failed,
            "chosen": self.images is not None,
            "options": self.model_dump(mode="json", exclude={"images"}),
        }
        summary = f"Measure {rows} {self.labels} of {counted(len(done), 'image')}"
        kept = keep_result(work, self.name, summary, NewResult("table", self.table, path, details))
        return {"table": kept["result"], "act": kept["act"], **_told(details)}

    def _measure(
        self, work: JobWork, each: LabelledImage, drawn: tuple[Shape, ...] | None, progress: Progress
    ) -> Commit:
        """Write the table of one image, and return what is to be known of it."""
        ref, steady = image_ref(work.store, each.image), steady_labels(work.store, each.labels.id)
        opened, how = ref.open(), projection_of(work.store, each.labels, each.image)
        job, read = self if how is None else self._in(how), how_read(work.store, each.image, drawn)
        sample = job._apply(opened, steady.labels, progress)
        table = sample.tables[self.table]
        described = [*describe_columns(table)]
        if drawn is not None:
            table = table.assign(region=_regions_at(table, drawn))
            described.append(_REGION)
        named, told = with_image_names(ref, table)
        write_table(named, part_path(work, each.image.id), (*told, *described))
        known = {
            "labels": each.labels.id,
            "version": steady.version,
            "project": how and job.measure.project,
            READ: read,
            "rows": len(table),
            "warnings": list(dict.fromkeys(sample.warnings)),
            "settings": settings_of(opened.metadata),
        }
        return lambda: known

    def _in(self, how: Projection) -> MeasureLabels:
        """Return the job as it measures an image whose labels are of a projection: in that, if not told otherwise."""
        measure = self.measure.model_copy(update=_projecting(self.measure, how))
        passport = self.passport and self.passport.model_copy(update=_projecting(self.passport, how))
        return self.model_copy(update={"measure": measure, "passport": passport})

    def _apply(self, image: Image, labels: Labels, progress: Progress) -> Sample:
        """Return the image with its table, by the steps that a recipe would have."""
        shared = {"labels": self.labels, "table": self.table}
        judge = None if self.passport is None else Passport(**shared, **self.passport.model_dump())
        known, _ = find_detectors(image, () if judge is None else judge.detectors_used(image))
        sample = Measure(**shared, **self.measure.model_dump())(Sample(known, labels={self.labels: labels}), progress)
        return sample if judge is None else judge(sample, progress)


def _projecting(options: MeasureOptions | PassportOptions, how: Projection) -> dict[str, str]:
    """Return what makes options read a projection, if they say neither a projection nor a plane."""
    return {"project": how} if options.project is None and options.plane is None else {}


def _told(details: Mapping[str, Any]) -> dict[str, Any]:
    """Return what of a result's details the job says too."""
    return {"rows": details["rows"], "failed": details["failed"]}


def _regions_at(table: pd.DataFrame, drawn: tuple[Shape, ...]) -> Any:
    """Return for each row the names of the regions in which its centre lies."""
    y, x = (table[f"centroid_{axis}_px"].to_numpy(np.float64) + 0.5 for axis in "yx")
    names = np.full(len(table), "", object)
    for shape in drawn:
        here = inside(shape, y, x)
        names[here] = [f"{name}; {shape.name}" if name else shape.name for name in names[here]]
    return pd.array(names, "str")
