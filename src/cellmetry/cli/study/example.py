"""`cellmetry study example`: a generated EdU study to try everything on, with the truth beside it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from cellmetry.cli.options import Json
from cellmetry.cli.progress import terminal_progress
from cellmetry.learn.generate.edu import IMAGES, PATTERN, PLATE_MAP, ROLES, EduOptions, write_edu_study
from cellmetry.pipeline.study.example import example_study

__all__ = ["example"]


def example(
    out: Annotated[Path, typer.Argument(help="New folder for the images, the plate map and the truth.")],
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same study.")] = 0,
    small: Annotated[
        bool, typer.Option("--small", help="One field of 320 × 320 pixels a well in place of two of 512 × 512.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Make an EdU study of six conditions on three days: phase contrast, EdU and TO-PRO-3, with all that is true.

    Example: [bold]cellmetry study example edu-example[/bold]
    """
    options = EduOptions(seed=seed, shape=(320, 320), cells=25, fields=1) if small else EduOptions(seed=seed)
    with terminal_progress(shown=not as_json) as progress:
        images = write_edu_study(out, options, progress=progress)
    study = example_study(out)
    if as_json:
        typer.echo(json.dumps({"images": list(images), "pattern": PATTERN, "roles": ROLES, "study": str(study.folder)}))
        return
    console = Console(soft_wrap=True, highlight=False, markup=False)
    console.print(f"{len(images)} fields of three channels: {out / IMAGES}; conditions: {out / PLATE_MAP}")
    console.print(f"Go on with: cellmetry study run {study.folder}")
