"""`cellmetry segment`: images to label images."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from cellmetry.cli.options import (
    Axes,
    Inputs,
    Json,
    LabelChoice,
    LabelsAs,
    Out,
    Pattern,
    PixelSize,
    PixelSizeZ,
    Rgb,
    RgbChoice,
    Roles,
    Settings,
    Workers,
    reading_of,
)
from cellmetry.cli.outcome import report_outcome
from cellmetry.cli.progress import terminal_progress
from cellmetry.pipeline.batch import run as run_recipe
from cellmetry.pipeline.recipe import parse_recipe
from cellmetry.pipeline.work import Layout

__all__ = ["segment"]


def segment(
    inputs: Inputs,
    out: Out,
    engine: Annotated[str | None, typer.Option(help="Engine; `cellmetry engines` lists them.")] = None,
    model: Annotated[str | None, typer.Option(help="Model of the engine, by name or path.")] = None,
    channel: Annotated[str | None, typer.Option(help="Channel to look at, by name or index.")] = None,
    diameter_um: Annotated[float | None, typer.Option(help="Usual diameter of an object in µm.")] = None,
    diameter_px: Annotated[float | None, typer.Option(help="Usual diameter of an object in pixels.")] = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu or cuda.")] = None,
    pixel_size: PixelSize = None,
    pixel_size_z: PixelSizeZ = None,
    axes: Axes = None,
    rgb: Rgb = RgbChoice.colour,
    pattern: Pattern = None,
    roles: Roles = None,
    settings: Settings = None,
    labels_as: LabelsAs = LabelChoice.tif,
    workers: Workers = 1,
    as_json: Json = False,
) -> None:
    """Find objects in images and write a label image for each: STEM_labels.tif.

    Options left out take the defaults of the step `segment`, as in a recipe.

    Example: [bold]cellmetry segment images/ --out labels/ --engine classical --diameter-um 12[/bold]
    """
    given = {
        "engine": engine,
        "model": model,
        "channel": channel,
        "device": device,
        "diameter_um": diameter_um,
        "diameter_px": diameter_px,
    }
    step: dict[str, Any] = {"step": "segment"} | {name: value for name, value in given.items() if value is not None}
    recipe = parse_recipe({"name": "segment", "steps": [step]}, settings or (), where="segment")
    reading = reading_of(
        axes=axes,
        rgb=rgb,
        pixel_size_um=pixel_size,
        pixel_size_z_um=pixel_size_z,
        pattern=pattern,
        roles=roles,
    )
    layout = Layout(labels="", overlays=False, tables=False, form=labels_as.value)
    with terminal_progress(shown=not as_json) as progress:
        result = run_recipe(recipe, inputs, out, reading=reading, layout=layout, workers=workers, progress=progress)
    report_outcome(result, as_json=as_json)
