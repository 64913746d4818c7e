"""What one image of a run leaves on the disk: labels, maps, rows of tables, pictures."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cellmetry.core.columns import Column
from cellmetry.io.images import write_image
from cellmetry.io.labels import write_labels
from cellmetry.io.pictures import write_png, write_thumbnail
from cellmetry.io.tables import write_table
from cellmetry.measure.columns import describe_columns
from cellmetry.report.counts import draw_counts
from cellmetry.report.index import thumbnail_path
from cellmetry.report.overlay import draw_overlay

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from cellmetry.core.image import Image
    from cellmetry.core.labels import Labels
    from cellmetry.core.sample import Sample
    from cellmetry.pipeline.work import Job
    from cellmetry.report.overlay import OverlayOptions

__all__ = ["STATE", "part_path", "write_outputs"]

STATE = ".cellmetry"
"""Folder in a run's folder that holds what a re-run needs to do only what is missing."""

_COUNTS = "counts"
"""Table for which a preview is drawn."""
_IMAGE_COLUMN = Column("image", "", "Name of the image, as in images.csv.", "Cellmetry")


def part_path(out: Path, stem: PurePosixPath, table: str) -> Path:
    """Return where the rows of one image's table lie until the whole table is written."""
    return out / STATE / stem.parent / f"{stem.name}.{table}.parquet"


def write_outputs(job: Job, sample: Sample) -> dict[str, str]:
    """Return what was written of a sample, relative to the run's folder, by what it is."""
    written = _write_labels(job, sample) | _write_maps(job, sample) | _write_tables(job, sample)
    return written | _write_overlays(job, sample) | _write_preview(job, sample)


def _write_labels(job: Job, sample: Sample) -> dict[str, str]:
    written = {}
    for name, labels in sample.labels.items():
        tail = "labels" if name == "cells" else f"{name}_labels"
        suffix = f".{job.layout.form}" if isinstance(labels.array, np.ndarray) else ".ome.zarr"
        relative = PurePosixPath(job.layout.labels) / job.ref.stem.with_name(f"{job.ref.stem.name}_{tail}{suffix}")
        write_labels(labels, job.out / relative)
        written[f"labels {name}"] = str(relative)
    return written


def _write_maps(job: Job, sample: Sample) -> dict[str, str]:
    written = {}
    for name, image in sample.maps.items():
        relative = PurePosixPath(job.layout.maps) / job.ref.stem.with_name(f"{job.ref.stem.name}_{name}.tif")
        write_image(image, job.out / relative)
        written[f"map {name}"] = str(relative)
    return written


def _write_tables(job: Job, sample: Sample) -> dict[str, str]:
    if not job.layout.tables:
        return {}
    written = {}
    for name, table in sample.tables.items():
        path = part_path(job.out, job.ref.stem, name)
        names = pd.DataFrame({"image": job.ref.name, **job.ref.parts}, index=table.index)
        named = pd.concat([names, table], axis=1)
        described = [
            _IMAGE_COLUMN,
            *(Column(part, "", "Read from the file name.", "pattern") for part in job.ref.parts),
        ]
        write_table(named, path, (*described, *describe_columns(table)))
        written[f"table {name}"] = path.relative_to(job.out).as_posix()
    return written


def _write_overlays(job: Job, sample: Sample) -> dict[str, str]:
    if not job.layout.overlays:
        return {}
    written = {}
    for name, labels in sample.labels.items():
        tail = "overlay" if name == "cells" else f"{name}_overlay"
        relative = PurePosixPath("overlays") / job.ref.stem.with_name(f"{job.ref.stem.name}_{tail}.png")
        picture = _overlay(sample.image, labels, job.recipe.overlay)
        write_png(picture, job.out / relative)
        write_thumbnail(picture, job.out / thumbnail_path(relative))
        written[f"overlay {name}"] = str(relative)
    return written


def _write_preview(job: Job, sample: Sample) -> dict[str, str]:
    """Write the picture that explains counts, where there are any."""
    if not job.layout.overlays or _COUNTS not in sample.tables:
        return {}
    relative = PurePosixPath("previews") / job.ref.stem.with_name(f"{job.ref.stem.name}_counts.png")
    write_png(draw_counts(sample, job.recipe.overlay), job.out / relative)
    return {"preview counts": str(relative)}


def _overlay(image: Image, labels: Labels, options: OverlayOptions) -> NDArray[np.uint8]:
    """Return the picture of the middle plane."""
    middle = {axis: image.sizes[axis] // 2 if axis in labels.axes else 0 for axis in "TZ"}
    return draw_overlay(image, labels, options, t=middle["T"], z=middle["Z"])
