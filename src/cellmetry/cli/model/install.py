"""`cellmetry model install`: a model into the user's folder, so that its name finds it."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from cellmetry.cli.options import Json
from cellmetry.models.store import find_model
from cellmetry.models.versions import install_model

__all__ = ["install"]


def install(
    model: Annotated[str, typer.Argument(help="Folder of the model, or path of its weights or card.")],
    name: Annotated[str | None, typer.Option(help="Name for the copy; the model's own if left out.")] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Replace another model of that name.")] = False,
    as_json: Json = False,
) -> None:
    """Copy a model into your folder of models, where `--model NAME` finds it.

    Example: [bold]cellmetry model install models/mine --name neurons[/bold]
    """
    copy = install_model(find_model(model), name, replace=replace)
    if as_json:
        card = copy.card
        found = {"model": card.name, "version": card.version, "path": str(copy.path), "sha256": card.sha256}
        typer.echo(json.dumps(found))
    else:
        typer.echo(f"Use it with --model {copy.card.name}. It lies at {copy.path}.")
