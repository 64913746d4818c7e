"""`cellmetry model check`: whether images are like those that a model has learnt from, before a batch."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, cast

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cellmetry.cli.options import Axes, Inputs, Json, Pattern, PixelSize, Rgb, RgbChoice, Settings, reading_of
from cellmetry.cli.progress import terminal_progress
from cellmetry.errors import ModelError
from cellmetry.pipeline.checking import check_images, choose_evenly, unfamiliar_batch
from cellmetry.pipeline.inputs import find_images
from cellmetry.pipeline.recipe import parse_recipe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cellmetry.engines.segment import Segment
    from cellmetry.pipeline.checking import CheckedImage

__all__ = ["check"]


def check(
    inputs: Inputs,
    model: Annotated[str | None, typer.Option(help="Model, by name or path; the default model if left out.")] = None,
    channel: Annotated[str | None, typer.Option(help="Channel to look at, by name or index.")] = None,
    most: Annotated[int, typer.Option(min=1, help="Look at no more images than this, evenly spread.")] = 12,
    diameter_um: Annotated[float | None, typer.Option(help="Usual diameter of an object in µm.")] = None,
    diameter_px: Annotated[float | None, typer.Option(help="Usual diameter of an object in pixels.")] = None,
    pixel_size: PixelSize = None,
    axes: Axes = None,
    rgb: Rgb = RgbChoice.colour,
    pattern: Pattern = None,
    settings: Settings = None,
    as_json: Json = False,
) -> None:
    """Check, before a batch, whether images are like those that a model has learnt from: usual is up to 1.

    Example: [bold]cellmetry model check plate/ --model base[/bold]
    """
    given = {"model": model, "channel": channel, "diameter_um": diameter_um, "diameter_px": diameter_px}
    values = {"step": "segment", "engine": "cellmetry"} | {k: v for k, v in given.items() if v is not None}
    recipe = parse_recipe({"name": "check", "steps": [values]}, settings or (), where="check")
    step = cast("Segment", recipe.steps[0])
    found = find_images(inputs, reading_of(axes=axes, rgb=rgb, pixel_size_um=pixel_size, pattern=pattern)).images
    with terminal_progress(shown=not as_json) as progress:
        checked = check_images(step, choose_evenly(found, most), progress=progress)
    if not checked:
        raise ModelError(
            "This model does not say what it has learnt from, so nothing can be told about these images; models "
            "trained with `cellmetry train` on four images or more do."
        )
    if as_json:
        typer.echo(json.dumps([each._asdict() for each in checked], indent=1))
        return
    _print(checked, len(found), unfamiliar_batch(step, checked))


def _print(checked: Sequence[CheckedImage], total: int, warning: str) -> None:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for heading in ("image", "unfamiliarity", ""):
        table.add_column(heading, overflow="fold")
    for each in checked:
        score = "" if each.unfamiliarity is None else f"{each.unfamiliarity:.2f}"
        verdict = each.problem or ("unlike what the model has learnt from" if each.unfamiliar else "as usual")
        table.add_row(Text(each.image), score, Text(verdict, style="yellow" if verdict != "as usual" else ""))
    console = Console()
    console.print(table)
    strange = sum(each.unfamiliar for each in checked)
    looked = f"{len(checked)} of {total} images looked at" if len(checked) < total else f"{total} images looked at"
    console.print(Text(f"{looked}: {strange} unfamiliar."), soft_wrap=True)
    if warning:
        console.print(Text(warning, style="yellow"), soft_wrap=True)
