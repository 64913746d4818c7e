"""`cellmetry user`: gathers the commands for accounts."""

from __future__ import annotations

import typer

from cellmetry.cli.user.add import add
from cellmetry.cli.user.list import list_users
from cellmetry.cli.user.password import password
from cellmetry.cli.user.remove import remove
from cellmetry.cli.user.role import role

__all__ = ["user_app"]

user_app = typer.Typer(help="Accounts of a server with several people.", no_args_is_help=True)
user_app.command()(add)
user_app.command("list")(list_users)
user_app.command()(remove)
user_app.command()(password)
user_app.command()(role)
