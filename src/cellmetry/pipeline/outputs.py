"""What one image of a run leaves on the disk: labels, maps, rows of tables, pictures."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cellmetry.core.columns import Column
from cellmetry.core.image import Channel, DerivedSource, Image
from cellmetry.io.atomic import atomic_write
from cellmetry.io.images import write_image
from cellmetry.io.labels import write_labels
from cellmetry.io.pictures import write_png, write_thumbnail
from cellmetry.io.tables import write_table
from cellmetry.measure.columns import describe_columns
from cellmetry.ops.label_planes import labels_in
from cellmetry.pipeline.inputs import PLANE_COLUMNS
from cellmetry.pipeline.places import check_name, map_folder, place_of
from cellmetry.report.counts import draw_counts
from cellmetry.report.index import thumbnail_path
from cellmetry.report.overlay import draw_overlay
from cellmetry.settings import current_settings

if TYPE_CHECKING:
    from pathlib import Path, PurePosixPath

    from numpy.typing import NDArray

    from cellmetry.core.image import Box
    from cellmetry.core.labels import Labels
    from cellmetry.core.sample import Sample
    from cellmetry.pipeline.inputs import ImageRef
    from cellmetry.pipeline.work import Job
    from cellmetry.report.drawing_options import OverlayOptions

__all__ = ["STATE", "part_path", "with_image_names", "write_outputs"]

STATE = ".cellmetry"
"""Folder in a run's folder that holds what a re-run needs to do only what is missing."""

_COUNTS = "counts"
"""Table for which a preview is drawn."""
_IMAGE_COLUMN = Column("image", "", "Name of the image, as in images.csv.", "Cellmetry")


def part_path(out: Path, stem: PurePosixPath, table: str) -> Path:
    """Return where the rows of one image's table lie until the whole table is written."""
    check_name(table)
    return out / STATE / stem.parent / f"{stem.name}.{table}.parquet"


def write_outputs(job: Job, sample: Sample) -> dict[str, str]:
    """Return what was written of a sample, relative to the run's folder, by what it is."""
    written = _write_labels(job, sample) | _write_masks(job, sample) | _write_maps(job, sample)
    written |= _write_tables(job, sample)
    if job.layout.quantification and not job.layout.overlays:
        return written
    if job.layout.quantification:
        # its plots are slow to import, and are needed here only
        pictures = import_module("cellmetry.pipeline.quantification_pictures")
        return written | dict(pictures.write_quantification(job, sample))
    return written | _write_overlays(job, sample) | _write_preview(job, sample)


def _write_labels(job: Job, sample: Sample) -> dict[str, str]:
    written: dict[str, str] = {}
    for name, labels in sample.labels.items():
        tail = "labels" if name == "cells" else f"{name}_labels"
        written |= _write_label_image(job, labels, f"labels {name}", place_of(job, job.layout.labels, tail))
    return written


def _write_label_image(job: Job, labels: Labels, what: str, place: PurePosixPath) -> dict[str, str]:
    """Write a label image in the form of the layout, and as a NumPy file as well where that is wanted."""
    in_memory = isinstance(labels.array, np.ndarray)
    forms = [job.layout.form if in_memory else "ome.zarr"]
    forms += ["npy"] if job.layout.arrays and in_memory and "npy" not in forms else []
    written = {}
    for form in forms:
        path = place.with_name(f"{place.name}.{form}")
        write_labels(labels, job.out / path)
        written[what if form == forms[0] else f"{what} {form}"] = str(path)
    return written


def _write_masks(job: Job, sample: Sample) -> dict[str, str]:
    """Write each mask as 0 and 255, and as the labels of the cells to which its pixels count."""
    written: dict[str, str] = {}
    for name, mask in sample.masks.items():
        place = place_of(job, job.layout.masks, name)
        write_image(_as_picture(mask, name), job.out / place.with_name(f"{place.name}.tif"))
        written[f"mask {name}"] = str(place.with_name(f"{place.name}.tif"))
        if job.layout.arrays and isinstance(mask.array, np.ndarray):
            written[f"mask {name} npy"] = _write_array(job, np.asarray(mask.array) > 0, place)
        labels = place_of(job, job.layout.masks, f"{name.removesuffix('_mask')}_labels")
        written |= _write_label_image(job, mask, f"mask labels {name}", labels)
    return written


def _write_array(job: Job, array: NDArray[Any], place: PurePosixPath) -> str:
    """Write a NumPy file and return where it lies."""
    relative = place.with_name(f"{place.name}.npy")
    with atomic_write(job.out / relative) as temporary, temporary.open("wb") as file:
        np.save(file, array)
    return str(relative)


def _as_picture(mask: Labels, name: str) -> Image:
    """Return a mask as an image of 0 and 255, computed when it is written."""
    source = _MaskPicture(mask)
    return Image(source, mask.axes, (Channel(name),), mask.pixel_size, bit_depth=8, name=name)


@dataclass(frozen=True)
class _MaskPicture(DerivedSource):
    """A mask's pixels as 0 and 255."""

    mask: Labels

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype(np.uint8)

    @property
    def shape(self) -> tuple[int, int, int, int, int]:
        sizes = dict(zip(self.mask.axes, self.mask.shape, strict=True))
        return sizes.get("T", 1), 1, sizes.get("Z", 1), sizes["Y"], sizes["X"]

    def derive(self, t: int, c: int, z: int, box: Box) -> NDArray[Any]:
        inside = labels_in(self.mask, box, t=t, z=z) > 0
        return inside.astype(np.uint8) * np.uint8(255)


def _write_maps(job: Job, sample: Sample) -> dict[str, str]:
    written = {}
    for name, image in sample.maps.items():
        place = place_of(job, map_folder(job, name), name)
        write_image(image, job.out / place.with_name(f"{place.name}.tif"))
        written[f"map {name}"] = str(place.with_name(f"{place.name}.tif"))
        if job.layout.arrays and _fits_memory(image):
            written[f"map {name} npy"] = _write_array(job, image.read(), place)
    return written


def _fits_memory(image: Image) -> bool:
    return prod(image.source.shape) <= current_settings().max_labels_in_memory


def _write_tables(job: Job, sample: Sample) -> dict[str, str]:
    if not job.layout.tables:
        return {}
    written = {}
    for name, table in sample.tables.items():
        path = part_path(job.out, job.ref.stem, name)
        named, described = _with_image(job, table)
        write_table(named, path, (*described, *describe_columns(table)))
        written[f"table {name}"] = path.relative_to(job.out).as_posix()
    return written


def _with_image(job: Job, table: pd.DataFrame) -> tuple[pd.DataFrame, list[Column]]:
    """Return the table with the image's name and the parts of it in front, and what the columns from names mean."""
    if job.layout.bare and not job.layout.stems:
        return table, []
    return with_image_names(job.ref, table)


def with_image_names(ref: ImageRef, table: pd.DataFrame) -> tuple[pd.DataFrame, list[Column]]:
    """Return a table of an image with its name and the parts of it in front, and what the columns from names mean."""
    table, told = _with_plane_names(ref, table)
    names = pd.DataFrame({"image": ref.name, **ref.parts}, index=table.index)
    parts = [Column(part, "", "Read from the file name.", "pattern") for part in ref.parts]
    return pd.concat([names, table], axis=1), [_IMAGE_COLUMN, *parts, *told]


def _with_plane_names(ref: ImageRef, table: pd.DataFrame) -> tuple[pd.DataFrame, list[Column]]:
    """Return the table with the planes' and frames' own names beside their numbers, and what these columns mean."""
    table, told = table.copy(deep=False), []
    for axis, names in ref.plane_names.items():
        if axis in table:
            column = PLANE_COLUMNS[axis]
            places = table[axis].fillna(len(names)).to_numpy(np.int64)
            values = np.array([*names, ""], object)[places]
            table.insert(list(table).index(axis) + 1, column.name, pd.array(values, "str"))
            told.append(column)
    return table, told


def _write_overlays(job: Job, sample: Sample) -> dict[str, str]:
    if not job.layout.overlays:
        return {}
    written = {}
    for name, labels in sample.labels.items():
        tail = "overlay" if name == "cells" else f"{name}_overlay"
        relative = place_of(job, "overlays", f"{tail}.png")
        picture = _overlay(sample.image, labels, job.recipe.overlay)
        write_png(picture, job.out / relative)
        write_thumbnail(picture, job.out / thumbnail_path(relative))
        written[f"overlay {name}"] = str(relative)
    return written


def _write_preview(job: Job, sample: Sample) -> dict[str, str]:
    """Write the picture that explains counts, where there are any."""
    if not job.layout.overlays or _COUNTS not in sample.tables:
        return {}
    relative = place_of(job, "previews", "counts.png")
    write_png(draw_counts(sample, job.recipe.overlay), job.out / relative)
    return {"preview counts": str(relative)}


def _overlay(image: Image, labels: Labels, options: OverlayOptions) -> NDArray[np.uint8]:
    """Return the picture of the middle plane."""
    middle = {axis: image.sizes[axis] // 2 if axis in labels.axes else 0 for axis in "TZ"}
    return draw_overlay(image, labels, options, t=middle["T"], z=middle["Z"])
