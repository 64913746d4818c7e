"""The job `review`: what is doubtful in labels, by the network's own maps; from it comes the queue of corrections."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, cast

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
from cellmetry.pipeline.jobs.block_maps import write_block_maps
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
    from cellmetry.engines.plane import Plane
    from cellmetry.models.card import Head
    from cellmetry.ops.doubting import Doubt
    from cellmetry.ops.flows import FlowDecoding
    from cellmetry.ops.tiles import Tile
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
        rows: list[dict[str, Any]] = []
        maps: list[dict[str, Any]] = []
        for found in reviewed_planes(step, image, steady.labels):
            place = {"frame": found.t, "plane": found.z}
            rows += [
                {"image": each.image.name, "image_id": each.image.id, **place, **_row(doubt)} for doubt in found.doubts
            ]
            if found.density is not None:
                at = (found.t, found.z)
                maps += write_block_maps(work.folder, each.image.id, found.density, steady.labels, at)
        table = pd.DataFrame(rows, columns=[column.name for column in _COLUMNS])
        write_table(table, part_path(work, each.image.id), _COLUMNS)
        result = {"labels": each.labels.id, "version": steady.version, "rows": len(rows), "maps": maps}
        return lambda: result


def _row(doubt: Doubt) -> dict[str, Any]:
    return {**doubt._asdict(), **doubt.box._asdict()}


class ReviewedPlane(NamedTuple):
    """What is doubtful in one plane, and the density of all planes so far, where the model makes one."""

    t: int
    z: int
    doubts: list[Doubt]
    density: Image | None


def reviewed_planes(step: Segment, image: Image, labels: Labels) -> Iterator[ReviewedPlane]:
    """Yield what is doubtful in each plane of labels.

    Raises
    ------
    ModelError
        If the model finds no cells.
    """
    engine = step.load_engine()
    if not isinstance(engine, NetworkEngine) or not engine.card.segments:
        raise ModelError("The model finds no cells, so it cannot say what is doubtful; activate one that does.")
    wanted: tuple[Head, ...] = ("foreground", "flow", "density")
    maps = MapStore(image, tuple(head for head in wanted if head in engine.card.heads))
    for plane in planes_of(step, engine, image):
        map_plane(engine, plane, maps)
        ids = cast("NDArray[np.uint32]", _plane(labels, plane.t, plane.z))
        found = [
            doubt
            for tile in plan_tiles(ids.shape, _CORE, _HALO)
            for doubt in _doubts_of(ids[tile.read.slices], _window(maps, plane, tile.read), tile, engine.decoding)
        ]
        yield ReviewedPlane(plane.t, plane.z, found, maps.images().get("density"))


def _window(maps: MapStore, plane: Plane, box: Box) -> dict[str, NDArray[np.float32]]:
    at = (plane.t, slice(None), plane.z, *box.slices)
    return {str(head): np.asarray(array[at], np.float32) for head, array in maps.arrays.items()}


def _doubts_of(
    ids: NDArray[np.uint32], maps: dict[str, NDArray[np.float32]], tile: Tile, decoding: FlowDecoding
) -> Iterator[Doubt]:
    """Yield what is doubtful in the core of a tile, in the coordinates of the plane."""
    numbers, local = np.unique(np.append(ids.ravel(), 0), return_inverse=True)
    for doubt in find_doubts(local[:-1].reshape(ids.shape).astype(np.int32), maps, decoding):
        y, x = tile.read.y0, tile.read.x0
        box = Box(doubt.box.y0 + y, doubt.box.y1 + y, doubt.box.x0 + x, doubt.box.x1 + x)
        middle = ((box.y0 + box.y1) // 2, (box.x0 + box.x1) // 2)
        if tile.core.y0 <= middle[0] < tile.core.y1 and tile.core.x0 <= middle[1] < tile.core.x1:
            yield doubt._replace(box=box, label=int(numbers[doubt.label]))


def _plane(labels: Labels, t: int, z: int) -> Any:
    sizes = dict(zip(labels.axes, labels.shape, strict=True))
    lead = tuple(min({"T": t, "Z": z}[axis], sizes[axis] - 1) for axis in labels.axes[:-2])
    return np.asarray(labels.array[(*lead, slice(None), slice(None))])
