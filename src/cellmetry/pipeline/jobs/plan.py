"""`RunPlan`: what a job that runs a recipe does, noted when it begins, so that it goes on with the same."""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cellmetry.counting.validity import with_checked_calibrations
from cellmetry.engines.maps_step import Maps
from cellmetry.engines.segment import Segment
from cellmetry.errors import ModelError
from cellmetry.io.atomic import atomic_write
from cellmetry.pipeline.acquisition import refuse_settings_filter
from cellmetry.pipeline.recipe import parse_recipe, recipe_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from cellmetry.core.step import Step
    from cellmetry.pipeline.recipe import Recipe

__all__ = ["RunPlan", "kept_plan"]

_FILE = "plan.json"


@dataclass(frozen=True)
class RunPlan:
    """What a job does.

    Parameters
    ----------
    engines
        What its engines say of themselves, models with their hashes.
    images
        Ids of the images in order.
    """

    recipe: Recipe
    engines: tuple[dict[str, Any], ...]
    images: tuple[str, ...]


def kept_plan(folder: Path, study: Path, wanted: Callable[[], tuple[Recipe, tuple[str, ...]]]) -> RunPlan:
    """Return the plan that a job's folder holds; of one that begins, that of the recipe and images wanted.

    Models and files of the study are found where the study lies now, though it was moved since the job began.

    Raises
    ------
    ModelError
        If a model or an engine is other than when the job began.
    """
    path = folder / _FILE
    if not path.is_file():
        recipe, images = wanted()
        recipe = _checked(recipe)
        _note(path, study, recipe, images)
    noted = json.loads(path.read_text(encoding="utf-8"))
    steps = _moved(tomllib.loads(noted["recipe"]), noted["study"], str(study))
    recipe = parse_recipe(steps, where="the job's recipe")
    recipe = _checked(replace(recipe, steps=tuple(map(_on_device, recipe.steps, noted["devices"]))))
    engines = json.loads(json.dumps(_described(recipe)))
    if engines != noted["engines"]:
        raise ModelError(
            f"A model or engine of the recipe {recipe.name} is other than when the job began ({_names(engines)}), so "
            f"its images would not be worked alike; put the old one back, or submit a new job."
        )
    return RunPlan(recipe, tuple(engines), tuple(noted["images"]))


def _checked(recipe: Recipe) -> Recipe:
    """Return the recipe after making sure, before the first image, that it can be worked."""
    recipe.files_read()
    refuse_settings_filter(recipe.steps)
    return replace(recipe, steps=with_checked_calibrations(recipe.steps))


def _described(recipe: Recipe) -> list[dict[str, Any]]:
    return [step.load_engine().describe() for step in recipe.steps if isinstance(step, Segment | Maps)]


def _names(engines: list[dict[str, Any]]) -> str:
    return ", ".join(str(each.get("model", {}).get("name", each["engine"])) for each in engines)


def _on_device(step: Step, device: str | None) -> Step:
    """Return a step that computes where it was told to; its text does not say."""
    return step if device is None else step.model_copy(update={"device": device})


def _moved(value: Any, old: str, new: str) -> Any:
    """Return what a recipe says with paths into a study's old folder led to its new one."""
    if isinstance(value, dict):
        return {key: _moved(each, old, new) for key, each in value.items()}
    if isinstance(value, list):
        return [_moved(each, old, new) for each in value]
    if isinstance(value, str) and Path(old) in Path(value).parents:
        return str(Path(new) / Path(value).relative_to(old))
    return value


def _note(path: Path, study: Path, recipe: Recipe, images: tuple[str, ...]) -> None:
    noted = {
        "study": str(study),
        "recipe": recipe_text(recipe),
        "devices": [getattr(step, "device", None) for step in recipe.steps],
        "engines": _described(recipe),
        "images": list(images),
    }
    with atomic_write(path) as temporary:
        temporary.write_text(json.dumps(noted, indent=1), encoding="utf-8")
