"""`preview_masks`: the masks of a target and a reference in the field that is looked at, and their radial profile."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import numpy as np
from pydantic import Field, model_validator

from cellmetry.core.image import PixelSize
from cellmetry.core.labels import Labels
from cellmetry.errors import ParameterError
from cellmetry.pipeline.jobs.bounded import refuse_endless
from cellmetry.pipeline.quantifying import Quantifying
from cellmetry.pipeline.quick.fields import open_field
from cellmetry.pipeline.quick.preview import FieldRequest, Preview, Seen, seen_in, working_field
from cellmetry.pipeline.stored.looked_at import as_labels_saw, projection_of
from cellmetry.quantify.dualcellquant.step import DualCellQuant
from cellmetry.study.store.images import image as image_of
from cellmetry.study.store.label_pixels import read_window
from cellmetry.study.store.labels import label_set

if TYPE_CHECKING:
    import pandas as pd

    from cellmetry.core.image import Box, Image
    from cellmetry.core.step import Step
    from cellmetry.pipeline.quick.preview import Working
    from cellmetry.pipeline.recipe import Recipe
    from cellmetry.study.store.labels import LabelSet
    from cellmetry.study.store.store import Store

__all__ = ["MaskPreview", "MaskRequest", "preview_masks"]

_PROFILES = "radial_profile_pooled"
_NOT_SEEN = ("passport", "filter_cells", "peaks", "keep_image")
"""Steps of a quantification whose results no preview shows."""


class MaskRequest(FieldRequest, Quantifying):
    """A field of one plane, the cells in it, and what is tried on them: the same as of a job `quantify`."""

    labels: Annotated[str, Field(pattern=r"^lbl_[0-9a-f]{16}$")]
    """Id of the labels whose objects are the cells."""

    @model_validator(mode="before")
    @classmethod
    def _is_bounded(cls, given: Any) -> Any:
        refuse_endless(given)
        return given


class MaskPreview(NamedTuple):
    """Masks of a field, and the profile of its cells: name of a column → numbers; empty if none was asked for."""

    shown: Preview
    profile: dict[str, list[float | None]]


def preview_masks(store: Store, request: MaskRequest) -> MaskPreview:
    """Return the masks that a quantification makes in a field of an image, and the mean profile of its cells.

    Raises
    ------
    CellmetryError
        If there is no such place, or a step refuses the image; as a job would.
    """
    start = time.perf_counter()
    stored, labels = image_of(store, request.image), label_set(store, request.labels)
    if labels.image_id != stored.id:
        raise ParameterError(f"The labels {labels.id} are not of the image {stored.name}.")
    working, recipe = working_field(stored, request), _shortened(request.recipe())
    how = projection_of(store, labels, stored)
    field = open_field(store, stored, working.read, request.t, [request.z] if how is None else None)
    cells = _cells(store, labels, request, working.read)
    sample = recipe.apply(as_labels_saw(request.sample_of(field, cells, recipe), how))
    seen = [seen_in(name, "mask", mask, working.read, working.box) for name, mask in sample.masks.items()]
    seen += [_seen_map(name, shown, working) for name, shown in sample.maps.items()]
    seconds = round(time.perf_counter() - start, 3)
    shown = Preview(working.box, working.whole, tuple(seen), sample.warnings, seconds)
    return MaskPreview(shown, _columns(sample.tables.get(_PROFILES)))


def _cells(store: Store, labels: LabelSet, request: MaskRequest, box: Box) -> Labels:
    t, z = min(request.t, labels.size("T") - 1), min(request.z, labels.size("Z") - 1)
    return Labels(read_window(store, labels, t, z, box), "YX", PixelSize(*labels.details["pixel_size"]))


def _shortened(recipe: Recipe) -> Recipe:
    """Return a recipe without the steps whose results no preview shows."""
    return replace(recipe, steps=tuple(_seen_only(step) for step in recipe.steps if step.name not in _NOT_SEEN))


def _seen_only(step: Step) -> Step:
    return step.model_copy(update={"peaks": None}) if isinstance(step, DualCellQuant) else step


def _seen_map(name: str, shown: Image, working: Working) -> Seen:
    """Return the values of a map in the field, as the bits of 32-bit floats."""
    values = np.ascontiguousarray(shown.plane(box=working.box.within(working.read)), np.float32)
    return Seen(name, "map", 0, None, values.view(np.uint32))


def _columns(profile: pd.DataFrame | None) -> dict[str, list[float | None]]:
    """Return the numbers of a table as JSON has them."""
    if profile is None:
        return {}
    numbers = profile.select_dtypes(np.number)
    return {
        str(name): [float(value) if math.isfinite(value) else None for value in column]
        for name, column in numbers.items()
    }
