"""`cellmetry model use`: back to an earlier version of a model, or forth."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from cellmetry.cli.options import Json
from cellmetry.models.versions import locate_versions, use_version

__all__ = ["use"]


def use(
    path: Annotated[Path, typer.Argument(help="Folder of the model, as `cellmetry train --out` made it.")],
    version: Annotated[int, typer.Option(help="Number of the version; `cellmetry model list PATH` shows them.")],
    as_json: Json = False,
) -> None:
    """Take a version of a model into use, to go back after a training that made it worse; no version is lost.

    Example: [bold]cellmetry model use models/mine --version 2[/bold]
    """
    folder, name = locate_versions(path)
    model = use_version(folder, name, version)
    if as_json:
        card = model.card
        typer.echo(json.dumps({"model": name, "version": card.version, "path": str(model.path), "sha256": card.sha256}))
    else:
        typer.echo(f"{model.path} is version {version} now.")
