"""A generated EdU study as a plate reader exports it: six conditions on three days, with everything that is true.

Each well is a condition (column) on a day (row): phase contrast ``w0`` for the cells, EdU ``w1`` for those that have
made DNA, TO-PRO-3 ``w2`` for all nuclei.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from cellmetry.core.columns import Column
from cellmetry.core.image import image_from_array
from cellmetry.core.labels import Labels
from cellmetry.core.progress import SILENT
from cellmetry.io.atomic import atomic_folder
from cellmetry.io.images import write_image
from cellmetry.io.labels import write_labels
from cellmetry.io.tables import write_table
from cellmetry.learn.dataset import refuse_contents
from cellmetry.learn.generate.edu_effects import (
    CELL_COLUMNS,
    CONDITION_COLUMNS,
    EduTables,
    cell_table,
    condition_truth,
    draw_wells,
    generate_edu_tables,
)
from cellmetry.learn.generate.edu_images import EduField, draw_edu_field, pixels_of
from cellmetry.learn.generate.edu_options import CONDITIONS, EduCondition, EduOptions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cellmetry.core.progress import Progress
    from cellmetry.learn.generate.edu_effects import EduWell

__all__ = [
    "CONDITIONS",
    "IMAGES",
    "PATTERN",
    "PLATE_MAP",
    "ROLES",
    "EduCondition",
    "EduField",
    "EduOptions",
    "EduTables",
    "NamedField",
    "generate_edu_study",
    "generate_edu_tables",
    "write_edu_study",
]

PATTERN = "{well}_x{_}_y{field}_w{channel}.tif"
"""How the names of the files are read."""
ROLES = {"0": "phase", "1": "EdU", "2": "TO-PRO-3"}
"""What the channels show."""
IMAGES = "images"
"""Folder of the images."""
PLATE_MAP = "plate_map.csv"
"""Table beside the images: condition and replicate of each well."""

_MAP_COLUMNS = (
    Column("well", "", "Well as row and column.", "Cellmetry (generated)"),
    Column("condition", "", "Condition.", "Cellmetry (generated)"),
    Column("replicate", "", "Day: an independent repeat.", "Cellmetry (generated)"),
    Column("batch", "", "Culture of that day, from which its wells were filled.", "Cellmetry (generated)"),
)
_NUCLEUS = Column(
    "nucleus_px", "px", "Visible area of the nucleus; 0 where it lies outside the field.", "Cellmetry (generated)"
)


class NamedField(NamedTuple):
    """A field of a study: its well, its number in the well, and what it shows."""

    well: EduWell
    number: int
    field: EduField

    @property
    def image(self) -> str:
        """Name of the image as a run by `PATTERN` gives it."""
        return f"{self.well.name}_{self.number}"


def generate_edu_study(options: EduOptions) -> Iterator[NamedField]:
    """Yield the fields of a study, row by row of the plate."""
    wells = draw_wells(options, np.random.default_rng([options.seed, 0]))
    for place, well in enumerate(wells):
        for number in range(options.fields):
            rng = np.random.default_rng([options.seed, 1, place, number])
            yield NamedField(well, number, draw_edu_field(options, well, rng))


def write_edu_study(
    out: str | Path, options: EduOptions | None = None, *, progress: Progress = SILENT
) -> tuple[str, ...]:
    """Return the names of the images of a study that was written into the new folder `out`.

    ``images/`` holds a file for each field and channel, ``plate_map.csv`` condition and replicate of each well,
    ``truth/`` what a microscope cannot know: ``labels/``, ``cells.csv`` and ``conditions.csv``.

    Raises
    ------
    OutputError
        If `out` has contents, or cannot be written.
    """
    options = options or EduOptions()
    folder = Path(out).absolute()
    refuse_contents(folder)
    progress.start("fields", options.replicates * len(options.conditions) * options.fields)
    parts = []
    with atomic_folder(folder, marker=PLATE_MAP) as temporary:
        for named in generate_edu_study(options):
            _write_field(temporary, named, options.pixel_size_um)
            parts.append(_truth(named))
            progress.advance()
        cells = pd.concat(parts, ignore_index=True)
        batches = cells.assign(batch="culture of " + cells["replicate"])
        wells = batches[[column.name for column in _MAP_COLUMNS]].drop_duplicates()
        write_table(wells, temporary / PLATE_MAP, _MAP_COLUMNS)
        write_table(cells, temporary / "truth" / "cells.csv", (*CELL_COLUMNS, _NUCLEUS))
        write_table(condition_truth(options), temporary / "truth" / "conditions.csv", CONDITION_COLUMNS)
    return tuple(cells["image"].unique())


def _write_field(folder: Path, named: NamedField, pixel_size_um: float) -> None:
    stem = f"{named.well.name}_x0_y{named.number}"
    for number, plane in enumerate((named.field.phase, named.field.edu, named.field.topro)):
        path = folder / IMAGES / f"{stem}_w{number}.tif"
        write_image(image_from_array(plane, "YX", pixel_size_um=pixel_size_um, name=path.stem), path)
    for kind, ids in (("cells", named.field.cells), ("nuclei", named.field.nuclei)):
        write_labels(Labels(ids.astype(np.uint32)), folder / "truth" / "labels" / f"{named.image}_{kind}.tif")


def _truth(named: NamedField) -> pd.DataFrame:
    table = cell_table(named.well, named.image, named.field.truth)
    table["nucleus_px"] = pixels_of(named.field.nuclei, len(table))
    return table[[column.name for column in (*CELL_COLUMNS, _NUCLEUS)]]
