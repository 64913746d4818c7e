"""`cellmetry run`: a recipe over images, with tables, pictures and a record."""

from __future__ import annotations

from typing import Annotated

import typer

from cellmetry.cli.options import (
    Axes,
    DetectorBits,
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
from cellmetry.pipeline.recipe import load_recipe
from cellmetry.pipeline.work import Layout

__all__ = ["run"]


def run(
    recipe: Annotated[str, typer.Argument(help="Recipe file (.toml), or the name of a shipped one.")],
    inputs: Inputs,
    out: Out,
    settings: Settings = None,
    pixel_size: PixelSize = None,
    pixel_size_z: PixelSizeZ = None,
    detector_bits: DetectorBits = None,
    axes: Axes = None,
    rgb: Rgb = RgbChoice.colour,
    pattern: Pattern = None,
    roles: Roles = None,
    labels_as: LabelsAs = LabelChoice.tif,
    workers: Workers = 1,
    as_json: Json = False,
) -> None:
    """Apply a recipe to every image; write labels, tables, overlays and the record of the run.

    A second run into the same folder does only what is missing or changed.

    Example: [bold]cellmetry run nuclei images/ --out results/ --set segment.diameter_um=12[/bold]
    """
    loaded = load_recipe(recipe, settings or ())
    reading = reading_of(
        axes=axes,
        rgb=rgb,
        pixel_size_um=pixel_size,
        pixel_size_z_um=pixel_size_z,
        pattern=pattern,
        roles=roles,
        detector_bits=detector_bits,
    )
    layout = Layout(form=labels_as.value)
    with terminal_progress(shown=not as_json) as progress:
        result = run_recipe(loaded, inputs, out, reading=reading, layout=layout, workers=workers, progress=progress)
    report_outcome(result, as_json=as_json)
