"""`cellmetry fiji`: a folder with which Fiji checks the numbers of a run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from cellmetry.cli.options import Json
from cellmetry.cli.progress import terminal_progress
from cellmetry.pipeline.fiji_check import MACRO, FijiOptions, fiji_check

__all__ = ["fiji"]


def fiji(
    run: Annotated[Path, typer.Argument(help="Folder of a finished run, or of a study.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder to write.")],
    channel: Annotated[
        str | None,
        typer.Option(help="Channel that Fiji measures, by name or index; the table's only one if not given."),
    ] = None,
    table: Annotated[str, typer.Option(help="Table of the run whose numbers are checked.")] = "cells",
    images: Annotated[
        list[str] | None, typer.Option("--image", help="Name of an image to check; all if not given. Repeatable.")
    ] = None,
    originals: Annotated[
        bool, typer.Option("--originals", help="Let Fiji open the image files where they are, instead of copies.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Write outlines, images and a macro with which Fiji measures a run again and compares the numbers.

    Example: [bold]cellmetry fiji results/ --channel EdU --out fiji/[/bold]
    """
    options = FijiOptions(table=table, channel=channel, images=tuple(images or ()), originals=originals)
    with terminal_progress(shown=not as_json) as progress:
        done = fiji_check(run, out, options, progress=progress)
    if as_json:
        said = {"out": str(done.folder), "images": done.images, "objects": done.objects, "notes": list(done.notes)}
        typer.echo(json.dumps(said, indent=1))
        return
    console = Console(soft_wrap=True, highlight=False)
    for sentence in done.notes:
        console.print(Text(f"note: {sentence}", style="yellow"))
    console.print(
        Text(f"{done.objects} objects of {done.images} images. In Fiji: Plugins > Macros > Run..., and choose")
    )
    console.print(Text(str(done.folder / MACRO)))
