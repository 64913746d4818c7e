"""`cellmetry study verify`: whether all that a study holds is what was written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.text import Text

from cellmetry.cli.options import Json
from cellmetry.cli.outcome import EXIT_SOME_FAILED
from cellmetry.cli.study.store import open_existing, say_notices
from cellmetry.study.store.verifying import verify as find

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cellmetry.study.store.verifying import Finding

__all__ = ["EXIT_DAMAGED", "say_findings", "verify"]

EXIT_DAMAGED = 2
"""Work of the study is damaged."""
_STYLES = {"error": "red", "warning": "yellow", "note": ""}


def verify(
    study: Annotated[Path, typer.Argument(help="Folder NAME.cellmetry/.")],
    thorough: Annotated[
        bool, typer.Option("--thorough", help="Also replay all edits, and read all originals.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Check the database, labels, log of edits, originals and results of a study against their checksums.

    The exit code is 0 if all is well, 2 if something is damaged, 3 if only originals or the like are missing. A
    database that is damaged is replaced by its copy when the study is opened, which is said.

    Example: [bold]cellmetry study verify edu.cellmetry/ --thorough[/bold]
    """
    console = Console(soft_wrap=True, highlight=False)
    with open_existing(study, "cellmetry study verify") as store:
        found = find(store, thorough=thorough)
        if as_json:
            said = {"notices": list(store.notices), "findings": [each._asdict() for each in found]}
            typer.echo(json.dumps(said, indent=1))
        else:
            say_notices(store, console)
            say_findings(found, console)
    severities = {each.severity for each in found}
    if "error" in severities:
        raise typer.Exit(EXIT_DAMAGED)
    if "warning" in severities:
        raise typer.Exit(EXIT_SOME_FAILED)


def say_findings(found: Sequence[Finding], console: Console) -> None:
    """Print what is wrong, or that nothing is."""
    for each in found:
        console.print(Text(f"{each.severity}: {each.text}", style=_STYLES[each.severity]))
    if not found:
        console.print(Text("All that was written is there and whole."))
