"""`cellmetry shading`: the flat-field of a microscope from many images, without a reference."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from cellmetry.cli.options import (
    Axes,
    Channel,
    Inputs,
    Json,
    Pattern,
    PixelSize,
    Rgb,
    RgbChoice,
    Roles,
    named_values,
    reading_of,
)
from cellmetry.cli.progress import terminal_progress
from cellmetry.core.parameters import parse_parameters
from cellmetry.errors import ParameterError
from cellmetry.io.atomic import atomic_write
from cellmetry.ops.shading import Shading, ShadingOptions, estimate_shading
from cellmetry.pipeline.shading import GatheredFields, gather_fields, open_fields, write_shading_image
from cellmetry.report.figures import figure_png
from cellmetry.report.shading import draw_shading

__all__ = ["shading"]


def shading(
    inputs: Inputs,
    out: Annotated[Path, typer.Option("--out", "-o", help="Flat-field image to write: .tif, 32-bit, of mean 1.")],
    channel: Channel = None,
    dark: Annotated[
        Path | None, typer.Option(help="Dark-field image to write too; it is estimated only if this is given.")
    ] = None,
    picture: Annotated[Path | None, typer.Option(help="Picture to write (.png): flat-field, before and after.")] = None,
    fields: Annotated[int, typer.Option(min=2, help="At most so many planes are used, evenly chosen.")] = 200,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="How it is estimated, as in smoothness=1 or working_px=256. Repeatable."),
    ] = None,
    pixel_size: PixelSize = None,
    axes: Axes = None,
    rgb: Rgb = RgbChoice.colour,
    pattern: Pattern = None,
    roles: Roles = None,
    as_json: Json = False,
) -> None:
    """Estimate how unevenly a microscope lights its field, from many images of it (BaSiC, Peng et al. 2017).

    Use 20 images or more of one objective and channel. The step flat_field of a recipe then corrects by the result.

    Example: [bold]cellmetry shading plate/ --channel DAPI --out flat.tif --picture shading.png[/bold]
    """
    _refuse_other_suffixes(out, dark, picture)
    options = _options(settings or [], with_dark=dark is not None)
    reading = reading_of(axes=axes, rgb=rgb, pixel_size_um=pixel_size, pattern=pattern, roles=roles)
    written = [path for path in (out, dark, picture) if path is not None]
    images = open_fields(inputs, reading, written)
    with terminal_progress(shown=not as_json) as progress:
        gathered = gather_fields(images, channel=channel, most=fields, side_px=options.working_px, progress=progress)
    found = estimate_shading(gathered.small, options)
    whole = found.enlarged(gathered.shape)
    write_shading_image(whole.flat, out, gathered)
    if dark is not None:
        write_shading_image(whole.dark, dark, gathered)
    if picture is not None:
        drawn = figure_png(draw_shading(gathered.small, found, gathered.shape, gathered.channel))
        with atomic_write(picture) as temporary:
            temporary.write_bytes(drawn)
    _say(whole, gathered, written, as_json=as_json)


def _options(settings: list[str], *, with_dark: bool) -> ShadingOptions:
    values: dict[str, Any] = {**named_values(settings)}
    if "dark_field" in values:
        raise ParameterError("The dark-field is estimated when its file is given with --dark; leave out dark_field.")
    return parse_parameters(ShadingOptions, values | {"dark_field": with_dark}, where="--set")


def _refuse_other_suffixes(out: Path, dark: Path | None, picture: Path | None) -> None:
    """Refuse files whose ending does not say what is written into them."""
    for path in (out, dark):
        if path is not None and path.suffix.lower() not in (".tif", ".tiff"):
            raise ParameterError(f"{path} must end in .tif: a flat-field or dark-field is a 32-bit image.")
    if picture is not None and picture.suffix.lower() != ".png":
        raise ParameterError(f"{picture} must end in .png.")


def _say(found: Shading, gathered: GatheredFields, written: list[Path], *, as_json: bool) -> None:
    low, high = float(found.flat.min()), float(found.flat.max())
    if as_json:
        report = {
            "written": [str(path) for path in written],
            "channel": gathered.channel,
            "fields": found.n_fields,
            "fields_available": gathered.available,
            "flat_min": low,
            "flat_max": high,
            "error": None if np.isnan(found.error) else found.error,
            "warnings": list(found.warnings),
        }
        typer.echo(json.dumps(report, indent=1))
        return
    for warning in found.warnings:
        typer.secho(f"warning: {warning}", fg="yellow", err=True)
    error = "" if np.isnan(found.error) else f"; error by chance about {found.error:.2%}"
    typer.echo(
        f"{found.n_fields} of {gathered.available} fields of {gathered.channel}: brightness from {low:.3f} to "
        f"{high:.3f} of the mean{error}."
    )
    typer.echo(f"Written: {', '.join(str(path) for path in written)}")
    typer.echo(f'Correct by it: step = "flat_field", flat = "{written[0]}" in a recipe.')
