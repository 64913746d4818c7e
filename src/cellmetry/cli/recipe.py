"""`cellmetry recipe`: list, show, check and try recipes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from cellmetry.cli.options import Json, Settings
from cellmetry.cli.preview import preview
from cellmetry.pipeline.recipe import STEPS, load_recipe, recipe_text, shipped_recipes

__all__ = ["recipe_app"]

recipe_app = typer.Typer(
    help="List, show, check and try recipes: ordered steps with their parameters.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)

recipe_app.command()(preview)

Source = Annotated[str, typer.Argument(help="Recipe file (.toml), or the name of a shipped one.")]


@recipe_app.command("list")
def list_recipes() -> None:
    """List the recipes that come with Cellmetry.

    Example: [bold]cellmetry recipe list[/bold]
    """
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("recipe")
    table.add_column("what for")
    for name in shipped_recipes():
        table.add_row(name, load_recipe(name).description)
    Console().print(table)


@recipe_app.command()
def show(source: Source, settings: Settings = None) -> None:
    """Print a recipe as TOML with every parameter stated; save it to a file to start your own.

    Example: [bold]cellmetry recipe show nuclei > mine.toml[/bold]
    """
    typer.echo(recipe_text(load_recipe(source, settings or ())))


@recipe_app.command()
def check(source: Source, settings: Settings = None, as_json: Json = False) -> None:
    """Check a recipe: names unknown steps and parameters with the nearest right word.

    Example: [bold]cellmetry recipe check mine.toml[/bold]
    """
    recipe = load_recipe(source, settings or ())
    recipe.files_read()
    for step in recipe.steps:
        load = getattr(step, "load_engine", None)
        if load is not None:
            load()
    steps = [step.name for step in recipe.steps]
    if as_json:
        typer.echo(json.dumps({"name": recipe.name, "sha256": recipe.hash, "steps": steps}))
    else:
        typer.echo(f"{Path(source).name} is right: {' → '.join(steps)}. Its hash is {recipe.hash[:12]}.")


@recipe_app.command()
def steps(
    name: Annotated[str | None, typer.Argument(help="Step whose parameters are shown; all steps if left out.")] = None,
) -> None:
    """List the steps that a recipe can have, or the parameters of one.

    Example: [bold]cellmetry recipe steps segment[/bold]
    """
    if name is None:
        for known in STEPS.names():
            typer.echo(f"{known}: {(STEPS.load(known).__doc__ or '').strip().splitlines()[0]}")
        return
    Console().print(parameter_table(STEPS.load(name).model_json_schema()))


def parameter_table(schema: dict[str, object]) -> Table:
    """Return the parameters of a schema as a table: name, default, description."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    for heading in ("parameter", "default", "what it does"):
        table.add_column(heading, overflow="fold")
    properties = schema.get("properties", {})
    assert isinstance(properties, dict)  # noqa: S101  JSON schema of an object
    for parameter, field in properties.items():
        default = field.get("default", "")
        table.add_row(parameter, json.dumps(default) if default != "" else "", field.get("description", ""))
    return table
