"""`cellmetry shifts`: by how much channels lie off each other, from an image of beads."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Annotated

import tomli_w
import typer
from rich.console import Console
from rich.table import Table

from cellmetry.cli.options import (
    Axes,
    Json,
    PixelSize,
    Rgb,
    RgbChoice,
    Roles,
    named_values,
    reading_of,
)
from cellmetry.core.parameters import parse_parameters
from cellmetry.errors import ParameterError
from cellmetry.io.atomic import atomic_write
from cellmetry.ops.chromatic import MeasuredChannel, ShiftOptions, measure_channel_shifts

__all__ = ["shifts"]

_MUCH_PX = 0.5


def shifts(
    image: Annotated[Path, typer.Argument(help="Calibration image: beads that shine in all channels.")],
    reference: Annotated[str, typer.Option(help="Channel that stays, by name or index.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Recipe to write (.toml): the step align_channels.")],
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="How they are measured, as in largest_px=20 or parts=4. Repeatable."),
    ] = None,
    pixel_size: PixelSize = None,
    axes: Axes = None,
    rgb: Rgb = RgbChoice.colour,
    roles: Roles = None,
    as_json: Json = False,
) -> None:
    """Measure by how much each channel lies off a reference, and write the step that moves them back.

    Example: [bold]cellmetry shifts beads.tif --reference DAPI --out shifts.toml[/bold]
    """
    if out.suffix.lower() != ".toml":
        raise ParameterError(f"{out} must end in .toml: what is written is a step of a recipe.")
    options = parse_parameters(ShiftOptions, named_values(settings or []), where="--set")
    opened = reading_of(axes=axes, rgb=rgb, pixel_size_um=pixel_size, roles=roles).open(image)
    found = measure_channel_shifts(opened, reference, options)
    name = opened.channel_names[opened.channel_index(reference)]
    with atomic_write(out) as temporary:
        temporary.write_text(_recipe_text(opened.name, name, found), encoding="utf-8", newline="\n")
    if as_json:
        typer.echo(json.dumps({"out": str(out), "reference": name, "channels": [_values(each) for each in found]}))
        return
    _say(found, name, out)


def _recipe_text(image: str, reference: str, found: list[MeasuredChannel]) -> str:
    """Return the step as TOML, with what was measured as comments."""
    lines = [f"# Shifts against {reference}, measured on {image}; paste the step into a recipe before what measures."]
    lines += [
        f"# {each.channel}: sharpness {each.shift.sharpness:.1f}, "
        f"residual {each.residual_px:.2f} px ({each.parts} parts)"
        for each in found
    ]
    given = [
        {"channel": each.channel, "y_px": round(each.shift.y, 3), "x_px": round(each.shift.x, 3)} for each in found
    ]
    step = {"step": "align_channels", "reference": reference, "method": "given", "shifts": given}
    return "\n".join(line.replace("\n", " ") for line in lines) + "\n" + tomli_w.dumps({"steps": [step]})


def _values(each: MeasuredChannel) -> dict[str, object]:
    return {
        "channel": each.channel,
        "y_px": each.shift.y,
        "x_px": each.shift.x,
        "sharpness": each.shift.sharpness,
        "residual_px": None if math.isnan(each.residual_px) else each.residual_px,
        "parts": each.parts,
    }


def _say(found: list[MeasuredChannel], reference: str, out: Path) -> None:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for heading in ("channel", "down (px)", "right (px)", "sharpness", "residual (px)", "parts"):
        table.add_column(heading, justify="left" if heading == "channel" else "right")
    for each in found:
        shift = each.shift
        table.add_row(
            each.channel,
            f"{shift.y:.2f}",
            f"{shift.x:.2f}",
            f"{shift.sharpness:.1f}",
            f"{each.residual_px:.2f}",
            str(each.parts),
        )
    console = Console(soft_wrap=True, highlight=False)
    console.print(f"By how much each channel must move to lie on {reference}:")
    console.print(table)
    for each in found:
        if each.residual_px >= _MUCH_PX:
            typer.secho(
                f"warning: parts of {each.channel} differ by {each.residual_px:.2f} px from the shift of the whole: "
                f"the channels also differ in size or direction, which a shift does not mend.",
                fg="yellow",
                err=True,
            )
    typer.echo(f"Written: {out}")
