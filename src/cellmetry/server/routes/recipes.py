"""Recipes: the shipped ones, and those that a study keeps."""

from __future__ import annotations

import tomllib
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from pydantic import Field

from cellmetry.core.step import Parameters
from cellmetry.errors import ParameterError, UnknownName
from cellmetry.pipeline.recipe import Recipe, load_recipe, parse_recipe, recipe_text, shipped_recipes
from cellmetry.pipeline.served_recipes import named_recipe, recipe_of_text, refuse_engine_paths
from cellmetry.pipeline.stored.recipes import recipe_of_text as stored_recipe
from cellmetry.server.bodies import ActDone, Word
from cellmetry.server.dependencies import ActorDep, EditStudy, Id, ReadStudy
from cellmetry.study.store.recipes import StoredRecipe, add_recipe, hide_recipe, recipe, recipes

__all__ = ["router"]

router = APIRouter(tags=["recipes"])

Name = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f]+$")]
Text = Annotated[str, Field(min_length=1, max_length=200_000)]
Change = Annotated[str, Field(min_length=3, max_length=1000)]
Form = Annotated[Literal["json", "toml"], Query(description="JSON, or the TOML text as a file has it.")]


_FORMS: dict[int | str, dict[str, Any]] = {
    200: {"description": "The recipe.", "content": {"application/toml": {"schema": {"type": "string"}}}}
}


class RecipeView(Parameters):
    """A recipe: `text` is its TOML with every parameter stated; `id` is empty for a shipped one."""

    id: str = ""
    name: str
    description: str
    sha256: str
    """Hash of the steps and all their parameters: what a run's record calls it by."""
    steps: tuple[dict[str, Any], ...]
    text: str


class NewRecipe(Parameters):
    """A recipe to keep."""

    name: Name
    text: Text
    """TOML, as in a recipe file."""


class RecipeToCheck(Parameters):
    """A recipe to look at: a shipped one by its name, or text; with changes."""

    recipe: Name | None = None
    text: Text | None = None
    set: tuple[Change, ...] = Field(default=(), max_length=100)
    """Changes as in ``segment.diameter_um=12``."""


@router.get("/recipes")
def list_shipped() -> list[RecipeView]:
    """Return the recipes that come with Cellmetry."""
    return [_view(load_recipe(name)) for name in shipped_recipes()]


@router.get("/recipes/{name}", responses=_FORMS, response_model=RecipeView)
def get_shipped(name: Word, form: Form = "json") -> Any:
    """Return a shipped recipe, every parameter stated."""
    if name not in shipped_recipes():
        raise UnknownName("shipped recipe", name, shipped_recipes())
    return _shown(_view(load_recipe(name)), form)


@router.post("/recipes/check")
def check_recipe(body: RecipeToCheck) -> RecipeView:
    """Return a recipe with changes made, if it is right; the error of a wrong one names the nearest right word."""
    if (body.recipe is None) == (body.text is None):
        raise ParameterError("Give either the name of a shipped recipe, or a text.")
    if body.text is not None:
        return _view(recipe_of_text(body.text, body.set))
    return _view(named_recipe(str(body.recipe), body.set))


@router.get("/studies/{study}/recipes")
def list_recipes(store: ReadStudy) -> list[RecipeView]:
    """Return the recipes that a study keeps, the oldest first."""
    return [_stored(each) for each in recipes(store)]


@router.post("/studies/{study}/recipes", status_code=201)
def keep_recipe(store: EditStudy, actor: ActorDep, body: NewRecipe) -> RecipeView:
    """Keep a recipe after checking it; it hides an older one of the same name."""
    refuse_engine_paths(stored_recipe(store, body.text, name=f"recipe {body.name}"))
    return _stored(recipe(store, add_recipe(store, actor, body.name, body.text)))


@router.get("/studies/{study}/recipes/{recipe_id}", responses=_FORMS, response_model=RecipeView)
def get_recipe(store: ReadStudy, recipe_id: Id, form: Form = "json") -> Any:
    """Return a recipe of the study, also a hidden one."""
    return _shown(_stored(recipe(store, recipe_id)), form)


@router.delete("/studies/{study}/recipes/{recipe_id}")
def remove_recipe(store: EditStudy, actor: ActorDep, recipe_id: Id) -> ActDone:
    """Hide a recipe; undoing the act brings it back."""
    return ActDone(act=hide_recipe(store, actor, recipe_id))


def _stored(kept: StoredRecipe) -> RecipeView:
    found = _view(parse_recipe(tomllib.loads(kept.text), where=f"recipe {kept.name}"))
    return found.model_copy(update={"id": kept.id, "name": kept.name, "text": kept.text})


def _view(found: Recipe) -> RecipeView:
    steps = tuple({"step": step.name, **step.model_dump(mode="json", exclude_none=True)} for step in found.steps)
    return RecipeView(
        name=found.name, description=found.description, sha256=found.hash, steps=steps, text=recipe_text(found)
    )


def _shown(view: RecipeView, form: Literal["json", "toml"]) -> RecipeView | Response:
    return view if form == "json" else Response(view.text, media_type="application/toml")
