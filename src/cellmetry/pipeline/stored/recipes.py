"""The recipe that a job of a study is given: shipped, kept in the study, or as text; never a file by its path."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from cellmetry.engines.base import ENGINES, LookupEngine
from cellmetry.engines.maps_step import Maps
from cellmetry.engines.segment import Segment
from cellmetry.errors import MissingInput, ModelError, ParameterError, UnknownName
from cellmetry.models.store import is_model_path
from cellmetry.pipeline.recipe import load_recipe, recipe_of_toml, shipped_recipes
from cellmetry.study.store.models import active_model, find_model_of, model_path, refuse_unknown_model
from cellmetry.study.store.originals import original_path, originals
from cellmetry.study.store.recipes import find_recipe, recipes

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from cellmetry.core.step import Step
    from cellmetry.pipeline.recipe import Recipe
    from cellmetry.study.store.store import Store

__all__ = ["recipe_of_text", "wanted_recipe", "with_models_of_study"]

_NETWORK = "cellmetry"


def wanted_recipe(store: Store, name: str, changes: Sequence[str] = ()) -> Recipe:
    """Return a recipe by the id or name of one that the study keeps, else a shipped one by its name.

    Raises
    ------
    UnknownName
        If there is none; names of files are not looked for.
    ParameterError
        If a change does not fit, or the recipe reads files that are not of the study.
    """
    kept = find_recipe(store, name)
    if kept is not None:
        return recipe_of_text(store, kept.text, changes, name=kept.name)
    if name not in shipped_recipes():
        raise UnknownName("recipe", name, [*shipped_recipes(), *(each.name for each in recipes(store))])
    return with_models_of_study(store, load_recipe(name, changes))


def recipe_of_text(store: Store, text: str, changes: Sequence[str] = (), *, name: str = "recipe") -> Recipe:
    """Return the recipe that a TOML text says, with changes made.

    Raises
    ------
    ParameterError
        If it is no recipe, a change does not fit, or it reads files that are not of the study.
    """
    return with_models_of_study(store, recipe_of_toml(text, changes, where=name))


def with_models_of_study(store: Store, recipe: Recipe) -> Recipe:
    """Return a recipe whose models are those that the study means: its active one where none is named.

    Raises
    ------
    ParameterError
        If it would read files that are not of the study, since who gives it may be anybody.
    """
    _refuse_foreign_files(store, recipe)
    return replace(recipe, steps=tuple(_with_model(store, step) for step in recipe.steps))


def _with_model(store: Store, step: Step) -> Step:
    if isinstance(step, Segment):
        if issubclass(ENGINES.load(step.engine), LookupEngine):
            raise ParameterError(f"The engine {step.engine} reads label files; add them to the study by importing.")
        if step.engine != _NETWORK:
            _refuse_path(step.model)
            return step
    elif not isinstance(step, Maps):
        return step
    found = active_model(store) if step.model is None else find_model_of(store, step.model)
    if found is None:
        _refuse_path(step.model)
        if step.model is not None:
            refuse_unknown_model(store, step.model)
        return step
    return step.model_copy(update={"model": str(model_path(store, found))})


def _refuse_path(model: str | None) -> None:
    if model is not None and is_model_path(model):
        raise ModelError(f"A model is named, not given as a path ({model}); `cellmetry model install` gives it a name.")


def _refuse_foreign_files(store: Store, recipe: Recipe) -> None:
    asked = [file for step in recipe.steps for file in step.files_read()]
    if not asked:
        return
    known = {path.resolve() for path in _there(store)}
    for file in asked:
        whole = file.resolve()
        if whole not in known and not whole.is_relative_to((store.folder / "uploads").resolve()):
            raise ParameterError(f"The recipe reads {file}, which is no file of the study; add it to the study first.")


def _there(store: Store) -> list[Path]:
    """Return where the study's originals are, those that are there."""
    found = []
    for each in originals(store):
        try:
            found.append(original_path(store, each))
        except MissingInput:
            continue
    return found
