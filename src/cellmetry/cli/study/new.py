"""`cellmetry study new`: a study's folder, with what file names tell filled in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.text import Text

from cellmetry.report.style import FigureStyle
from cellmetry.study.making import SHEET_FILE, new_study

if TYPE_CHECKING:
    from cellmetry.study.making import NewStudy

__all__ = ["new"]


def new(
    images: Annotated[Path, typer.Argument(help="Folder of the images, with sub-folders; nothing is written there.")],
    name: Annotated[str | None, typer.Option(help="Name of the study; that of the folder if left out.")] = None,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder in which NAME.cellmetry/ is made.")] = Path(),
) -> None:
    """Look at a folder of images and make a study: a file that says all there is to say, and a sheet to fill in.

    Conditions and replicates are never guessed. A study that is there is never written over.

    Example: [bold]cellmetry study new plate1/ --name edu[/bold]
    """
    style = FigureStyle().model_dump(mode="json")
    _say(new_study(images, out, name, style=style, kinds={"style": FigureStyle}))


def _say(made: NewStudy) -> None:
    console = Console(soft_wrap=True, highlight=False)
    proposal, study = made.proposal, made.study
    for line in proposal.said:
        console.print(Text(line))
    console.print(Text(f"Pattern: {proposal.pattern or 'none; each file is an image'}", style="bold"))
    for pattern, words in proposal.alternatives:
        console.print(Text(f"Or: {pattern} ({words})"))
    for line in proposal.doubts:
        console.print(Text(f"not known: {line}", style="yellow"))
    console.print(Text(f"Made {study.path} and {SHEET_FILE} with {made.n_rows} rows."))
    console.print(
        Text(f"Next: fill in condition and replicate in {SHEET_FILE}, then `cellmetry study design {study.folder}`.")
    )
