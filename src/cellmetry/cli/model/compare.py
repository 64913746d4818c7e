"""`cellmetry model compare`: two models side by side, by their cards and on the same images."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cellmetry.cli.options import Json
from cellmetry.cli.parts import Part, SplitFile, chosen_part, refuse_part_alone
from cellmetry.cli.progress import terminal_progress
from cellmetry.errors import ParameterError
from cellmetry.learn.pairs import read_truth_set
from cellmetry.models.store import find_model
from cellmetry.pipeline.model_scores import compare_cards, compare_on

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cellmetry.models.store import Model
    from cellmetry.pipeline.model_scores import ComparedScore

__all__ = ["compare"]


def compare(
    first: Annotated[str, typer.Argument(help="Name of a model, or path of its weights, card or folder.")],
    second: Annotated[str, typer.Argument(help="The other, likewise; a version is models/mine/versions/2.")],
    data: Annotated[
        Path | None, typer.Argument(help="Data set on whose images both are tried; without it, only their cards.")
    ] = None,
    split: SplitFile = None,
    part: Part = None,
    as_json: Json = False,
) -> None:
    """Compare two models: what their cards say, and how well each does on the same images.

    Example: [bold]cellmetry model compare base models/mine corrected/[/bold]
    """
    refuse_part_alone(split, part)
    if split is not None and data is None:
        raise ParameterError("--split chooses images of a data set to try the models on; name one after the models.")
    models = find_model(first), find_model(second)
    rows = compare_cards(*(model.card for model in models))
    notes: list[str] = []
    if data is not None:
        data_set = chosen_part(read_truth_set(data), split, part)
        with terminal_progress(shown=not as_json) as progress:
            found, notes = compare_on(data_set, models, progress=progress)
        rows = [*rows, *found]
    if as_json:
        named = [_named(model) for model in models]
        typer.echo(json.dumps({"models": named, "scores": [row._asdict() for row in rows], "notes": notes}, indent=1))
        return
    _print(models, rows)
    for note in notes:
        typer.echo(note)


def _named(model: Model) -> dict[str, Any]:
    card = model.card
    return {"name": card.name, "version": card.version, "path": str(model.path), "sha256": card.sha256}


def _print(models: Sequence[Model], rows: Sequence[ComparedScore]) -> None:
    if not rows:
        typer.echo("Neither card holds scores; give a data set to try both models on.")
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for heading in ("images of", "score", *(f"{model.card.name} {model.card.version}" for model in models)):
        table.add_column(heading, overflow="fold")
    for row in rows:
        numbers = ("" if value is None else f"{value:.3f}" for value in (row.first, row.second))
        table.add_row(*(Text(cell) for cell in (row.data, row.measure, *numbers)))
    Console().print(table)
