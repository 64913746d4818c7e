"""`cellmetry user add`: an account for a person."""

from __future__ import annotations

from typing import Annotated

import typer

from cellmetry.cli.user.parts import FromInput, Home, Name, asked_password, open_accounts

__all__ = ["add"]


def add(
    name: Name,
    admin: Annotated[bool, typer.Option("--admin", help="Owns every study.")] = False,
    password_stdin: FromInput = False,
    home: Home = None,
) -> None:
    """Make an account; its password is asked for.

    Example: [bold]cellmetry user add mira --admin[/bold]
    """
    with open_accounts(home) as accounts:
        accounts.add(name, asked_password(from_input=password_stdin), admin=admin)
    typer.echo(f"Made the account {name}.")
