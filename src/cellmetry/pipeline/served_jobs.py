"""What a job that comes over the network may not ask for: files of the server's computer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cellmetry.errors import ParameterError
from cellmetry.pipeline.recipe import shipped_recipes
from cellmetry.pipeline.served_recipes import is_path, named_recipe, paths_in, recipe_of_text
from cellmetry.study.store.recipes import find_recipe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cellmetry.pipeline.jobs.kind import JobKind
    from cellmetry.study.store.store import Store

__all__ = ["refuse_job_paths"]


def refuse_job_paths(store: Store, wanted: JobKind) -> None:
    """Refuse a job whose parameters, or whose recipe with its changes, name files of the server's computer.

    Raises
    ------
    ParameterError
        If they do, or the recipe is wrong.
    """
    paths = paths_in(wanted)
    model = getattr(wanted, "model", None)
    if isinstance(model, str) and is_path(model):
        raise ParameterError(f"The model {model!r} is a path; over the network a model is given by its name or id.")
    if paths:
        raise ParameterError(f"The job names {paths[0]}, a file of the server's computer; give ids of the study.")
    changes: Sequence[str] = getattr(wanted, "set", None) or ()
    text, name = getattr(wanted, "recipe_text", None), getattr(wanted, "recipe", None)
    if isinstance(text, str) and text:
        recipe_of_text(text, changes)
    elif isinstance(name, str) and name:
        _check_named(store, name, changes)


def _check_named(store: Store, name: str, changes: Sequence[str]) -> None:
    kept = find_recipe(store, name)
    if kept is not None:
        recipe_of_text(kept.text, changes, where=f"recipe {kept.name}")
    elif name in shipped_recipes() or is_path(name):
        named_recipe(name, changes)
