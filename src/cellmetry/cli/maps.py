"""`cellmetry maps`: what a network says of every pixel, as images."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from cellmetry.cli.options import (
    Axes,
    Channel,
    Device,
    DiameterPx,
    DiameterUm,
    Inputs,
    Json,
    Model,
    Out,
    Pattern,
    PixelSize,
    PixelSizeZ,
    Rgb,
    RgbChoice,
    Roles,
    Settings,
    Workers,
    given,
    reading_of,
)
from cellmetry.cli.outcome import report_outcome
from cellmetry.cli.progress import terminal_progress
from cellmetry.pipeline.batch import run as run_recipe
from cellmetry.pipeline.recipe import parse_recipe
from cellmetry.pipeline.work import Layout

__all__ = ["maps"]


def maps(
    inputs: Inputs,
    out: Out,
    heads: Annotated[
        list[str] | None,
        typer.Option("--map", help="foreground, flow, density or boundary; all of the model if left out. Repeatable."),
    ] = None,
    model: Model = None,
    channel: Channel = None,
    diameter_um: DiameterUm = None,
    diameter_px: DiameterPx = None,
    device: Device = None,
    pixel_size: PixelSize = None,
    pixel_size_z: PixelSizeZ = None,
    axes: Axes = None,
    rgb: Rgb = RgbChoice.colour,
    pattern: Pattern = None,
    roles: Roles = None,
    settings: Settings = None,
    workers: Workers = 1,
    as_json: Json = False,
) -> None:
    """Write a network's maps of images: STEM_foreground.tif (probability of a cell), STEM_density.tif, ….

    Works with any model, also one that cannot label cells. Values are 32-bit floats, never pictures.

    Example: [bold]cellmetry maps images/ --out maps/ --map foreground[/bold]
    """
    step: dict[str, Any] = {"step": "maps"} | given(
        model=model, channel=channel, device=device, diameter_um=diameter_um, diameter_px=diameter_px, heads=heads
    )
    recipe = parse_recipe({"name": "maps", "steps": [step]}, settings or (), where="maps")
    reading = reading_of(
        axes=axes,
        rgb=rgb,
        pixel_size_um=pixel_size,
        pixel_size_z_um=pixel_size_z,
        pattern=pattern,
        roles=roles,
    )
    layout = Layout(maps="", overlays=False, tables=False)
    with terminal_progress(shown=not as_json) as progress:
        result = run_recipe(recipe, inputs, out, reading=reading, layout=layout, workers=workers, progress=progress)
    report_outcome(result, as_json=as_json)
