"""`preview`: what a recipe finds in the field that is looked at; nothing is kept in the study."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import numpy as np
from pydantic import Field, model_validator

from cellmetry.core.image import Box
from cellmetry.core.sample import Sample
from cellmetry.core.step import Parameters
from cellmetry.engines.segment import Segment
from cellmetry.errors import LimitExceeded, ParameterError
from cellmetry.ops.saturation import find_detectors
from cellmetry.pipeline.jobs.kinds.reading import ImageId
from cellmetry.pipeline.quick.fields import open_field
from cellmetry.pipeline.stored.recipes import recipe_of_text, wanted_recipe
from cellmetry.study.store.images import image as image_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from cellmetry.core.labels import Labels
    from cellmetry.core.step import Step
    from cellmetry.pipeline.recipe import Recipe
    from cellmetry.study.store.images import StoredImage
    from cellmetry.study.store.store import Store

__all__ = [
    "MOST_PIXELS",
    "FieldRequest",
    "Preview",
    "PreviewRequest",
    "Seen",
    "Working",
    "plane_sizes",
    "preview",
    "seen_in",
    "working_field",
]

MOST_PIXELS = 4 << 20
"""Largest field, in pixels."""
_MARGIN_PX = 96
_ONLY_TABLES = ("measure", "passport", "colocalise", "translocation", "quantify", "profile", "peaks", "count", "spots")
Edge = Annotated[int, Field(ge=0, le=2**31)]


class FieldRequest(Parameters):
    """A field of one plane."""

    image: ImageId
    t: Edge = 0
    z: Edge = 0
    box: tuple[Edge, Edge, Edge, Edge] | None = None
    """First row, row after the last, first column, column after the last: up to 4 megapixels; the whole plane, or its
    middle where it is larger, if left out."""

    def field(self, height: int, width: int) -> Box:
        """Return the box that is meant in a plane of this size.

        Raises
        ------
        ParameterError, LimitExceeded
            If it is not inside the plane, empty, or too large.
        """
        box = _middle(height, width) if self.box is None else Box(*self.box)
        if not (box.y0 < box.y1 <= height and box.x0 < box.x1 <= width):
            raise ParameterError(f"The box {tuple(box)} is not inside a plane of {height} × {width} pixels.")
        if box.shape[0] * box.shape[1] > MOST_PIXELS:
            raise LimitExceeded(f"A preview is of up to {MOST_PIXELS:,} pixels; zoom in, or apply the recipe to all.")
        return box


class PreviewRequest(FieldRequest):
    """A field of one plane, and the recipe that is tried on it: the same as of a job `segment`."""

    recipe: str | None = Field(default=None, min_length=1, max_length=200)
    """Id or name of a recipe that the study keeps, or name of a shipped one; `any` if left out."""
    recipe_text: str | None = Field(default=None, max_length=200_000)
    """The recipe itself as TOML, in the place of a name."""
    set: tuple[Annotated[str, Field(max_length=2000)], ...] = Field(default=(), max_length=200)
    """Parameters to change, as in segment.diameter_um=12."""

    @model_validator(mode="after")
    def _one_recipe(self) -> PreviewRequest:
        if self.recipe is not None and self.recipe_text is not None:
            raise ValueError("give recipe or recipe_text, not both")
        return self

    def recipe_for(self, store: Store) -> Recipe:
        """Return the recipe with its parameters changed, and models of the study where it names them."""
        if self.recipe_text is not None:
            return recipe_of_text(store, self.recipe_text, self.set)
        return wanted_recipe(store, self.recipe or "any", self.set)


@dataclass(frozen=True)
class Seen:
    """Labels, a mask or a map of the field.

    Parameters
    ----------
    kind
        ``labels`` or ``mask``; or ``map``, with the bits of 32-bit floats in the place of ids.
    n
        Objects that reach into the field.
    median_diameter_px
        Of those that do not touch its edge, as circles of their area; None if there are none.
    """

    name: str
    kind: str
    n: int
    median_diameter_px: float | None
    ids: NDArray[np.uint32]


@dataclass(frozen=True)
class Preview:
    """What a recipe finds in a field.

    Parameters
    ----------
    whole
        Whether the whole plane was worked, so that a run finds the very same; else the field with a margin.
    """

    box: Box
    whole: bool
    seen: tuple[Seen, ...]
    warnings: tuple[str, ...]
    seconds: float


def preview(store: Store, request: PreviewRequest) -> Preview:
    """Return what a recipe finds in a field of an image.

    Raises
    ------
    CellmetryError
        If the recipe is none, there is no such place, or a step refuses the image; as a job would.
    """
    start = time.perf_counter()
    stored = image_of(store, request.image)
    recipe = _shortened(request.recipe_for(store))
    box, read, whole = working_field(stored, request)
    projected = any(isinstance(step, Segment) and step.stack in {"max", "mean"} for step in recipe.steps)
    field = open_field(store, stored, read, request.t, None if projected else [request.z])
    field, _ = find_detectors(field, recipe.detectors_used(field))
    sample = recipe.apply(Sample(field))
    seen = [seen_in(name, "labels", each, read, box) for name, each in sample.labels.items()]
    seen += [seen_in(name, "mask", each, read, box) for name, each in sample.masks.items()]
    return Preview(box, whole, tuple(seen), sample.warnings, round(time.perf_counter() - start, 3))


class Working(NamedTuple):
    """What is shown of a plane, what is worked for that, and whether that is the whole plane."""

    box: Box
    read: Box
    whole: bool


def working_field(image: StoredImage, request: FieldRequest) -> Working:
    """Return what is shown and worked of a plane of an image.

    Raises
    ------
    ParameterError, LimitExceeded
        If the image was not read yet, or the box is not inside it or too large.
    """
    sizes = plane_sizes(image)
    box = request.field(sizes["Y"], sizes["X"])
    read = _grown(box, sizes)
    return Working(box, read, read == Box(0, sizes["Y"], 0, sizes["X"]))


def _shortened(recipe: Recipe) -> Recipe:
    """Return a recipe without the steps at its end that make but tables, each stack worked plane by plane."""
    steps = list(recipe.steps)
    while steps and steps[-1].name.startswith(_ONLY_TABLES):
        steps.pop()
    if not steps:
        raise ParameterError("The recipe makes no labels; a preview has nothing to show.")
    return replace(recipe, steps=tuple(_of_a_plane(step) for step in steps))


def _of_a_plane(step: Step) -> Step:
    if isinstance(step, Segment) and step.stack == "volume":
        return step.model_copy(update={"stack": "planes"})
    return step


def plane_sizes(image: StoredImage) -> Mapping[str, int]:
    """Return the length of each axis of an image of a study.

    Raises
    ------
    ParameterError
        If it was not read yet.
    """
    if image.state != "ready":
        raise ParameterError(f"{image.name} was not read yet; ask again when it is.")
    return dict(zip(image.header["axes"], image.header["shape"], strict=True))


def _middle(height: int, width: int) -> Box:
    """Return the whole plane, or a square in its middle where it is too large."""
    side = int(MOST_PIXELS**0.5)
    if height * width <= MOST_PIXELS:
        return Box(0, height, 0, width)
    rows, columns = min(height, side), min(width, side)
    y0, x0 = (height - rows) // 2, (width - columns) // 2
    return Box(y0, y0 + rows, x0, x0 + columns)


def _grown(box: Box, sizes: Mapping[str, int]) -> Box:
    """Return what is worked: the whole plane where that is small, else the field with a margin."""
    height, width = sizes["Y"], sizes["X"]
    if height * width <= MOST_PIXELS // 2:
        return Box(0, height, 0, width)
    return Box(
        max(0, box.y0 - _MARGIN_PX),
        min(height, box.y1 + _MARGIN_PX),
        max(0, box.x0 - _MARGIN_PX),
        min(width, box.x1 + _MARGIN_PX),
    )


def seen_in(name: str, kind: str, labels: Labels, read: Box, box: Box) -> Seen:
    """Return what of labels, or a mask, of the box `read` lies in a smaller one."""
    plane: NDArray[Any] = np.asarray(labels.array[...]).reshape(read.shape)
    ids = np.ascontiguousarray(plane[box.within(read).slices], np.uint32)
    numbers, counts = np.unique(ids[ids > 0], return_counts=True)
    rim = np.unique(np.concatenate([ids[0], ids[-1], ids[:, 0], ids[:, -1]]))
    whole = counts[~np.isin(numbers, rim)]
    median = float(np.median(2 * np.sqrt(whole / np.pi))) if whole.size else None
    return Seen(name, kind, len(numbers), None if median is None else round(median, 2), ids)
