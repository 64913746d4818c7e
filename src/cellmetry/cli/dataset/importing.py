"""`cellmetry dataset import`: annotations in the formats of others become a data set."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from cellmetry.cli.options import NonCommercial, given
from cellmetry.cli.progress import terminal_progress
from cellmetry.core.parameters import parse_parameters
from cellmetry.errors import ParameterError
from cellmetry.learn.dataset import DataSetCard
from cellmetry.learn.importers import IMPORTERS
from cellmetry.learn.importers.writing import report_sentences

__all__ = ["import_data"]


def import_data(
    form: Annotated[str, typer.Argument(help=f"Format: {', '.join(IMPORTERS.builtin)}.", metavar="FORMAT")],
    source: Annotated[Path, typer.Argument(help="Folder or file that holds images and annotations.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="New folder for the data set.")],
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="Option of the format, as in channel=1. May be repeated.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="Name of the data set; that of the folder if left out.")] = None,
    licence: Annotated[str | None, typer.Option(help="Licence of the data, as in CC-BY-4.0.")] = None,
    non_commercial: NonCommercial = False,
    home: Annotated[str, typer.Option(help="Public home of the data.")] = "",
    citation: Annotated[str, typer.Option(help="What to cite.")] = "",
) -> None:
    """Make a data set from annotations in another format; images stay where they are unless copy_images is set.

    Example: [bold]cellmetry dataset import coco annotated/ --out mydata --licence CC-BY-4.0[/bold]
    """
    importer = parse_parameters(IMPORTERS.load(form), _parsed(settings or []), where=f"importer {form}")
    card = {"name": name or out.absolute().name, "source": home, "citation": citation}
    card |= given(licence=licence or None, non_commercial=non_commercial or None)
    with terminal_progress() as progress:
        made = importer(source, out, parse_parameters(DataSetCard, card, where="options"), progress)
    console = Console(soft_wrap=True, highlight=False)
    for sentence in report_sentences(out):
        console.print(Text(sentence, style="yellow"))
    console.print(Text(f"{len(made.items)} images with truth: {out}. Licence: {made.card.licence}."))
    if made.card.non_commercial:
        console.print(Text("Not for commercial use, nor is any model that learns from it.", style="bold yellow"))


def _parsed(settings: list[str]) -> dict[str, Any]:
    """Return names and values from texts such as ``channel=1``; lists and objects are written as JSON."""
    values: dict[str, Any] = {}
    for text in settings:
        name, equals, value = text.partition("=")
        if not equals:
            raise ParameterError(f"--set {text!r} is not of the form name=value, as in channel=1.")
        values[name] = _value(value, text)
    return values


def _value(value: str, text: str) -> Any:
    if value[:1] not in {"[", '"'}:
        return value
    try:
        return json.loads(value)
    except ValueError as error:
        raise ParameterError(f"--set {text!r}: the value is not valid JSON: {error}.") from error
