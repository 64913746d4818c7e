"""`cellmetry user remove`: a person is let in no more."""

from __future__ import annotations

import typer

from cellmetry.cli.user.parts import Home, Name, open_accounts

__all__ = ["remove"]


def remove(name: Name, home: Home = None) -> None:
    """Let a person in no more, at once; what they did stays, under their name.

    Example: [bold]cellmetry user remove mira[/bold]
    """
    with open_accounts(home) as accounts:
        accounts.remove(name)
    typer.echo(f"Removed the account {name}; its sessions and tokens have ended.")
