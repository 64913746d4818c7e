"""What the commands for accounts share."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cellmetry.server.security.accounts import Accounts

__all__ = ["FromInput", "Home", "Name", "asked_password", "open_accounts"]

Home = Annotated[
    Path | None, typer.Option(help="Folder of the studies; CELLMETRY_HOME or Cellmetry in your own if left out.")
]
Name = Annotated[str, typer.Argument(help="Name of the account.")]
FromInput = Annotated[bool, typer.Option("--password-stdin", help="Read the password from standard input.")]


@contextmanager
def open_accounts(home: Path | None) -> Iterator[Accounts]:
    """Yield the accounts of a home folder."""
    from cellmetry.server.security.accounts import Accounts  # noqa: PLC0415  other commands need no web framework
    from cellmetry.study.home import default_home  # noqa: PLC0415

    accounts = Accounts((home or default_home()).absolute())
    try:
        yield accounts
    finally:
        accounts.close()


def asked_password(*, from_input: bool) -> str:
    """Return a password: the first line of standard input, or what is typed twice, unseen."""
    if from_input:
        return sys.stdin.readline().rstrip("\r\n")
    typed: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    return typed
