"""`cellmetry segment`: images to label images."""

from __future__ import annotations

from typing import Any

from cellmetry.cli.options import (
    Axes,
    Channel,
    Device,
    DiameterPx,
    DiameterUm,
    Engine,
    Inputs,
    Json,
    LabelChoice,
    LabelsAs,
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

__all__ = ["segment"]


def segment(
    inputs: Inputs,
    out: Out,
    engine: Engine = None,
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
    labels_as: LabelsAs = LabelChoice.tif,
    workers: Workers = 1,
    as_json: Json = False,
) -> None:
    """Find objects in images and write a label image for each: STEM_labels.tif.

    Options left out take the defaults of the step `segment`, as in a recipe.

    Example: [bold]cellmetry segment images/ --out labels/ --channel DAPI[/bold]
    """
    step: dict[str, Any] = {"step": "segment"} | given(
        engine=engine, model=model, channel=channel, device=device, diameter_um=diameter_um, diameter_px=diameter_px
    )
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
