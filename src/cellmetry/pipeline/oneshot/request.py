"""`PredictRequest` and `CountRequest`: what is asked of files; the recipe and reading that they mean."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from cellmetry.core.step import Parameters
from cellmetry.counting.count import counting_steps
from cellmetry.counting.step import Count
from cellmetry.counting.validity import with_checked_calibrations, with_own_calibration
from cellmetry.engines.segment import Segment
from cellmetry.errors import UnknownName
from cellmetry.measure.step import Measure
from cellmetry.pipeline.reading import Reading
from cellmetry.pipeline.recipe import Recipe, parse_recipe
from cellmetry.pipeline.served_recipes import named_recipe, recipe_of_text, refuse_paths, refuse_unknown_models

__all__ = ["CountRequest", "OneShotRequest", "Output", "PredictRequest"]

Output = Literal["tiff", "png", "rois", "json", "overlay"]

_Word = Annotated[str, Field(min_length=1, max_length=200)]
_Change = Annotated[str, Field(min_length=3, max_length=1000)]
_LOOK = ("engine", "model", "channel", "diameter_um", "diameter_px")
_TABLES = {"count", "dualcellquant", "quantify", "translocation"}
"""Steps that make tables, beside those whose names begin with ``measure``, and ``passport``."""


class OneShotRequest(Parameters):
    """How files are opened and where objects are looked for; what is left out takes the defaults of the recipe."""

    engine: _Word | None = None
    """Engine that finds the objects; `cellmetry` if left out."""
    model: _Word | None = None
    """Model of the engine, by name."""
    channel: _Word | None = None
    """Channel to look at, by name or index; needed when there are several."""
    diameter_um: float | None = Field(default=None, gt=0, le=1e6)
    """Usual diameter of an object in µm."""
    diameter_px: float | None = Field(default=None, gt=0, le=1e6)
    """Usual diameter of an object in pixels."""
    set: tuple[_Change, ...] = Field(default=(), max_length=100)
    """Changes to the steps, as in ``segment.cleanup.min_area_px=30``; repeat the field for several."""
    axes: Annotated[str, Field(max_length=8)] | None = None
    """Axes of the files where they do not say, as in ZYX."""
    rgb: Literal["colour", "channels"] = "colour"
    """Whether RGB files are colour pictures or three channels."""
    pixel_size_um: float | None = Field(default=None, gt=0, le=1e6)
    """Side of a pixel in µm; wins over the files'."""
    pixel_size_z_um: float | None = Field(default=None, gt=0, le=1e6)
    """Distance of planes in µm; wins over the files'."""
    detector_bits: int | None = Field(default=None, ge=1, le=32)
    """Bits of the detector where the files do not say."""

    @property
    def reading(self) -> Reading:
        """How the files are opened."""
        return Reading(**{name: getattr(self, name) for name in Reading.model_fields if hasattr(self, name)})

    @property
    def look(self) -> dict[str, Any]:
        """Fields of the step `segment` that were given."""
        return {name: getattr(self, name) for name in _LOOK if getattr(self, name) is not None}

    @abstractmethod
    def to_recipe(self) -> Recipe:
        """Return the recipe that is meant; no model is loaded.

        Raises
        ------
        ParameterError
            If there is none of its name, a parameter is wrong, or it would read files of the server's computer.
        """

    def ready(self) -> Recipe:
        """Return the recipe with everything that it takes from its models; they are loaded for it."""
        return self.to_recipe()


class PredictRequest(OneShotRequest):
    """Labels of files: by a recipe, or by an engine with its model as `cellmetry segment` takes them."""

    recipe: _Word | None = None
    """Name of a shipped recipe."""
    recipe_text: Annotated[str, Field(max_length=200_000)] | None = None
    """A recipe as TOML."""
    labels: _Word | None = None
    """Which labels of the recipe are given back; `cells`, or the first where there are none of this name."""
    output: Output = "tiff"
    """What is given back: labels as TIFF (16-bit, or 32-bit above 65,535 objects), labels as 16-bit PNG, outlines as
    ZIP for ImageJ's ROI manager, tables as JSON, or a picture with outlines (PNG)."""

    @model_validator(mode="after")
    def _one_source(self) -> PredictRequest:
        given = [name for name in ("recipe", "recipe_text") if getattr(self, name) is not None]
        if len(given) > 1 or (given and self.look):
            raise ValueError("give a recipe, a recipe_text, or engine, model and the like; a recipe takes those as set")
        return self

    def to_recipe(self) -> Recipe:
        """Return the recipe that is meant; with JSON as output, objects are measured where no step does."""
        if self.recipe is not None:
            found = named_recipe(self.recipe, self.set)
        elif self.recipe_text is not None:
            found = recipe_of_text(self.recipe_text, self.set)
        else:
            found = parse_recipe({"name": "segment", "steps": [{"step": "segment", **self.look}]}, self.set)
            refuse_paths(found)
        refuse_unknown_models(found)
        if self.output == "json" and not any(_makes_table(step.name) for step in found.steps):
            made = [step.labels for step in found.steps if isinstance(step, Segment)]
            found = replace(found, steps=(*found.steps, Measure(labels=self.choose(made))))
        return found

    def ready(self) -> Recipe:
        """Return the recipe, its counts calibrated as a run does it."""
        found = self.to_recipe()
        return replace(found, steps=with_checked_calibrations(found.steps))

    def choose(self, made: list[str]) -> str:
        """Return which of the labels that were made are given back.

        Raises
        ------
        UnknownName
            If there are none of the name that was asked for.
        """
        wanted = self.labels or ("cells" if "cells" in made or not made else made[0])
        if wanted not in made:
            raise UnknownName("label image called", wanted, made)
        return wanted


class CountRequest(OneShotRequest):
    """How many cells files show, by every counter of the model, with an interval where one holds."""

    def to_recipe(self) -> Recipe:
        """Return the step that looks for cells, for checking; `ready` has all."""
        found = parse_recipe({"name": "count", "steps": [{"step": "segment", **self.look}, _COUNT]}, self.set)
        refuse_paths(found)
        refuse_unknown_models(found)
        return found

    def ready(self) -> Recipe:
        """Return the steps as `cellmetry count` takes them."""
        self.to_recipe()
        steps = [{"step": step.name, **step.model_dump(mode="json", exclude_none=True)} for step in self._steps()]
        found = parse_recipe({"name": "count", "steps": steps}, self.set, where="count")
        refuse_paths(found)
        return replace(found, steps=with_checked_calibrations(with_own_calibration(found.steps)))

    def _steps(self) -> tuple[Any, Count]:
        return counting_steps(self.look, Count())


_COUNT = {"step": "count"}


def _makes_table(name: str) -> bool:
    return name.startswith(("measure", "passport")) or name in _TABLES
