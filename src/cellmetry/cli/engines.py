"""`cellmetry engines`: what can find objects."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from cellmetry.cli.options import Json
from cellmetry.cli.recipe import parameter_table
from cellmetry.engines.base import ENGINES
from cellmetry.errors import MissingExtra

__all__ = ["engines"]


def engines(
    name: Annotated[str | None, typer.Argument(help="Engine whose options are shown; all engines if left out.")] = None,
    as_json: Json = False,
) -> None:
    """List the engines that are installed, or the options of one.

    Example: [bold]cellmetry engines classical[/bold]
    """
    if name is not None:
        engine = ENGINES.load(name)
        schema = engine.options_type.model_json_schema()
        if as_json:
            typer.echo(json.dumps(schema, indent=1))
        else:
            Console().print(f"{name}: {engine.summary}\n", highlight=False)
            Console().print(parameter_table(schema))
            models = engine.models()
            if models:
                Console().print(f"\nModels: {', '.join(models)}", highlight=False)
        return
    rows = [_row(known) for known in ENGINES.names()]
    if as_json:
        typer.echo(json.dumps(rows, indent=1))
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for heading in ("engine", "what it is", "models", "licence"):
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(row["engine"], row["summary"], ", ".join(row["models"]) or "none", row["licence"])
    Console().print(table)


def _row(name: str) -> dict[str, Any]:
    try:
        engine = ENGINES.load(name)
    except MissingExtra as error:
        return {"engine": name, "summary": str(error), "models": [], "licence": ""}
    return {"engine": name, "summary": engine.summary, "models": engine.models(), "licence": engine.licence}
