"""`PeopleGate`: accounts with passwords; each person has a role in each study, or does not know that it is there."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from cellmetry.errors import NotAllowed, NotSignedIn
from cellmetry.server.security.accounts import Accounts
from cellmetry.server.security.cookies import bearer_of, cookie_of
from cellmetry.server.security.rate import RateLimit
from cellmetry.server.security.visitor import Role, Visitor

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.requests import HTTPConnection

    from cellmetry.server.security.accounts import Key
    from cellmetry.server.settings import ServerSettings
    from cellmetry.study.store.store import Store

__all__ = ["PeopleGate"]

_SESSION = timedelta(days=7)
_TRIES_OF_NAME, _TRIES_OF_ADDRESS, _WITHIN_S = 5, 30, 60.0


class PeopleGate:
    """Lets in who signed in, or has a token made by who did."""

    place: Path | None = None
    seconds = int(_SESSION.total_seconds())

    def __init__(self, settings: ServerSettings) -> None:
        self.accounts = Accounts(settings.home)
        self._settings = settings
        self._names = RateLimit(_TRIES_OF_NAME, _WITHIN_S)
        self._addresses = RateLimit(_TRIES_OF_ADDRESS, _WITHIN_S)

    def visitor(self, connection: HTTPConnection) -> Visitor | None:
        """Return who has this token or session."""
        bearer = bearer_of(connection)
        if bearer:
            return self.accounts.visitor(bearer, "token")
        session = cookie_of(connection, self._settings)
        return self.accounts.visitor(session, "session") if session else None

    def role(self, visitor: Visitor, store: Store) -> Role | None:
        """Return the role that an owner gave; an administrator owns all."""
        return Role.owner if visitor.admin else self.accounts.role(store.id, visitor.who)

    def must_create(self, visitor: Visitor) -> None:
        """Allow it to everybody who has an account."""

    def own(self, visitor: Visitor, study_id: str) -> None:
        """Make the visitor the owner."""
        self.accounts.own(study_id, visitor.who)

    def close(self) -> None:
        """Close the accounts."""
        self.accounts.close()

    def sign_in(self, name: str, password: str, address: str) -> tuple[Key, str]:
        """Return a new session and its secret.

        Raises
        ------
        NotSignedIn
            If name or password is wrong; which one is not said.
        HTTPException
            429 after too many tries.
        """
        self._addresses.take(address)
        self._names.take(name)
        if not self.accounts.check(name, password):
            raise NotSignedIn("The name or the password is wrong.")
        self._names.forget(name)
        return self.accounts.new_key(name, "session", address, _SESSION)

    def new_token(self, visitor: Visitor, name: str, days: int) -> tuple[Key, str]:
        """Return a new token for programs and its secret.

        Raises
        ------
        NotAllowed
            If the visitor is a program: a token makes no tokens.
        """
        if not visitor.session.startswith("session_"):
            raise NotAllowed("Only somebody who signed in with a password makes tokens.")
        return self.accounts.new_key(visitor.who, "token", name, timedelta(days=days))
