"""`cellmetry study relink`: originals that were moved, found by their content."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from cellmetry.cli.job.opening import actor
from cellmetry.cli.options import Json
from cellmetry.cli.outcome import EXIT_SOME_FAILED
from cellmetry.cli.study.store import open_existing, say_notices
from cellmetry.errors import MissingInput
from cellmetry.study.store.originals import find_moved, missing_originals

__all__ = ["relink"]


def relink(
    study: Annotated[Path, typer.Argument(help="Folder NAME.cellmetry/.")],
    folders: Annotated[list[Path], typer.Argument(help="Where the images are now, with sub-folders.")],
    as_json: Json = False,
) -> None:
    """Find originals that are not where they were, by their content: names do not matter.

    The exit code is 3 if some are still missing.

    Example: [bold]cellmetry study relink edu.cellmetry/ /data/moved[/bold]
    """
    for folder in folders:
        if not folder.is_dir():
            raise MissingInput(f"There is no folder {folder}; give the folder of the images.")
    console = Console(soft_wrap=True, highlight=False)
    with open_existing(study, "cellmetry study relink") as store:
        store.must_be_writable()
        found, unreadable = find_moved(store, actor(), folders)
        missing = [file.name for file in missing_originals(store)]
        if as_json:
            said = {"found": [file.name for file in found], "missing": missing, "unreadable": unreadable}
            typer.echo(json.dumps(said, indent=1))
        else:
            say_notices(store, console)
            for file in found:
                console.print(Text(f"found: {file.name}"))
            for name in missing:
                console.print(Text(f"still missing: {name}", style="yellow"))
            if unreadable:
                console.print(Text(f"could not be read and were passed over: {unreadable}", style="yellow"))
            if not (found or missing):
                console.print(Text("No original is missing."))
    if missing:
        raise typer.Exit(EXIT_SOME_FAILED)
