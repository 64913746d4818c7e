"""`cellmetry dataset transfer`: labels found in a stained channel become the truth of another channel."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer
from rich.console import Console
from rich.text import Text

from cellmetry.cli.options import (
    Axes,
    DiameterPx,
    Engine,
    Inputs,
    Json,
    Model,
    NonCommercial,
    Out,
    Pattern,
    PixelSize,
    Rgb,
    RgbChoice,
    Roles,
    given,
    named_values,
    reading_of,
)
from cellmetry.cli.progress import terminal_progress
from cellmetry.core.parameters import parse_parameters
from cellmetry.learn.transfer import TransferQuality
from cellmetry.pipeline.recipe import parse_recipe
from cellmetry.pipeline.transfer import TransferPlan, transfer_labels

if TYPE_CHECKING:
    from cellmetry.engines.segment import Segment
    from cellmetry.pipeline.transfer import TransferResult

__all__ = ["transfer"]

_SEGMENT = "segment."


def transfer(
    inputs: Inputs,
    out: Out,
    source: Annotated[str, typer.Option("--from", help="Channel to segment, by name or index: the stained one.")],
    target: Annotated[str, typer.Option("--to", help="Channel that the labels are for: brightfield, phase contrast.")],
    engine: Engine = None,
    model: Model = None,
    diameter_px: DiameterPx = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="What is good enough, as in min_solidity=0.8, or a parameter of the step segment, as in "
            "segment.cleanup.fill_holes=false. Repeatable.",
        ),
    ] = None,
    licence: Annotated[str | None, typer.Option(help="Licence of the images, as in CC-BY-4.0.")] = None,
    non_commercial: NonCommercial = False,
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
    step = given(engine=engine, model=model, diameter_px=diameter_px)
    said = [text for text in settings or [] if not text.startswith(_SEGMENT)]
    values = {
        "source": source,
        "target": target,
        "segment": _segment(step, [text for text in settings or [] if text.startswith(_SEGMENT)]),
        "quality": parse_parameters(TransferQuality, named_values(said), where="--set"),
        "name": out.absolute().name,
    }
    values |= given(licence=licence or None, non_commercial=non_commercial or None)
    plan = parse_parameters(TransferPlan, values, where="options")
    reading = reading_of(axes=axes, rgb=rgb, pixel_size_um=pixel_size, pattern=pattern, roles=roles)
    with terminal_progress(shown=not as_json) as progress:
        result = transfer_labels(plan, inputs, out, reading=reading, progress=progress)
    if as_json:
        typer.echo(json.dumps(_summary(result), indent=1))
    else:
        _say(result, out)


def _segment(step: dict[str, Any], changes: list[str]) -> Segment:
    """Return the step that finds objects, from its options and texts such as ``segment.tile_px=512``."""
    recipe = parse_recipe({"name": "transfer", "steps": [{"step": "segment", **step}]}, changes, where="options")
    return cast("Segment", recipe.steps[0])


def _summary(result: TransferResult) -> dict[str, Any]:
    fields = result.fields
    return {
        "out": str(result.data_set.folder),
        "fields": len(fields),
        "items": len(result.data_set.items),
        "licence": result.data_set.card.licence,
        "non_commercial": result.data_set.card.non_commercial,
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
    card = result.data_set.card
    console.print(Text(f"Licence: {card.licence}. {card.summary}"))
    if card.non_commercial:
        console.print(Text("Not for commercial use, nor is any model that learns from it.", style="bold yellow"))
    console.print(f"Look at:  {out / 'review'}  (accepted sky blue, rejected and not annotated orange)")
    console.print(f"          {out / 'objects.csv'}  (each object, and why it was rejected)")
