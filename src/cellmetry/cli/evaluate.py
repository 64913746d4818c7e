"""`cellmetry evaluate`: predicted labels, or an engine, against the truth."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Annotated, Any, cast

import typer

from cellmetry.cli.options import Json, PixelSize, Settings
from cellmetry.cli.parts import Part, SplitFile, chosen_part, refuse_part_alone
from cellmetry.cli.progress import terminal_progress
from cellmetry.core.parameters import parse_parameters
from cellmetry.engines.segment import Segment
from cellmetry.errors import ParameterError
from cellmetry.learn.image_scores import ScoreOptions
from cellmetry.learn.pairs import read_truth_set
from cellmetry.pipeline.evaluating import EngineRun, evaluate_to
from cellmetry.pipeline.reading import Reading
from cellmetry.pipeline.recipe import parse_recipe
from cellmetry.report.score_words import headline

__all__ = ["evaluate"]


def evaluate(
    truth: Annotated[Path, typer.Option(help="Folder of true label images, or a data set.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the report; made if missing.")],
    images: Annotated[
        list[str] | None,
        typer.Argument(help="The images: needed by an engine, else for the pictures; a data set knows its own."),
    ] = None,
    predicted: Annotated[
        list[Path] | None,
        typer.Option(help="Folder of predicted label images of the same stems. Repeatable, to compare."),
    ] = None,
    engine: Annotated[str | None, typer.Option(help="Engine to evaluate; `cellmetry engines` lists them.")] = None,
    model: Annotated[str | None, typer.Option(help="Model of the engine, by name or path.")] = None,
    channel: Annotated[str | None, typer.Option(help="Channel that the engine looks at, by name or index.")] = None,
    diameter_um: Annotated[float | None, typer.Option(help="Usual diameter of an object in µm.")] = None,
    diameter_px: Annotated[float | None, typer.Option(help="Usual diameter of an object in pixels.")] = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu or cuda.")] = None,
    pixel_size: PixelSize = None,
    settings: Settings = None,
    split: SplitFile = None,
    part: Part = None,
    tolerance_px: Annotated[float, typer.Option(help="How far boundaries may lie apart, in pixels.")] = 2.0,
    patch_px: Annotated[int, typer.Option(help="Side of the squares in which objects are counted, in pixels.")] = 256,
    as_json: Json = False,
) -> None:
    """Compare predicted labels with the truth: objects, outlines, counts; a page, tables and pictures.

    Example: [bold]cellmetry evaluate --truth labels/ --predicted found/ images/ --out report/[/bold]
    """
    given = {
        "engine": engine,
        "model": model,
        "channel": channel,
        "device": device,
        "diameter_um": diameter_um,
        "diameter_px": diameter_px,
    }
    run = _engine_run({name: value for name, value in given.items() if value is not None}, settings, pixel_size)
    options = parse_parameters(ScoreOptions, {"tolerance_px": tolerance_px, "patch_px": patch_px}, where="evaluate")
    refuse_part_alone(split, part)
    data_set = chosen_part(read_truth_set(truth, images or ()), split, part)
    with terminal_progress(shown=not as_json) as progress:
        found = evaluate_to(out, data_set, predicted or (), engine=run, options=options, progress=progress)
    if as_json:
        typer.echo(json.dumps({"out": str(out), "evaluations": [each.summary() for each in found]}, indent=1))
        return
    for each in found:
        known = not math.isnan(each.score("ap_50"))
        scores = f" AP {each.score('ap_50'):.3f} at IoU 0.5, {each.score('ap_75'):.3f} at 0.75." if known else ""
        typer.echo(f"{each.name}:{scores}")
        for sentence in (*headline(each), *each.notes):
            typer.echo(f"  {sentence}")
    typer.echo(f"Report: {out / 'index.html'}")


def _engine_run(given: dict[str, Any], settings: list[str] | None, pixel_size_um: float | None) -> EngineRun | None:
    """Return what is said about an engine; None if nothing is.

    Raises
    ------
    ParameterError
        If something is said about an engine and none is named.
    """
    if "engine" not in given:
        unused = [*given, *(["set"] if settings else []), *(["pixel_size"] if pixel_size_um is not None else [])]
        if unused:
            raise ParameterError(f"--{unused[0].replace('_', '-')} is for an engine; name one with --engine.")
        return None
    recipe = parse_recipe(
        {"name": "evaluate", "steps": [{"step": "segment", **given}]}, settings or (), where="evaluate"
    )
    reading = parse_parameters(Reading, {"pixel_size_um": pixel_size_um}, where="options")
    return EngineRun(cast("Segment", recipe.steps[0]), reading)
