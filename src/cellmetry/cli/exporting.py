"""`cellmetry export`: labels in the formats of other programs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from cellmetry.cli.options import Json, named_values
from cellmetry.export.formats import FORMATS
from cellmetry.pipeline.exchanging import export_labels

__all__ = ["export"]


def export(
    labels: Annotated[Path, typer.Argument(help="Label image.")],
    to: Annotated[str, typer.Option(help=f"Format: {', '.join(FORMATS.builtin)}.", metavar="FORMAT")],
    out: Annotated[Path, typer.Option("--out", "-o", help="File to write.")],
    table: Annotated[
        Path | None, typer.Option(help="Table of the objects, whose numbers go along: cells.csv or cells.parquet.")
    ] = None,
    class_column: Annotated[str, typer.Option(help="Column of the table that holds the class of each object.")] = "",
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="Option of the format, as in object_type=detection. Repeatable.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Write labels for Fiji (rois), QuPath (geojson), Cellpose (seg-npy), as COCO JSON or as a table (csv).

    Example: [bold]cellmetry export labels/a_labels.tif --to rois --out a_RoiSet.zip[/bold]
    """
    done = export_labels(labels, out, to, table=table, class_column=class_column, options=named_values(settings or []))
    if as_json:
        typer.echo(json.dumps({"out": str(done.path), "format": done.format, "notes": list(done.notes)}, indent=1))
        return
    console = Console(soft_wrap=True, highlight=False)
    for sentence in done.notes:
        console.print(Text(f"note: {sentence}", style="yellow"))
    console.print(Text(f"Written: {done.path}"))
