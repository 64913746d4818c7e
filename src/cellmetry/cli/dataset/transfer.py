"""`cellmetry dataset transfer`: labels found in a stained channel become the truth of another channel."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from cellmetry.cli.options import Axes, Inputs, Json, Out, Pattern, PixelSize, Rgb, RgbChoice, Roles, reading_of
from cellmetry.cli.progress import terminal_progress
from cellmetry.core.parameters import parse_parameters
from cellmetry.engines.segment import Segment
from cellmetry.errors import ParameterError
from cellmetry.learn.transfer import TransferQuality
from cellmetry.pipeline.transfer import TransferPlan, transfer_labels

if TYPE_CHECKING:
    from cellmetry.pipeline.transfer import TransferResult

__all__ = ["transfer"]


def transfer(
    inputs: Inputs,
    out: Out,
    source: Annotated[str, typer.Option("--from", help="Channel to segment, by name or index: the stained one.")],
    target: Annotated[str, typer.Option("--to", help="Channel that the labels are for: brightfield, phase contrast.")],
    engine: Annotated[str | None, typer.Option(help="Engine; `cellmetry engines` lists them.")] = None,
    model: Annotated[str | None, typer.Option(help="Model of the engine, by name or path.")] = None,
    diameter_px: Annotated[float | None, typer.Option(help="Usual diameter of an object in pixels.")] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="What is good enough, as in min_solidity=0.8. Repeatable.")
    ] = None,
    licence: Annotated[str, typer.Option(help="Licence of the images.")] = "unknown",
    pixel_size: PixelSize = None,
    axes: Axes = None,
    rgb: Rgb = RgbChoice.colour,
    pattern: Pattern = None,
    roles: Roles = None,
    as_json: Json = False,
) -> None:
    """Segment one channel and make a data set that teaches another channel of the same fields.

    Example: [bold]cellmetry dataset transfer plate/ --from DAPI --to brightfield --out taught[/bold]
    """
    given = {"engine": engine, "model": model, "diameter_px": diameter_px}
    step = {name: value for name, value in given.items() if value is not None}
    plan = TransferPlan(
        source=source,
        target=target,
        segment=parse_parameters(Segment, step, where="options"),
        quality=parse_parameters(TransferQuality, _parsed(settings or []), where="--set"),
        name=out.absolute().name,
        licence=licence,
    )
    reading = reading_of(axes=axes, rgb=rgb, pixel_size_um=pixel_size, pattern=pattern, roles=roles)
    with terminal_progress(shown=not as_json) as progress:
        result = transfer_labels(plan, inputs, out, reading=reading, progress=progress)
    if as_json:
        typer.echo(json.dumps(_summary(result), indent=1))
    else:
        _say(result, out)


def _parsed(settings: list[str]) -> dict[str, Any]:
    """Return names and values from texts such as ``min_solidity=0.8``."""
    pairs = {}
    for text in settings:
        name, equals, value = text.partition("=")
        if not equals:
            raise ParameterError(f"--set {text!r} is not of the form name=value, as in min_solidity=0.8.")
        pairs[name] = None if value == "none" else value
    return pairs


def _summary(result: TransferResult) -> dict[str, Any]:
    fields = result.fields
    return {
        "out": str(result.data_set.folder),
        "fields": len(fields),
        "items": len(result.data_set.items),
        "found": int(fields["found"].sum()),
        "accepted": int(fields["accepted"].sum()),
        "left_out": dict(fields.loc[fields["problem"] != "", ["image", "problem"]].itertuples(index=False)),
    }


def _say(result: TransferResult, out: Path) -> None:
    console, said = Console(soft_wrap=True, highlight=False), _summary(result)
    console.print(
        f"{said['accepted']} of {said['found']} objects in {said['items']} of {said['fields']} fields became labels."
    )
    reasons = result.objects.loc[~result.objects["accepted"].astype(bool), "reason"].value_counts()
    for reason, count in reasons.items():
        console.print(Text(f"  {count} rejected: {reason}"))
    for image, problem in said["left_out"].items():
        console.print(Text(f"left out: {image}: {problem}", style="yellow"))
    console.print(f"Look at:  {out / 'review'}  (accepted sky blue, rejected and not annotated orange)")
    console.print(f"          {out / 'objects.csv'}  (each object, and why it was rejected)")
