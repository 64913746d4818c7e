"""`cellmetry user password`: another password for a person."""

from __future__ import annotations

import typer

from cellmetry.cli.user.parts import FromInput, Home, Name, asked_password, open_accounts

__all__ = ["password"]


def password(name: Name, password_stdin: FromInput = False, home: Home = None) -> None:
    """Give an account another password; its sessions and tokens end.

    Example: [bold]cellmetry user password mira[/bold]
    """
    with open_accounts(home) as accounts:
        accounts.set_password(name, asked_password(from_input=password_stdin))
    typer.echo(f"The account {name} has another password; its sessions and tokens have ended.")
