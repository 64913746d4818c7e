"""`preview_count`: how many cells the field that is looked at shows, with its density; nothing is kept in the study."""

from __future__ import annotations

import time
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import Field

from cellmetry.core.image import Box, PixelSize
from cellmetry.core.labels import Labels
from cellmetry.core.parameters import parse_parameters
from cellmetry.core.sample import Sample
from cellmetry.counting.step import DIFFERENCES, Count
from cellmetry.errors import ParameterError
from cellmetry.pipeline.jobs.bounded import Name
from cellmetry.pipeline.jobs.looking import Look
from cellmetry.pipeline.quick.fields import open_field
from cellmetry.pipeline.quick.preview import FieldRequest, plane_sizes
from cellmetry.pipeline.stored.looked_at import as_labels_saw, projection_of
from cellmetry.study.store.images import image as image_of
from cellmetry.study.store.label_pixels import read_window
from cellmetry.study.store.labels import labels_of_image
from cellmetry.study.store.regions import regions_of
from cellmetry.study.tables.query import TablePage

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from cellmetry.core.step import Step
    from cellmetry.ops.shapes import Shape
    from cellmetry.study.store.images import StoredImage
    from cellmetry.study.store.labels import LabelSet
    from cellmetry.study.store.store import Store

__all__ = ["CountLayer", "CountPreview", "CountPreviewRequest", "preview_count"]

_PART = "only a part of the image was counted, and intervals are of whole images"


class CountPreviewRequest(FieldRequest):
    """A field of one plane, and how its cells are counted: the same as of a job `count`."""

    look: Look = Field(default_factory=Look)
    """Engine and model that find objects and density."""
    labels: Name | None = None
    """Name of labels whose objects are the count; if left out, the engine finds objects."""
    density: bool = True
    """With `labels`: whether the model's density counts too, as a check beside them."""
    outside: bool = False
    """Whether what lies in none of the regions of the image is counted too."""
    block_px: int = Field(default=64, ge=8, le=4096)
    """Side of the blocks in which the two counters are compared."""


@dataclass(frozen=True)
class CountLayer:
    """What is seen of a count.

    Parameters
    ----------
    kind
        Ids of the objects that were found, density in cells per pixel, or by how much the two counters differ.
    values
        (Y, X), of the field.
    block
        Side of a value in pixels of the image.
    limits
        What is shown darkest and brightest.
    """

    kind: Literal["cells", "density", "disagreement"]
    values: NDArray[Any]
    block: int
    limits: tuple[float, float]


@dataclass(frozen=True)
class CountPreview:
    """How many cells a field shows.

    Parameters
    ----------
    whole
        Whether it is the whole plane: of an image of one plane a job counts the very same then, and only of a whole
        plane an interval can hold.
    counts
        Rows as the table of a job `count` has them: the field, then the regions drawn in it.
    """

    box: Box
    whole: bool
    counts: list[dict[str, Any]]
    layers: tuple[CountLayer, ...]
    warnings: tuple[str, ...]
    seconds: float


def preview_count(store: Store, request: CountPreviewRequest) -> CountPreview:
    """Return how many cells a field of an image shows.

    Raises
    ------
    CellmetryError
        If there is no such place, engine, model or labels, or the model cannot count; as a job would.
    """
    start = time.perf_counter()
    stored = image_of(store, request.image)
    sizes = plane_sizes(stored)
    box = request.field(sizes["Y"], sizes["X"])
    whole = box == Box(0, sizes["Y"], 0, sizes["X"])
    labels = None if request.labels is None else _labels(store, stored, request.labels)
    how = None if labels is None else projection_of(store, labels, stored)
    field = open_field(store, stored, box, request.t, [request.z] if how is None else None)
    sample = as_labels_saw(Sample(field), how)
    if labels is not None:
        sample = sample.with_labels(labels.name, _cells(store, labels, request, box))
    shapes = tuple(_moved(each, box) for each in regions_of(store, request.image) if whole or _is_inside(each, box))
    for step in _steps(store, request, shapes, whole=whole):
        sample = step(sample)
    counts = TablePage((), sample.tables["counts"], len(sample.tables["counts"])).records()
    seconds = round(time.perf_counter() - start, 3)
    several = sizes.get("T", 1) > 1 or (how is None and sizes.get("Z", 1) > 1)
    warnings = (*sample.warnings, *([_one_of_many(stored.name)] if several else []))
    return CountPreview(box, whole, counts, tuple(_layers(sample, request)), warnings, seconds)


def _one_of_many(name: str) -> str:
    return (
        f"{name} has several planes, and only this one was counted. A job works all of them at one scale, so its "
        f"count of this plane may differ a little."
    )


def _steps(store: Store, request: CountPreviewRequest, shapes: Sequence[Shape], *, whole: bool) -> list[Step]:
    """Return the steps of the job, which count in the regions of this image."""
    fields = {name: getattr(request, name) for name in ("look", "labels", "density", "outside")}
    kind = import_module("cellmetry.pipeline.jobs.kinds.counting")  # with matplotlib, which a server does without
    job = parse_parameters(kind.CountImages, fields, where="count")
    asked = job.labels is None or job.density
    steps = [kind.in_regions(step, shapes) for step in job.steps(job.look.chosen(store) if asked else {})]
    return [_fitted(step, request.block_px, whole=whole) for step in steps]


def _fitted(step: Step, block_px: int, *, whole: bool) -> Step:
    if not isinstance(step, Count):
        return step
    void = step.void_because if whole else _PART
    return step.model_copy(update={"block_px": block_px, "void_because": void})


def _labels(store: Store, image: StoredImage, name: str) -> LabelSet:
    found = labels_of_image(store, image.id, name)
    if found is None:
        raise ParameterError(f"{image.name} has no labels called {name!r}; count what the model finds, or find cells.")
    return found


def _cells(store: Store, labels: LabelSet, request: CountPreviewRequest, box: Box) -> Labels:
    """Return labels of the field as they are edited now; those that have no Z or T are of every plane."""
    t, z = min(request.t, labels.size("T") - 1), min(request.z, labels.size("Z") - 1)
    size = PixelSize(*labels.details["pixel_size"])
    return Labels(read_window(store, labels, t, z, box), pixel_size=size, linked_z=False)


def _layers(sample: Sample, request: CountPreviewRequest) -> Iterator[CountLayer]:
    """Yield what is to be seen: of labels that the study has, their tiles show the objects."""
    cells = sample.labels.get("cells") if request.labels is None else None
    if cells is not None:
        yield CountLayer("cells", _plane(cells.read()).astype(np.uint32), 1, (0.0, 0.0))
    for name in ("density", DIFFERENCES):
        if name in sample.maps:
            values = sample.maps[name].plane().astype(np.float32)
            yield _map_layer("density" if name == "density" else "disagreement", values, request.block_px)


def _map_layer(kind: Literal["density", "disagreement"], values: NDArray[np.float32], block_px: int) -> CountLayer:
    high = float(np.percentile(np.abs(values), 99.8))
    if kind == "density":
        return CountLayer(kind, values, 1, (0.0, high or 1.0))
    high = max(high, 1.0)
    return CountLayer(kind, values, block_px, (-high, high))


def _plane(values: NDArray[Any]) -> NDArray[Any]:
    return values.reshape(values.shape[-2:])


def _is_inside(shape: Shape, box: Box) -> bool:
    (y0, x0), (y1, x1) = shape.corners.min(axis=0), shape.corners.max(axis=0)
    return bool(y0 >= box.y0 and y1 <= box.y1 and x0 >= box.x0 and x1 <= box.x1)


def _moved(shape: Shape, box: Box) -> Shape:
    """Return a region in coordinates of the field."""
    polygon = tuple((float(y) - box.y0, float(x) - box.x0) for y, x in shape.corners)
    return shape.model_copy(update={"rectangle": None, "polygon": polygon})
