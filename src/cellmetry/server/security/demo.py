"""`DemoGate`: anybody may look at the gallery and try things in studies of their own, removed after a while."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import TYPE_CHECKING

from cellmetry.errors import NotAllowed, NotSignedIn
from cellmetry.server.security.accounts import Accounts
from cellmetry.server.security.cookies import bearer_of, cookie_of
from cellmetry.server.security.visitor import Role, Visitor

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.requests import HTTPConnection

    from cellmetry.server.settings import ServerSettings
    from cellmetry.study.store.store import Store

__all__ = ["SANDBOXES", "DemoGate"]

SANDBOXES = "sandboxes"
"""Folder of the home folder with the visitors' studies."""
_STRANGER = "a visitor"


class DemoGate:
    """Knows visitors by a cookie only; studies that lie in the home folder itself are the gallery."""

    def __init__(self, settings: ServerSettings) -> None:
        self.accounts = Accounts(settings.home)
        self.sandboxes = settings.home / SANDBOXES
        self.place: Path | None = self.sandboxes
        self._settings, self._life = settings, timedelta(hours=settings.limits.study_hours)
        self.seconds = int(self._life.total_seconds())

    def visitor(self, connection: HTTPConnection) -> Visitor | None:
        """Return the visitor of a cookie or token, or a stranger who may look at the gallery."""
        secret = bearer_of(connection) or cookie_of(connection, self._settings)
        known = self.accounts.visitor(secret, "visit") if secret else None
        return known or Visitor(_STRANGER)

    def role(self, visitor: Visitor, store: Store) -> Role | None:
        """Return the owner's role for one's own, a viewer's for the gallery; what was a visitor's is never gallery."""
        owners = self.accounts.roles(store.id)
        if owners or store.folder.parent == self.sandboxes:
            return owners.get(visitor.who)
        return Role.viewer

    def must_create(self, visitor: Visitor) -> None:
        """Refuse it to strangers, and above the limits."""
        if not visitor.session:
            raise NotSignedIn("Open the front page, or POST /api/v1/session, to get studies of your own here.")
        limits = self._settings.limits
        if len(self.accounts.owned(visitor.who)) >= limits.studies_each:
            raise NotAllowed(f"A visitor of this demo has at most {limits.studies_each} studies.")
        if len(self.accounts.owned()) >= limits.studies:
            raise NotAllowed("This demo is full; its oldest studies are removed soon, try again later.")

    def own(self, visitor: Visitor, study_id: str) -> None:
        """Make the visitor the owner."""
        self.accounts.own(study_id, visitor.who)

    def close(self) -> None:
        """Close the file of visitors."""
        self.accounts.close()

    def new_session(self) -> str:
        """Return the secret of a new visitor."""
        return self.accounts.new_key(f"visitor-{secrets.token_hex(16)}", "visit", "", self._life)[1]
