"""`cellmetry model show`: what a model is, in words."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cellmetry.cli.options import Json
from cellmetry.models.store import find_model
from cellmetry.models.words import describe_card

if TYPE_CHECKING:
    from cellmetry.models.card import ModelCard

__all__ = ["show"]

_WIDEST = 16


def show(
    model: Annotated[str, typer.Argument(help="Name of a model, or path of its weights, card or folder.")],
    as_json: Json = False,
) -> None:
    """Show what a model is for, what it has learnt from, under which licences, and how good it is.

    Example: [bold]cellmetry model show base[/bold]
    """
    found = find_model(model)
    if as_json:
        typer.echo(json.dumps({"path": str(found.path), "card": found.card.model_dump(mode="json")}, indent=1))
        return
    console = Console(soft_wrap=True, highlight=False)
    for warning, sentence in describe_card(found.card):
        console.print(Text(sentence, style="yellow" if warning else ""))
    if found.card.scores:
        console.print(_scores(found.card))
    console.print(Text(f"Weights: {found.path}, {found.card.size_bytes / 1e6:.2f} MB, SHA-256 {found.card.sha256}."))


def _scores(card: ModelCard) -> Table:
    """Return a line for each held-out data set and a column for each score."""
    measures = list(dict.fromkeys(score.measure for score in card.scores))
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("held-out images of", no_wrap=True)
    for heading in ("images", *measures):
        table.add_column(heading, justify="right", max_width=_WIDEST)
    values: dict[tuple[str, int | None], dict[str, str]] = {}
    for score in card.scores:
        values.setdefault((score.data, score.images), {})[score.measure] = f"{score.value:.3f}"
    for (data, images), row in values.items():
        table.add_row(data, str(images or "not said"), *(row.get(measure, "") for measure in measures))
    return table
