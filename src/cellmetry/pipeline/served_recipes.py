"""Recipes that come over the network: shipped ones by name or TOML text, never a path of the server's computer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from cellmetry.core.parameters import parse_parameters
from cellmetry.engines.base import ENGINES, LookupEngine
from cellmetry.engines.maps_step import Maps
from cellmetry.engines.segment import Segment
from cellmetry.errors import ParameterError, UnknownName
from cellmetry.models.store import is_model_path, list_models
from cellmetry.pipeline.recipe import load_recipe, recipe_of_toml, shipped_recipes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cellmetry.core.step import Parameters
    from cellmetry.pipeline.recipe import Recipe

__all__ = ["named_recipe", "paths_in", "recipe_of_text", "refuse_engine_paths", "refuse_paths", "refuse_unknown_models"]

_DEEPEST = 32
_NETWORK = "cellmetry"


def named_recipe(name: str, changes: Iterable[str] = ()) -> Recipe:
    """Return a shipped recipe by its name, with changes as after ``--set``; a path is no name.

    Raises
    ------
    UnknownName, ParameterError
        If there is none, or it reads files of the server's computer.
    """
    if name not in shipped_recipes():
        raise UnknownName("shipped recipe", name, shipped_recipes())
    recipe = load_recipe(name, changes)
    refuse_paths(recipe)
    return recipe


def recipe_of_text(text: str, changes: Iterable[str] = (), *, where: str = "recipe") -> Recipe:
    """Return the recipe in a TOML text, with changes as after ``--set``.

    Raises
    ------
    ParameterError
        If it is not TOML, a step or parameter is wrong, or it reads files of the server's computer.
    """
    recipe = recipe_of_toml(text, changes, where=where)
    refuse_paths(recipe)
    return recipe


def refuse_paths(recipe: Recipe) -> None:
    """Refuse a recipe that reads files by their paths, which would be files of the server's computer.

    Raises
    ------
    ParameterError
        If a step reads a file, an engine looks up label files, or a model is given by its path.
    """
    for step in recipe.steps:
        read: list[Path | str] = [*step.files_read(), *paths_in(step)]
        if isinstance(step, Segment | Maps) and step.model is not None and is_model_path(step.model):
            read.append(step.model)
        if isinstance(step, Segment):
            read += _paths_of_engine(step)
        if read:
            raise ParameterError(
                f"The step {step.name} reads {read[0]}, a file of the server's computer; over the network a recipe "
                f"may name no files. Leave it out, or give a model by its name."
            )


def refuse_unknown_models(recipe: Recipe) -> None:
    """Refuse a recipe that names a model of our network which is not installed.

    Raises
    ------
    UnknownName
        If it does; says the nearest right word.
    """
    known = {each.name for each in list_models()}
    for step in recipe.steps:
        if not isinstance(step, Segment | Maps) or (isinstance(step, Segment) and step.engine != _NETWORK):
            continue
        if step.model is not None and step.model not in known:
            raise UnknownName("model", step.model, known)


def refuse_engine_paths(recipe: Recipe) -> None:
    """Refuse a recipe whose engines look label files up, or have files of the server's computer among their options.

    Raises
    ------
    ParameterError
        If they do.
    """
    for step in recipe.steps:
        if isinstance(step, Segment) and (paths := _paths_of_engine(step)):
            raise ParameterError(f"The engine {step.engine} reads {paths[0]}, a file of the server's computer.")


def _paths_of_engine(step: Segment) -> list[Path]:
    """Return the files that the engine of a step is told to read."""
    kind = ENGINES.load(step.engine)
    if issubclass(kind, LookupEngine):
        raise ParameterError(
            f"The engine {step.engine} looks label files up beside the images, where a server has none; import the "
            f"labels into a study."
        )
    return paths_in(parse_parameters(kind.options_type, step.options, where=f"engine {step.engine}"))


def paths_in(values: Parameters) -> list[Path]:
    """Return the paths among the values of parameters, however deep.

    Raises
    ------
    ParameterError
        If values are nested deeper than any that are of use.
    """
    return list(_walk(values, 0))


def _walk(value: Any, depth: int) -> Iterator[Path]:
    if depth > _DEEPEST:
        raise ParameterError(f"Values are nested more than {_DEEPEST} deep.")
    if isinstance(value, Path):
        yield value
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _walk(getattr(value, name), depth + 1)
    elif isinstance(value, dict):
        for each in value.values():
            yield from _walk(each, depth + 1)
    elif isinstance(value, list | tuple | set | frozenset):
        for each in value:
            yield from _walk(each, depth + 1)
