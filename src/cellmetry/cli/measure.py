"""`cellmetry measure`: an image and its labels to a table."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from cellmetry.cli.options import (
    Axes,
    Json,
    PixelSize,
    PixelSizeZ,
    Rgb,
    RgbChoice,
    Roles,
    Settings,
    reading_of,
)
from cellmetry.cli.progress import terminal_progress
from cellmetry.core.sample import Sample
from cellmetry.errors import ParameterError
from cellmetry.io.labels import read_labels
from cellmetry.io.pixel_checks import check_pixels
from cellmetry.io.tables import write_table
from cellmetry.measure.columns import describe_columns
from cellmetry.ops.label_checks import label_problems
from cellmetry.pipeline.recipe import parse_recipe

__all__ = ["measure"]


def measure(
    image: Annotated[Path, typer.Option(help="Image whose intensities are measured.")],
    labels: Annotated[Path, typer.Option(help="Label image of the same size.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Table to write: .csv or .parquet.")],
    settings: Settings = None,
    pixel_size: PixelSize = None,
    pixel_size_z: PixelSizeZ = None,
    axes: Axes = None,
    rgb: Rgb = RgbChoice.colour,
    roles: Roles = None,
    as_json: Json = False,
) -> None:
    """Measure every object of a label image: size, shape, intensities of all channels, neighbours.

    Example: [bold]cellmetry measure --image field.tif --labels field_labels.tif --out cells.csv[/bold]
    """
    if out.suffix.lower() not in (".csv", ".parquet"):
        raise ParameterError(f"{out} must end in .csv or .parquet.")
    recipe = parse_recipe({"name": "measure", "steps": [{"step": "measure"}]}, settings or (), where="measure")
    opened = reading_of(axes=axes, rgb=rgb, pixel_size_um=pixel_size, pixel_size_z_um=pixel_size_z, roles=roles).open(
        image
    )
    label_axes = opened.axes.replace("C", "")
    sample = Sample(opened, {"cells": read_labels(labels, axes=label_axes if len(label_axes) > 2 else None)})
    warnings = [*opened.warnings, *check_pixels(opened), *label_problems(sample.labels["cells"])]
    with terminal_progress() as progress:
        measured = recipe.apply(sample, progress)
    [table] = measured.tables.values()
    warnings += measured.warnings
    write_table(table, out, describe_columns(table))
    if as_json:
        report = {"out": str(out), "objects": len(table), "columns": list(table.columns), "warnings": warnings}
        typer.echo(json.dumps(report, indent=1))
        return
    for warning in warnings:
        typer.secho(f"warning: {warning}", fg="yellow", err=True)
    typer.echo(f"{len(table)} objects measured, {len(table.columns)} columns: {out}")
