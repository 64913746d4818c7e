"""The job `export`: labels in the formats of other programs, and tables, as one ZIP."""

from __future__ import annotations

import json
import shutil
import zipfile
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, NamedTuple, Self

import pandas as pd
from pydantic import Field, model_validator

from cellmetry.core.columns import Column
from cellmetry.core.parameters import parse_parameters
from cellmetry.core.step import Parameters
from cellmetry.errors import ParameterError
from cellmetry.export.formats import FORMATS
from cellmetry.export.workbook import write_workbook
from cellmetry.io.atomic import atomic_write
from cellmetry.io.tables import read_columns, read_table, write_table
from cellmetry.pipeline.exchanging import export_labels
from cellmetry.pipeline.jobs.beginning import same_labels
from cellmetry.pipeline.jobs.bounded import BoundedJob, ImageIds, Name, ResultId
from cellmetry.pipeline.jobs.files import file_stems
from cellmetry.pipeline.jobs.gathering import NewResult, done_units, keep_result, kept_before
from cellmetry.pipeline.jobs.labelled import labelled_images, steady_labels
from cellmetry.pipeline.jobs.measured import names_in_table, refuse_other_labels, stored_table
from cellmetry.pipeline.jobs.outdated import outdated_table
from cellmetry.pipeline.jobs.units import each_unit
from cellmetry.study.store.results import result_path

if TYPE_CHECKING:
    from pathlib import Path

    from cellmetry.core.progress import Progress
    from cellmetry.pipeline.jobs.kind import JobWork
    from cellmetry.pipeline.jobs.labelled import LabelledImage
    from cellmetry.pipeline.jobs.units import Commit
    from cellmetry.study.store.results import StoredResult

__all__ = ["ExportResults", "FormName", "FormOptions", "LabelExport"]

FormName = Literal["rois", "geojson", "coco", "seg-npy", "csv", "labels"]
"""Formats of labels in other programs."""
TableFormName = Literal["csv", "xlsx", "parquet"]
FormOptions = Annotated[
    dict[Annotated[str, Field(max_length=100)], bool | float | Annotated[str, Field(max_length=300)]],
    Field(max_length=50),
]
"""Options of a format, by name."""

_ENDINGS: dict[FormName, str] = {
    "rois": "_RoiSet.zip",
    "geojson": ".geojson",
    "coco": "_coco.json",
    "seg-npy": "_seg.npy",
    "csv": "_objects.csv",
    "labels": "_labels.tif",
}
_MOST_CELLS = 50_000_000
"""Largest workbook: some minutes of writing."""
_EPOCH = (1980, 1, 1, 0, 0, 0)


class _Numbers(NamedTuple):
    """A table of objects, and the names that images have in it by their ids."""

    found: StoredResult
    rows: pd.DataFrame
    names: dict[str, str]

    def of(self, each: LabelledImage, version: int) -> pd.DataFrame:
        """Return the rows of an image, which must be of the labels that are exported."""
        refuse_other_labels(self.found, each.labels, version, each.image.name)
        return self.rows[self.rows["image"] == self.names[each.image.id]]


class LabelExport(Parameters):
    """A format in which labels are written."""

    form: FormName
    """Name of the format; labels is a TIFF of ids."""
    options: FormOptions = Field(default_factory=dict)
    """Options of the format: ``{"object_type": "detection"}``."""

    @model_validator(mode="after")
    def _has_these_options(self) -> Self:
        try:
            parse_parameters(FORMATS.load(self.form), self.options, where=f"format {self.form}")
        except ParameterError as error:
            raise ValueError(str(error).removesuffix(".")) from error
        return self


class ExportResults(BoundedJob):
    """Write labels, as they are edited now, for other programs, and tables, into one ZIP."""

    name: ClassVar[str] = "export"

    forms: Annotated[tuple[LabelExport, ...], Field(max_length=20)] = ()
    """Formats in which labels are written; none to export tables only."""
    images: ImageIds = None
    """Ids of the images; all that have the labels if left out."""
    labels: Name = "cells"
    """Name of the labels."""
    numbers: ResultId | None = None
    """Id of a table of the objects as they are now, whose numbers go along where the format can hold them."""
    class_column: Annotated[str, Field(max_length=300)] = ""
    """Column of that table that holds the class of each object."""
    tables: Annotated[tuple[ResultId, ...], Field(max_length=100)] = ()
    """Ids of tables that are written whole."""
    table_forms: Annotated[tuple[TableFormName, ...], Field(min_length=1, max_length=3)] = ("csv",)
    """Formats of these tables."""
    name_of_result: Name = "export"
    """Name of the export; an older one of this name is hidden."""

    @model_validator(mode="after")
    def _has_contents(self) -> Self:
        if not self.forms and not self.tables:
            raise ValueError("there is nothing to export; name formats for labels in forms, or tables")
        return self

    def run(self, work: JobWork) -> dict[str, Any]:
        """Return the id of the ZIP, and why images are not in it."""
        folder, before = work.folder / "files", kept_before(work, "export")
        if before is not None:
            shutil.rmtree(folder, ignore_errors=True)
            return {"export": before.id, "act": before.added_by, "failed": before.details["failed"]}
        failed, versions = self._write_labels(work, folder / "labels") if self.forms else ({}, {})
        notes = self._write_tables(work, folder / "tables")
        path = work.folder / "export.zip"
        said = {"study": work.store.id, "labels": self.labels, "images": versions, "failed": failed, "notes": notes}
        _pack(path, folder, said)
        summary = f"Export {', '.join(dict.fromkeys([*(each.form for each in self.forms), *self._tables_said()]))}"
        kept = keep_result(work, self.name, summary, NewResult("export", self.name_of_result, path, said))
        shutil.rmtree(folder, ignore_errors=True)
        return {"export": kept["result"], "act": kept["act"], "failed": failed}

    def _tables_said(self) -> list[str]:
        return ["tables"] if self.tables else []

    def _write_labels(self, work: JobWork, folder: Path) -> tuple[dict[str, str], dict[str, Any]]:
        """Write the labels of all images; return why some failed, and which versions were written as what."""
        found = same_labels(work, self.labels, lambda: labelled_images(work.store, self.images, self.labels))
        names = {image_id: each.image.name for image_id, each in found.items()}
        stems = dict(zip(names, file_stems(names.values()), strict=True))
        numbers = self._numbers(work)

        def exported(image_id: str, _: Progress) -> Commit:
            return self._export(work, found[image_id], folder / stems[image_id], numbers)

        units = each_unit(work, "export", names, exported)
        versions = {unit.name: {"name": names[unit.name], **unit.result} for unit in done_units(units)}
        return {unit.name: unit.reason for unit in units if unit.state == "failed"}, versions

    def _numbers(self, work: JobWork) -> _Numbers | None:
        if self.numbers is None:
            return None
        found = stored_table(work.store, self.numbers)
        table = read_table(result_path(work.store, found))
        if "image" not in table or "label" not in table:
            raise ParameterError("The table of numbers has no columns image and label; give a table of objects.")
        return _Numbers(found, table, names_in_table(found))

    def _export(self, work: JobWork, each: LabelledImage, base: Path, numbers: _Numbers | None) -> Commit:
        """Write the labels of one image in all formats; return what was written."""
        steady = steady_labels(work.store, each.labels.id)
        rows = None if numbers is None else numbers.of(each, steady.version)
        notes, files = [], []
        for form in self.forms:
            path = base.with_name(f"{base.name}{_ENDINGS[form.form]}")
            done = export_labels(
                steady.labels, path, form.form, table=rows, class_column=self.class_column, options=form.options
            )
            notes += [sentence for sentence in done.notes if sentence not in notes]
            files.append(path.name)
        known = {"labels": each.labels.id, "version": steady.version, "files": files, "notes": notes}
        return lambda: known

    def _write_tables(self, work: JobWork, folder: Path) -> list[str]:
        """Write whole tables; return what a user should know."""
        found = [stored_table(work.store, result_id) for result_id in dict.fromkeys(self.tables)]
        notes: list[str] = []
        for each, stem in zip(found, file_stems([each.name for each in found]), strict=True):
            source = result_path(work.store, each)
            notes += [f"{stem}: {sentence}" for sentence in outdated_table(work.store, each)]
            table, columns = read_table(source), read_columns(source)
            for form in dict.fromkeys(self.table_forms):
                path = folder / f"{stem}.{form}"
                if form == "xlsx":
                    sheets = {each.name: table, "columns": pd.DataFrame(columns, columns=list(Column._fields))}
                    notes += write_workbook(path, sheets, most_cells=_MOST_CELLS)
                else:
                    write_table(table, path, columns)
                work.progress.advance(0)
        return notes


def _pack(path: Path, folder: Path, said: dict[str, Any]) -> None:
    """Write a folder and what is said of it as a ZIP, its files in order and without times of today."""
    with atomic_write(path) as part, zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        archive.writestr(zipfile.ZipInfo("export.json", _EPOCH), json.dumps(said, indent=1, ensure_ascii=False))
        for file in sorted(each for each in folder.rglob("*") if each.is_file()):
            entry = zipfile.ZipInfo(file.relative_to(folder).as_posix(), _EPOCH)
            entry.compress_type, entry.file_size = zipfile.ZIP_DEFLATED, file.stat().st_size
            with file.open("rb") as source, archive.open(entry, "w") as target:
                shutil.copyfileobj(source, target, 1 << 20)
