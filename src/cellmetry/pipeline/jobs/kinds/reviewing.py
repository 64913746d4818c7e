"""The job `review`: what is doubtful in labels, by the network's own maps; from it comes the queue of corrections."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, cast

import numpy as np
import pandas as pd
from pydantic import Field

from cellmetry.core.columns import Column
from cellmetry.core.image import Box
from cellmetry.engines.maps import MapStore, map_plane
from cellmetry.engines.network import NetworkEngine
from cellmetry.engines.segment import Segment, planes_of
from cellmetry.errors import ModelError
from cellmetry.io.tables import write_table
from cellmetry.ops.doubting import find_doubts
from cellmetry.ops.project import project_z
from cellmetry.ops.tiles import plan_tiles
from cellmetry.pipeline.jobs.bounded import BoundedJob, ImageIds, Name
from cellmetry.pipeline.jobs.gathering import NewResult, done_units, gather_table, keep_result, part_path
from cellmetry.pipeline.jobs.labelled import LabelledImage, labelled_images, steady_labels
from cellmetry.pipeline.jobs.looking import ModelName, named_model
from cellmetry.pipeline.jobs.units import each_unit
from cellmetry.pipeline.stored.looked_at import segment_step_of
from cellmetry.pipeline.stored.opening import open_stored

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from cellmetry.core.image import Image
    from cellmetry.core.labels import Labels
    from cellmetry.core.progress import Progress
    from cellmetry.models.card import Head
    from cellmetry.ops.doubting import Doubt
    from cellmetry.pipeline.jobs.kind import JobWork
    from cellmetry.pipeline.jobs.units import Commit

__all__ = ["REVIEW", "ReviewLabels"]

REVIEW = "review"
"""Name of the table; of labels NAME it is ``review NAME``."""
_CORE, _HALO = 1024, 128
_COLUMNS = (
    Column("image", "", "Name of the image.", "Cellmetry"),
    Column("image_id", "", "Id of the image in the study.", "Cellmetry"),
    Column("kind", "", "What is doubtful: missed, joined, part or none, outline.", "Cellmetry"),
    Column("label", "", "The object; 0 where one may be missed.", "Cellmetry"),
    Column("frame", "", "Number of the frame, from 0.", "Cellmetry"),
    Column("plane", "", "Number of the plane, from 0.", "Cellmetry"),
    *(Column(side, "px", "Side of the box; its end is outside.", "Cellmetry") for side in ("y0", "y1", "x0", "x1")),
    Column("area_px", "px", "Pixels of the object, or of what may be one.", "Cellmetry"),
    Column("change", "1", "Cells that the network sees there, less those that are labelled.", "Cellmetry"),
    Column("wrong", "1", "How probable it is that the outline is another, from 0 to 1.", "Cellmetry"),
)


class ReviewLabels(BoundedJob):
    """Find what is doubtful in labels, so that the cells most worth correcting come first in the queue."""

    name: ClassVar[str] = "review"

    images: ImageIds = None
    """Ids of the images; all that have the labels and are not excluded if left out."""
    labels: Name = "cells"
    """Name of the labels."""
    model: ModelName | None = None
    """Model that is asked; the study's active one if left out."""
    channel: str | None = Field(default=None, max_length=200)
    """Channel to look at, by name or index; that in which the labels were found if left out."""

    def run(self, work: JobWork) -> dict[str, Any]:
        """Return the id of the table, and why images are not in it."""
        found = labelled_images(work.store, self.images, self.labels)

        def reviewed(image_id: str, _: Progress) -> Commit:
            return self._review(work, found[image_id])

        names = {image_id: each.image.name for image_id, each in found.items()}
        units = each_unit(work, self.name, names, reviewed)
        done = done_units(units)
        failed = {unit.name: unit.reason for unit in units if unit.state == "failed"}
        details = {
            "labels": self.labels,
            "images": {unit.name: {"name": names[unit.name], **unit.result} for unit in done},
            "failed": failed,
        }
        new = NewResult("table", f"{REVIEW} {self.labels}", gather_table(work, done), details)
        kept = keep_result(work, self.name, f"Review labels of {len(done)} images", new)
        return {"table": kept["result"], "act": kept["act"], "failed": failed}

    def _review(self, work: JobWork, each: LabelledImage) -> Commit:
        steady = steady_labels(work.store, each.labels.id)
        step = segment_step_of(work.store, each.labels, each.image, self.channel)
        step = step.model_copy(update={"model": named_model(work.store, self.model)})
        image = open_stored(work.store, each.image)
        if step.stack in {"max", "mean"} and "Z" in image.axes:
            image = project_z(image, "mean" if step.stack == "mean" else "max")
        step = step.model_copy(update={"stack": "planes"})
        rows = [
            {"image": each.image.name, "image_id": each.image.id, "frame": t, "plane": z, **_row(doubt)}
            for t, z, doubt in doubts_of(step, image, steady.labels)
        ]
        table = pd.DataFrame(rows, columns=[column.name for column in _COLUMNS])
        write_table(table, part_path(work, each.image.id), _COLUMNS)
        result = {"labels": each.labels.id, "version": steady.version, "rows": len(rows)}
        return lambda: result


def _row(doubt: Doubt) -> dict[str, Any]:
    return {**doubt._asdict(), **doubt.box._asdict()}


def doubts_of(step: Segment, image: Image, labels: Labels) -> Iterator[tuple[int, int, Doubt]]:
    """Yield what is doubtful in each plane of labels, with its frame and plane.

    Raises
    ------
    ModelError
        If the model finds no cells.
    """
    engine = step.load_engine()
    if not isinstance(engine, NetworkEngine) or not engine.card.segments:
        raise ModelError("The model finds no cells, so it cannot say what is doubtful; activate one that does.")
    wanted: tuple[Head, ...] = ("foreground", "flow", "density")
    heads = tuple(head for head in wanted if head in engine.card.heads)
    maps = MapStore(image, heads)
    for plane in planes_of(step, engine, image):
        map_plane(engine, plane, maps)
        ids = cast("NDArray[np.uint32]", _plane(labels, plane.t, plane.z))
        for tile in plan_tiles(ids.shape, _CORE, _HALO):
            here = tile.read.slices
            at = (plane.t, slice(None), plane.z, *here)
            window = {str(head): np.asarray(array[at], np.float32) for head, array in maps.arrays.items()}
            numbers, local = np.unique(ids[here], return_inverse=True)
            table = np.arange(len(numbers)) + (0 if numbers[0] == 0 else 1)
            known = table[local].reshape(ids[here].shape).astype(np.int32)
            for doubt in find_doubts(known, window, engine.decoding):
                box = Box(
                    doubt.box.y0 + tile.read.y0,
                    doubt.box.y1 + tile.read.y0,
                    doubt.box.x0 + tile.read.x0,
                    doubt.box.x1 + tile.read.x0,
                )
                y, x = (box.y0 + box.y1) // 2, (box.x0 + box.x1) // 2
                if tile.core.y0 <= y < tile.core.y1 and tile.core.x0 <= x < tile.core.x1:
                    label = int(numbers[doubt.label - (0 if numbers[0] == 0 else 1)]) if doubt.label else 0
                    yield plane.t, plane.z, doubt._replace(box=box, label=label)


def _plane(labels: Labels, t: int, z: int) -> Any:
    sizes = dict(zip(labels.axes, labels.shape, strict=True))
    lead = tuple(min({"T": t, "Z": z}[axis], sizes[axis] - 1) for axis in labels.axes[:-2])
    return np.asarray(labels.array[(*lead, slice(None), slice(None))])
