"""The job `quantify`: masks, rings, ratios and radial profiles of cells, as their labels are edited now."""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from cellmetry.io.atomic import atomic_write
from cellmetry.io.tables import write_table
from cellmetry.measure.columns import describe_columns
from cellmetry.pipeline.acquisition import settings_of
from cellmetry.pipeline.jobs.beginning import same_labels
from cellmetry.pipeline.jobs.bounded import BoundedJob, ImageIds, Name, TableName
from cellmetry.pipeline.jobs.files import file_stems
from cellmetry.pipeline.jobs.following import follow_cells, refuse_unlike_planes
from cellmetry.pipeline.jobs.gathering import NewResult, done_units, gather_table, keep_result, kept_before, part_path
from cellmetry.pipeline.jobs.how_read import READ, how_read
from cellmetry.pipeline.jobs.labelled import labelled_images, steady_labels
from cellmetry.pipeline.jobs.units import each_unit
from cellmetry.pipeline.outputs import with_image_names, write_outputs
from cellmetry.pipeline.quantifying import CELLS, Quantifying
from cellmetry.pipeline.recipe import recipe_text
from cellmetry.pipeline.stored.looked_at import as_labels_saw, projection_of
from cellmetry.pipeline.stored.opening import image_ref
from cellmetry.pipeline.work import Job, Layout
from cellmetry.study.store.results import add_result

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from cellmetry.core.progress import Progress
    from cellmetry.core.sample import Sample
    from cellmetry.pipeline.jobs.kind import JobWork
    from cellmetry.pipeline.jobs.labelled import LabelledImage
    from cellmetry.pipeline.jobs.units import Commit
    from cellmetry.pipeline.recipe import Recipe
    from cellmetry.pipeline.stored.opening import StoredRef
    from cellmetry.study.store.store import Store
    from cellmetry.study.store.units import Unit

__all__ = ["QuantifyChannels"]


class QuantifyChannels(Quantifying, BoundedJob):
    """Quantify a target channel, and its ratio to a reference, in cells, in masks and in rings of them."""

    name: ClassVar[str] = "quantify"

    images: ImageIds = Field(
        default=None, description="Ids of the images; all that have the labels and are not excluded if left out."
    )
    labels: Name = Field(default=CELLS, description="Name of the labels whose objects are the cells.")
    table: TableName = Field(
        default="quantification",
        description="Name of the table of cells; the names of profiles and peaks begin with it. Older ones are hidden.",
    )
    pictures: bool = Field(
        default=False, description="Whether overlays and plots are made beside masks and ratios; it takes longer."
    )

    follow: float | None = Field(
        default=None,
        gt=0,
        le=1,
        description="Tell which cells of an image are those of the image before, in the order of the study: the least "
        "IoU of two outlines of one cell, as in 0.2. The column followed_label has the number that a cell keeps.",
    )

    def check(self, store: Store) -> None:
        """Refuse a plan that the rules do not know."""
        self.recipe()

    def run(self, work: JobWork) -> dict[str, Any]:
        """Return the ids of the tables and of the folder of masks and pictures, and why images are not in them."""
        before = kept_before(work, "table")
        if before is not None:
            return {**before.details["made"], "table": before.id, "act": before.added_by}
        found = same_labels(work, self.labels, lambda: labelled_images(work.store, self.images, self.labels))
        if self.follow is not None:
            refuse_unlike_planes(found.values())
        names = {image_id: each.image.name for image_id, each in found.items()}
        stems = dict(zip(names, file_stems(names.values()), strict=True))
        recipe, out = self.recipe(), self._files(work)

        def quantified(image_id: str, progress: Progress) -> Commit:
            return self._quantify(work, found[image_id], recipe, stems[image_id], progress)

        units = each_unit(work, "quantify", names, quantified)
        done = done_units(units)
        with atomic_write(out / "recipe.toml") as part:
            part.write_text(recipe_text(recipe), encoding="utf-8")
        made = {"failed": {unit.name: unit.reason for unit in units if unit.state == "failed"}}
        return self._keep(work, done, made, names)

    def _quantify(self, work: JobWork, each: LabelledImage, recipe: Recipe, stem: str, progress: Progress) -> Commit:
        """Write tables, masks and pictures of one image, and return what is to be known of it."""
        ref, steady = image_ref(work.store, each.image), steady_labels(work.store, each.labels.id)
        opened, how = ref.open(), projection_of(work.store, each.labels, each.image)
        read = how_read(work.store, each.image)
        sample = as_labels_saw(self.sample_of(opened, steady.labels, recipe), how)
        sample = recipe.apply(sample, progress)
        tables = _write_tables(work, each.image.id, ref, sample)
        job = Job(replace(ref, stem=PurePosixPath(stem)), recipe, self._files(work), self._layout)
        written = write_outputs(job, sample)
        known = {
            "outlines": written[f"labels {CELLS}"],
            "labels": each.labels.id,
            "version": steady.version,
            "project": how,
            READ: read,
            "rows": tables[CELLS],
            "tables": tables,
            "warnings": list(dict.fromkeys(sample.warnings)),
            "settings": settings_of(opened.metadata),
        }
        return lambda: known

    @staticmethod
    def _files(work: JobWork) -> Path:
        """Return the folder of masks, ratios and pictures."""
        return work.folder / "files"

    @property
    def _layout(self) -> Layout:
        bare = self.rules == "dualcellquant"
        return Layout(labels="masks", overlays=self.pictures, tables=False, arrays=True, quantification=True, bare=bare)

    def _keep(self, work: JobWork, done: Sequence[Unit], made: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
        """Keep all tables and the folder in one act."""
        if self.follow is not None:
            follow_cells(work, done, self._files(work), self.follow, table=CELLS)
        paths = {name: self._gathered(work, done, name) for name in _table_names(done)}
        rows = sum(unit.result["rows"] for unit in done)
        details = {
            "rows": rows,
            "labels": self.labels,
            "images": {unit.name: {"name": names[unit.name], **unit.result} for unit in done},
            "failed": made["failed"],
            "chosen": self.images is not None,
            "made": {"rows": rows, **made},
            "options": self.model_dump(mode="json", exclude={"images"}, exclude_unset=True),
        }

        def keep_others(seq: int) -> None:
            told = {"of": self.table, **{key: details[key] for key in ("labels", "failed", "chosen", "options")}}
            for name, path in paths.items():
                if name != CELLS:
                    kept_as = f"{self.table} {name}"
                    own = {**told, "images": _images_of(done, names)}
                    add_result(work.store, seq, "table", kept_as, path, job_id=work.job_id, details=own)
            folder = self._files(work)
            add_result(work.store, seq, "export", f"{self.table} masks", folder, job_id=work.job_id, details=told)

        summary = f"Quantify {rows} {self.labels} of {len(done)} images"
        kept = keep_result(
            work, self.name, summary, NewResult("table", self.table, paths[CELLS], details), also=keep_others
        )
        return {**details["made"], "table": kept["result"], "act": kept["act"]}

    def _gathered(self, work: JobWork, done: Sequence[Unit], name: str) -> Path:
        judged = name == CELLS and self.plan.passport and self.rules == "cellmetry"
        return gather_table(work, [unit for unit in done if name in unit.result["tables"]], flagged=judged, table=name)


def _table_names(done: Sequence[Unit]) -> list[str]:
    return list(dict.fromkeys(name for unit in done for name in unit.result["tables"]))


def _images_of(done: Sequence[Unit], names: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Return by their ids of which images and labels tables of profiles and peaks tell."""
    kept = ("labels", "version", READ)
    return {unit.name: {"name": names[unit.name], **{key: unit.result[key] for key in kept}} for unit in done}


def _write_tables(work: JobWork, image_id: str, ref: StoredRef, sample: Sample) -> dict[str, int]:
    """Write the tables of one image; return their numbers of rows by name."""
    for name, table in sample.tables.items():
        named, told = with_image_names(ref, table)
        write_table(named, part_path(work, image_id, name), (*told, *describe_columns(table)))
    return {name: len(table) for name, table in sample.tables.items()}
