"""A recipe step by step on one image: which steps changed its pixels, and how they looked before and after."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from cellmetry.core.image import Box
from cellmetry.core.progress import SILENT
from cellmetry.core.sample import Sample
from cellmetry.errors import ParameterError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from cellmetry.core.image import Image
    from cellmetry.core.progress import Progress
    from cellmetry.core.step import Step
    from cellmetry.pipeline.recipe import Recipe

__all__ = ["PlaneChange", "View", "Walked", "walk_recipe", "whole_view"]

_LARGEST_SHOWN = 4096
_SHOWN_OF_LARGE = 2048


@dataclass(frozen=True)
class View:
    """Which part of an image is looked at: a rectangle of one plane."""

    box: Box
    t: int = 0
    z: int = 0


@dataclass(frozen=True)
class PlaneChange:
    """One channel before and after a step, both of one size."""

    channel: str
    before: NDArray[Any]
    after: NDArray[Any]


@dataclass(frozen=True)
class Walked:
    """A step that was done.

    Parameters
    ----------
    number
        Its place in the recipe, from 1.
    changes
        The channels whose pixels it changed; none for a step that made labels, tables or nothing.
    resized
        Whether it made another number of planes or pixels, so that before and after cannot be laid side by side.
    warnings
        What it warned of.
    """

    number: int
    step: Step
    changes: tuple[PlaneChange, ...]
    resized: bool = False
    warnings: tuple[str, ...] = ()

    @property
    def parameters(self) -> dict[str, Any]:
        """The step's parameters that are not as they are by default."""
        return self.step.model_dump(mode="json", exclude_defaults=True)


def walk_recipe(recipe: Recipe, image: Image, view: View, progress: Progress = SILENT) -> Iterator[Walked]:
    """Yield each step of a recipe after it was done on the whole image, with what it changed in `view`."""
    sample = Sample(image)
    progress.start("steps", len(recipe.steps))
    for number, step in enumerate(recipe.steps, 1):
        after = step(sample)
        warnings = after.warnings[len(sample.warnings) :]
        same_size = after.image.source.shape[2:] == sample.image.source.shape[2:]
        resized = after.image is not sample.image and not same_size
        changes = () if resized or after.image is sample.image else tuple(_changes(sample.image, after.image, view))
        yield Walked(number, step, changes, resized, warnings)
        sample = after
        progress.advance()


def whole_view(image: Image, *, crop: Box | None = None, t: int = 0, z: int | None = None) -> View:
    """Return what is looked at: `crop`, or the whole plane, or the middle of a large one; the middle Z plane.

    Raises
    ------
    ParameterError
        If that lies outside the image.
    """
    sizes = image.sizes
    z = sizes["Z"] // 2 if z is None else z
    if not (0 <= t < sizes["T"] and 0 <= z < sizes["Z"]):
        raise ParameterError(
            f"{image.name} has frames 0 to {sizes['T'] - 1} and Z planes 0 to {sizes['Z'] - 1}, not t={t}, z={z}."
        )
    if crop is None:
        return View(_middle(image.plane_box), t, z)
    if crop.y0 >= sizes["Y"] or crop.x0 >= sizes["X"] or min(crop.y0, crop.x0) < 0 or min(crop.shape) < 1:
        raise ParameterError(f"The crop {tuple(crop)} lies outside {image.name}, which is {sizes['Y']} × {sizes['X']}.")
    inside = crop._replace(y1=min(crop.y1, sizes["Y"]), x1=min(crop.x1, sizes["X"]))
    return replace(View(inside), t=t, z=z)


def _middle(whole: Box) -> Box:
    if max(whole.shape) <= _LARGEST_SHOWN:
        return whole
    starts = [max(0, (size - _SHOWN_OF_LARGE) // 2) for size in whole.shape]
    stops = [min(size, start + _SHOWN_OF_LARGE) for size, start in zip(whole.shape, starts, strict=True)]
    return Box(starts[0], stops[0], starts[1], stops[1])


def _changes(before: Image, after: Image, view: View) -> Iterator[PlaneChange]:
    """Yield the channels of both images that differ in the view."""
    for c, name in enumerate(after.channel_names):
        if name not in before.channel_names:
            continue
        old = before.plane(t=view.t, c=before.channel_names.index(name), z=view.z, box=view.box)
        new = after.plane(t=view.t, c=c, z=view.z, box=view.box)
        if not np.array_equal(old, new, equal_nan=old.dtype.kind == "f" and new.dtype.kind == "f"):
            yield PlaneChange(name, np.array(old), np.array(new))
