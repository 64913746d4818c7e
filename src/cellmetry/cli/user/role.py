"""`cellmetry user role`: what a person may do to a study."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from cellmetry.cli.user.parts import Home, Name, open_accounts
from cellmetry.study.store.store import open_store

__all__ = ["role"]


class RoleChoice(StrEnum):
    """What somebody may do."""

    viewer = "viewer"
    editor = "editor"
    owner = "owner"
    none = "none"


def role(
    name: Name,
    study: Annotated[Path, typer.Argument(help="Folder of the study, NAME.cellmetry.")],
    may: Annotated[RoleChoice, typer.Argument(help="viewer, editor, owner, or none to take the role away.")],
    home: Home = None,
) -> None:
    """Give a person a role in a study.

    Example: [bold]cellmetry user role mira edu.cellmetry editor[/bold]
    """
    from cellmetry.server.security.visitor import Role  # noqa: PLC0415  other commands need no web framework

    with open_store(study, program="cellmetry user role", read_only=True) as store, open_accounts(home) as accounts:
        accounts.set_role(store.id, name, None if may is RoleChoice.none else Role(may.value))
    typer.echo(
        f"{name} is {may.value} of {study.name}." if may is not RoleChoice.none else f"{name} has no role there."
    )
