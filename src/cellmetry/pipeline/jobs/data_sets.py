"""A data set of a study's images and their labels as edited now: each plane an item, written where the job works."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from cellmetry.core.image import image_from_array
from cellmetry.core.labels import Labels
from cellmetry.core.sample import Sample
from cellmetry.errors import InputError
from cellmetry.io.atomic import atomic_write
from cellmetry.io.images import write_image
from cellmetry.io.labels import write_labels
from cellmetry.learn.dataset import DataSet, DataSetCard, Item, pixel_size_span, write_data_set
from cellmetry.ops.label_checks import check_same_size
from cellmetry.pipeline.jobs.files import file_stems
from cellmetry.pipeline.jobs.gathering import done_units
from cellmetry.pipeline.jobs.labelled import steady_labels
from cellmetry.pipeline.jobs.units import each_unit
from cellmetry.pipeline.stored.looked_at import as_labels_saw, projection_of
from cellmetry.pipeline.stored.opening import open_stored

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from cellmetry.core.image import Image
    from cellmetry.core.progress import Progress
    from cellmetry.pipeline.jobs.kind import JobWork
    from cellmetry.pipeline.jobs.labelled import LabelledImage
    from cellmetry.pipeline.jobs.units import Commit

    Others = Callable[[LabelledImage], Labels]
    """Gives further labels of an image."""

__all__ = ["DATA", "StoredData", "plane_items", "write_stored_data"]

_ENDING = "_labels.tif"
_NOTED = "data.json"
DATA = "data"
"""Where in a job's folder its data set lies."""


@dataclass(frozen=True)
class StoredData:
    """A data set that was written.

    Parameters
    ----------
    data_set
        Its items, those of one image in one group.
    images
        What went into it, by the ids of images: name, labels, version, and names of the items.
    failed
        Why other images are not in it.
    """

    data_set: DataSet
    images: dict[str, Any]
    failed: dict[str, str]


def write_stored_data(
    work: JobWork, found: Mapping[str, LabelledImage], channel: str | None, *, others: Mapping[str, Others] = {}
) -> StoredData:
    """Return the data set of images and labels after writing it into ``data/`` in the job's folder.

    One that a job prepared before it was interrupted stays as it is, without the images that failed.

    Parameters
    ----------
    channel
        The one to look at, by name or index; needed of several.
    others
        Further labels of the same images (predictions), by the folder that they are written into.

    Raises
    ------
    InputError
        If no image can be used; says why the first cannot.
    """
    names = {image_id: each.image.name for image_id, each in found.items()}
    stems = dict(zip(names, file_stems(names.values()), strict=True))
    folder, noted = work.folder / DATA, work.folder / _NOTED

    def written(image_id: str, _: Progress) -> Commit:
        each, stem = found[image_id], stems[image_id]
        image, steady = open_stored(work.store, each.image), steady_labels(work.store, each.labels.id)
        how = projection_of(work.store, each.labels, each.image)
        image = as_labels_saw(Sample(image), how).image
        items = _write_planes(image, steady.labels, channel, folder, stem)
        for where, make in others.items():
            _write_labels(make(each), work.folder / where, stem)
        size = image.pixel_size.x
        seen = {"labels": each.labels.id, "version": steady.version, "project": how}
        known = {**seen, "items": items, "pixel_size_um": size}
        return lambda: known

    if not noted.is_file():
        units = each_unit(work, "prepare", names, written)
        said = {
            "study": work.store.folder.stem[:200] or "study",
            "images": {unit.name: {"name": names[unit.name], **unit.result} for unit in done_units(units)},
            "failed": {unit.name: unit.reason for unit in units if unit.state == "failed"},
        }
        write_data_set(_data_set(folder, said, stems))
        with atomic_write(noted) as part:
            part.write_text(json.dumps(said), encoding="utf-8")
    said = json.loads(noted.read_text(encoding="utf-8"))
    return StoredData(_data_set(folder, said, stems), said["images"], said["failed"])


def _data_set(folder: Path, said: Mapping[str, Any], groups: Mapping[str, str]) -> DataSet:
    """Return the data set of what was noted of a study's images, their items in groups by the ids of the images."""
    items = tuple(
        Item(name, folder / "images" / f"{name}.tif", folder / "labels" / f"{name}{_ENDING}", group=groups[image_id])
        for image_id, each in said["images"].items()
        for name in each["items"]
    )
    span = pixel_size_span([each["pixel_size_um"] for each in said["images"].values()])
    return DataSet(DataSetCard(name=said["study"], pixel_size_um=span), folder, items)


def plane_items(labels: Labels, stem: str) -> dict[str, tuple[int, ...]]:
    """Return the name of the item of each plane of labels, and where the plane lies along the axes before Y and X."""
    leads = list(product(*(range(size) for size in labels.shape[:-2])))
    axes = labels.axes[:-2].lower()
    if len(leads) == 1:
        return {stem: leads[0]}
    return {stem + "".join(f"_{axis}{at}" for axis, at in zip(axes, lead, strict=True)): lead for lead in leads}


def _write_planes(image: Image, labels: Labels, channel: str | None, folder: Path, stem: str) -> list[str]:
    """Write each plane of an image with its labels; return the names of the items."""
    check_same_size(labels, image)
    items = plane_items(labels, stem)
    for name, lead in items.items():
        at = dict(zip(labels.axes[:-2].lower(), lead, strict=True))
        write_image(_plane(image, _channels(image, channel), at), folder / "images" / f"{name}.tif")
    _write_labels(labels, folder / "labels", stem)
    return list(items)


def _write_labels(labels: Labels, folder: Path, stem: str) -> None:
    for name, lead in plane_items(labels, stem).items():
        plane: NDArray[np.uint32] = np.asarray(labels.array[(*lead, slice(None), slice(None))], np.uint32)
        write_labels(Labels(plane, pixel_size=labels.pixel_size), folder / f"{name}{_ENDING}")


def _plane(image: Image, channels: tuple[int, ...], at: Mapping[str, int]) -> Image:
    pixels = np.stack([image.plane(t=at.get("t", 0), z=at.get("z", 0), c=c) for c in channels])
    return image_from_array(
        pixels,
        "CYX",
        channel_names=[image.channel_names[c] for c in channels],
        pixel_size_um=image.pixel_size.x,
        colour=image.colour and len(channels) == 3,
    )


def _channels(image: Image, channel: str | None) -> tuple[int, ...]:
    if channel is not None:
        return (image.channel_index(channel),)
    if image.colour or len(image.channels) == 1:
        return tuple(range(len(image.channels)))
    names = ", ".join(f"{index} ({name})" for index, name in enumerate(image.channel_names))
    raise InputError(f"{image.name} has several channels: {names}; name one as channel.")
