"""`Visitor`, `Role`, `Gate`: who asks, and what they may do to a study."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.requests import HTTPConnection

    from cellmetry.study.store.store import Store

__all__ = ["VISITOR", "Gate", "Role", "Visitor"]

VISITOR = "cellmetry.visitor"
"""Where the scope of a request has its visitor."""


class Role(StrEnum):
    """What somebody may do to a study: see it, change it, or also decide who else may."""

    viewer = "viewer"
    editor = "editor"
    owner = "owner"

    def covers(self, other: Role) -> bool:
        """Return whether who has this role may do what another role may."""
        order = list(Role)
        return order.index(self) >= order.index(other)


@dataclass(frozen=True)
class Visitor:
    """Who asks.

    Parameters
    ----------
    who
        Name of the person.
    admin
        Whether they own every study.
    session
        Id of the session or token by which they came; empty for the server's own token.
    """

    who: str
    admin: bool = False
    session: str = ""


class Gate(Protocol):
    """What a mode of the server lets in."""

    place: Path | None
    """Folder in which visitors' new studies are made; None for the home folder."""

    def visitor(self, connection: HTTPConnection) -> Visitor | None:
        """Return who sends a request, None if nobody that is known."""

    def role(self, visitor: Visitor, store: Store) -> Role | None:
        """Return what a visitor may do to a study, None if they may not know that it is there."""

    def must_create(self, visitor: Visitor) -> None:
        """Refuse a new study with `NotAllowed` where the visitor may make none."""

    def own(self, visitor: Visitor, study_id: str) -> None:
        """Note that a visitor made a study."""

    def close(self) -> None:
        """Let go of what is held."""
