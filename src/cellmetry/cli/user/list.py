"""`cellmetry user list`: the accounts of a server."""

from __future__ import annotations

import json
from dataclasses import asdict

import typer

from cellmetry.cli.options import Json
from cellmetry.cli.user.parts import Home, open_accounts

__all__ = ["list_users"]


def list_users(home: Home = None, as_json: Json = False) -> None:
    """List the accounts.

    Example: [bold]cellmetry user list[/bold]
    """
    with open_accounts(home) as accounts:
        found = accounts.all()
    if as_json:
        typer.echo(json.dumps([asdict(each) for each in found]))
        return
    for each in found:
        typer.echo(f"{each.name}{'  (administrator)' if each.admin else ''}")
    if not found:
        typer.echo("There are no accounts yet; `cellmetry user add NAME --admin` makes the first.")
