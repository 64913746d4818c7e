"""The job `count`: how many cells images show, by labelled objects, by a model's density, and by both together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import Field

from cellmetry.core.sample import Sample
from cellmetry.counting.count import counting_steps
from cellmetry.counting.step import Count
from cellmetry.counting.validity import with_checked_calibrations, with_own_calibration
from cellmetry.engines.maps_step import Maps
from cellmetry.io.tables import write_table
from cellmetry.measure.columns import describe_columns
from cellmetry.ops.shapes import Shape
from cellmetry.pipeline.jobs.beginning import same_images, same_labels, same_regions
from cellmetry.pipeline.jobs.bounded import BoundedJob, ImageIds, Name, TableName
from cellmetry.pipeline.jobs.gathering import NewResult, done_units, gather_table, keep_result, kept_before, part_path
from cellmetry.pipeline.jobs.how_read import READ, how_read
from cellmetry.pipeline.jobs.labelled import LabelledImage, labelled_images, steady_labels
from cellmetry.pipeline.jobs.looking import Look, same_look
from cellmetry.pipeline.jobs.units import each_unit
from cellmetry.pipeline.outputs import with_image_names
from cellmetry.pipeline.stored.looked_at import as_labels_saw, projection_of
from cellmetry.pipeline.stored.opening import image_ref

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cellmetry.core.progress import Progress
    from cellmetry.core.step import Step
    from cellmetry.pipeline.jobs.kind import JobWork
    from cellmetry.pipeline.jobs.units import Commit
    from cellmetry.study.store.images import StoredImage
    from cellmetry.study.store.store import Store

__all__ = ["CountImages", "in_regions"]

_MODEL_LOOKS = ("model", "channel", "diameter_um", "diameter_px", "device")


class CountImages(BoundedJob):
    """Count cells: by a model's objects and density with an interval, or as labels are edited now."""

    name: ClassVar[str] = "count"

    images: ImageIds = None
    """Ids of the images; all that can be read (or have the labels) and are not excluded if left out."""
    labels: Name | None = None
    """Name of labels whose objects are the count; if left out, the engine finds objects, which are not kept. Labels
    count as themselves, without an interval."""
    look: Look = Field(default_factory=Look)
    """Engine and model that find objects and density."""
    density: bool = True
    """With `labels`: whether the model's density counts too, as a check beside them."""
    shapes: Annotated[tuple[Shape, ...], Field(max_length=1000)] = ()
    """Drawn regions to count in."""
    regions: Annotated[tuple[Name, ...], Field(max_length=1000)] | None = None
    """Names of regions drawn in the study to count in; an empty list for all of them."""
    outside: bool = False
    """Whether what lies in none of the regions of an image is counted too."""
    table: TableName = "counts"
    """Name of the table; an older one of this name is hidden."""

    def check(self, store: Store) -> None:
        """Refuse an engine or a model that is not there."""
        if not self._plain:
            self.look.chosen(store)

    def run(self, work: JobWork) -> dict[str, Any]:
        """Return the id of the table, and why images are not in it."""
        before = kept_before(work, "table")
        if before is not None:
            return {"table": before.id, "act": before.added_by, "failed": before.details["failed"]}
        found = self._found(work)
        steps = self.steps({} if self._plain else same_look(work, self.look))
        drawn = same_regions(work, found, self.regions)

        def counted(image_id: str, progress: Progress) -> Commit:
            own = [in_regions(step, drawn.get(image_id, ())) for step in steps]
            read = how_read(work.store, _image_of(found[image_id]), drawn.get(image_id), channels=not self._plain)
            count = self._count(work, found[image_id], own, progress)
            return lambda: {**count(), READ: read}

        names = {image_id: _image_of(each).name for image_id, each in found.items()}
        units = each_unit(work, "count", names, counted)
        done = done_units(units)
        path = gather_table(work, done)
        failed = {unit.name: unit.reason for unit in units if unit.state == "failed"}
        details = {
            "rows": sum(unit.result["rows"] for unit in done),
            "images": {unit.name: {"name": names[unit.name], **unit.result} for unit in done},
            "failed": failed,
            "chosen": self.images is not None,
            "options": self.model_dump(mode="json", exclude={"images"}),
        }
        new = NewResult("table", self.table, path, details)
        kept = keep_result(work, self.name, f"Count cells in {len(done)} images", new)
        return {"table": kept["result"], "act": kept["act"], "failed": failed}

    def _found(self, work: JobWork) -> dict[str, StoredImage | LabelledImage]:
        """Return the images, with their labels where those are counted, by id."""
        name = self.labels
        if name is None:
            return dict(same_images(work, self.images))
        return dict(same_labels(work, name, lambda: labelled_images(work.store, self.images, name)))

    @property
    def _plain(self) -> bool:
        """Whether only objects of labels are counted, for which no model is asked."""
        return self.labels is not None and not self.density

    def steps(self, look: Mapping[str, Any]) -> Sequence[Step]:
        """Return the steps that count.

        Parameters
        ----------
        look
            As `Look.chosen` gives it.
        """
        counting = Count(
            shapes=self.shapes,
            outside=self.outside,
            table=self.table,
            labels=self.labels or "cells",
            number="joint" if self.labels is None else "objects",
        )
        if self.labels is None:
            return with_checked_calibrations(with_own_calibration(counting_steps(look, counting)))
        if self._plain:
            return (counting,)
        maps = Maps(heads=("density",), **{name: look[name] for name in _MODEL_LOOKS if name in look})
        maps.load_engine()
        return maps, counting

    def _count(
        self, work: JobWork, each: StoredImage | LabelledImage, steps: Sequence[Step], progress: Progress
    ) -> Commit:
        """Write the counts of one image, and return what is to be known of them."""
        ref = image_ref(work.store, _image_of(each))
        sample, known = Sample(ref.open()), {}
        if isinstance(each, LabelledImage) and self.labels is not None:
            steady = steady_labels(work.store, each.labels.id)
            how = projection_of(work.store, each.labels, each.image)
            sample = as_labels_saw(sample.with_labels(self.labels, steady.labels), how)
            known = {"labels": each.labels.id, "version": steady.version, "project": how}
        for step in steps:
            sample = step(sample, progress)
        table = sample.tables[self.table]
        named, told = with_image_names(ref, table)
        write_table(named, part_path(work, _image_of(each).id), (*told, *describe_columns(table)))
        result = {**known, "rows": len(table), "warnings": list(dict.fromkeys(sample.warnings))}
        return lambda: result


def in_regions(step: Step, drawn: Sequence[Shape]) -> Step:
    """Return a step that counts in the regions drawn on its image too."""
    if not isinstance(step, Count) or not drawn:
        return step
    here = (each.model_copy(update={"image": ""}) for each in drawn)
    return step.model_copy(update={"shapes": (*step.shapes, *here)})


def _image_of(each: StoredImage | LabelledImage) -> StoredImage:
    return each.image if isinstance(each, LabelledImage) else each
