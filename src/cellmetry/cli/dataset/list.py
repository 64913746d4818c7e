"""`cellmetry dataset list`: public data sets, their licences and sizes."""

from __future__ import annotations

import json

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cellmetry.cli.options import Json
from cellmetry.learn.registry import PublicDataSet, list_public

__all__ = ["list_data"]


def list_data(as_json: Json = False) -> None:
    """List public data sets that `cellmetry dataset get` knows: what they are, their licences, their sizes.

    Example: [bold]cellmetry dataset list[/bold]
    """
    known = list_public()
    if as_json:
        typer.echo(json.dumps([each.model_dump(mode="json") for each in known], indent=1, ensure_ascii=False))
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("name", no_wrap=True)
    for heading in ("what", "licence", "size", "fetched"):
        table.add_column(heading, overflow="fold")
    for each in known:
        table.add_row(each.name, each.title, _licence(each), _size(each), _way(each))
    console = Console(highlight=False)
    console.print(table)
    console.print("NC: not for commercial use, nor is any model that learns from it.")
    console.print("by hand: fetch it from its page, which --json tells, and give it with --from.")


def _licence(data: PublicDataSet) -> Text:
    """Return the licence, marked where it forbids commercial use."""
    return Text.assemble((" NC " if data.non_commercial else "    ", "bold yellow"), data.licence)


def _size(data: PublicDataSet) -> str:
    return f"{data.size_bytes / 1e6:,.0f} MB" if data.size_bytes else "–"


def _way(data: PublicDataSet) -> str:
    if data.login:
        return "by hand (login)"
    return "by get" if data.files else "by hand"
