"""`cellmetry dataset check`: what is in a data set, and what is wrong with it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.text import Text

from cellmetry.cli.options import Json
from cellmetry.cli.progress import terminal_progress
from cellmetry.core.parameters import parse_parameters
from cellmetry.io.atomic import atomic_write
from cellmetry.io.tables import write_table
from cellmetry.learn.dataset import read_data_set
from cellmetry.learn.statistics import ITEM_COLUMNS, CheckOptions, check_data_set
from cellmetry.report.data_set import write_contact_sheet, write_size_histogram

if TYPE_CHECKING:
    from cellmetry.learn.dataset import DataSet
    from cellmetry.learn.statistics import DataSetCheck

__all__ = ["check"]

EXIT_UNUSABLE = 2

_MOST_SHOWN = 12
_STYLES = {"error": "red", "warning": "yellow", "note": ""}


def check(
    data: Annotated[Path, typer.Argument(help="Folder of the data set.")],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Folder for tables and pictures of what was found.")
    ] = None,
    smallest_px: Annotated[int, typer.Option(help="Objects with fewer pixels count as tiny.")] = 10,
    as_json: Json = False,
) -> None:
    """Look for problems before training: sizes that do not fit, tiny, torn, overlapping and cut objects, empty images.

    The exit code is 2 if the data set cannot be used. With --out it also writes check.json, items.csv, sizes.png and
    contact_sheet.png.

    Example: [bold]cellmetry dataset check mydata/ --out checked/[/bold]
    """
    options = parse_parameters(CheckOptions, {"smallest_px": smallest_px}, where="options")
    data_set = read_data_set(data)
    with terminal_progress(shown=not as_json) as progress:
        found = check_data_set(data_set, options, progress=progress)
    if out is not None:
        _write(data_set, found, out)
    if as_json:
        typer.echo(json.dumps({"name": data_set.card.name, **found.summary()}, indent=1))
    else:
        _say(data_set, found)
    if not found.usable:
        raise typer.Exit(EXIT_UNUSABLE)


def _write(data_set: DataSet, found: DataSetCheck, out: Path) -> None:
    with atomic_write(out / "check.json") as temporary:
        summary = {"name": data_set.card.name, **data_set.card.model_dump(mode="json"), **found.summary()}
        temporary.write_text(json.dumps(summary, indent=1, ensure_ascii=False), "utf-8")
    write_table(found.items, out / "items.csv", ITEM_COLUMNS)
    write_size_histogram(found.areas, out / "sizes.png")
    write_contact_sheet(data_set, out / "contact_sheet.png")


def _say(data_set: DataSet, found: DataSetCheck) -> None:
    console = Console(soft_wrap=True, highlight=False)
    card, numbers = data_set.card, found.summary()
    console.print(Text(f"{card.name}: {numbers['items']} images, {numbers['objects']:,} objects."))
    console.print(Text(f"Licence: {card.licence}."))
    if card.non_commercial:
        console.print(Text("Not for commercial use, nor is any model that learns from it.", style="bold yellow"))
    area = numbers["area_px"]
    if area["median"] is not None:
        console.print(
            Text(f"Area: median {area['median']:.0f} px, 90 % from {area['p05']:.0f} to {area['p95']:.0f} px.")
        )
    for problem in found.problems[:_MOST_SHOWN]:
        console.print(Text(f"{problem.severity}: {problem.sentence}", style=_STYLES[problem.severity]))
    if len(found.problems) > _MOST_SHOWN:
        console.print(Text(f"… and {len(found.problems) - _MOST_SHOWN} more; --out or --json gives all."))
    console.print("It can be used." if found.usable else Text("It cannot be used as it is.", style="bold red"))
