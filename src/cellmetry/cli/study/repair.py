"""`cellmetry study repair`: damage made good from what else is known."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from cellmetry.cli.options import Json
from cellmetry.cli.study.store import open_existing, say_notices
from cellmetry.cli.study.verify import EXIT_DAMAGED, say_findings
from cellmetry.study.store.acts import Actor
from cellmetry.study.store.lock import user_name
from cellmetry.study.store.repairing import repair as mend
from cellmetry.study.store.verifying import verify

__all__ = ["repair"]


def repair(study: Annotated[Path, typer.Argument(help="Folder NAME.cellmetry/.")], as_json: Json = False) -> None:
    """Make damaged labels and lines of the log whole, from the other checkpoint, the log and the database's copy.

    Nothing is made up: what cannot be known stays damaged and is named; the exit code is 2 then.

    Example: [bold]cellmetry study repair edu.cellmetry/[/bold]
    """
    console = Console(soft_wrap=True, highlight=False)
    with open_existing(study, "cellmetry study repair") as store:
        told = mend(store, Actor(user_name(), "cli"))
        left = verify(store)
        if as_json:
            findings = [each._asdict() for each in left]
            typer.echo(json.dumps({"notices": list(store.notices), "done": told, "findings": findings}, indent=1))
        else:
            say_notices(store, console)
            for line in told:
                console.print(Text(line))
            say_findings(left, console)
    if any(each.severity == "error" for each in left):
        raise typer.Exit(EXIT_DAMAGED)
