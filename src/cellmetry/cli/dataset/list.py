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
    for heading in ("name", "what", "licence", "size", "how it is fetched"):
        table.add_column(heading, overflow="fold")
    for each in known:
        table.add_row(each.name, each.title, licence_text(each), _size(each), _way(each))
    Console().print(table)


def licence_text(data: PublicDataSet) -> Text:
    """Return the licence, with a warning where it forbids commercial use."""
    if not data.non_commercial:
        return Text(data.licence)
    return Text.assemble(data.licence, ("\nnot for commercial use", "bold yellow"))


def _size(data: PublicDataSet) -> str:
    return f"{data.size_bytes / 1e6:,.0f} MB" if data.size_bytes else "not stated"


def _way(data: PublicDataSet) -> str:
    if data.login:
        return "by hand: login or terms"
    return "by cellmetry" if data.files else "by hand"
