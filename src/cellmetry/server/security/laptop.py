"""`LaptopGate`: one person at this computer, let in by a secret that only they can read."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

from cellmetry.errors import NotSignedIn
from cellmetry.server.security.browser_sessions import BrowserSessions
from cellmetry.server.security.cookies import bearer_of, cookie_of
from cellmetry.server.security.private_files import write_private
from cellmetry.server.security.tokens import hash_of, new_token, same
from cellmetry.server.security.visitor import Role, Visitor
from cellmetry.study.home import ADDRESS_FILE

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.requests import HTTPConnection

    from cellmetry.server.settings import ServerSettings
    from cellmetry.study.store.store import Store

__all__ = ["LaptopGate"]

_CODES = 20


class LaptopGate:
    """Lets in who has the token, which lies in a file of mode 0600, or a session that a one-time code opened.

    The token is another after each start of the server; sessions stay, so that pages that are open go on by themselves.
    """

    place: Path | None = None

    def __init__(self, settings: ServerSettings) -> None:
        self.token = new_token()
        self._settings = settings
        self._lock = threading.Lock()
        self._codes: list[str] = []
        self._sessions = BrowserSessions(settings.home)
        self._file: Path | None = None

    def visitor(self, connection: HTTPConnection) -> Visitor | None:
        """Return the one person if the request has the token or a session."""
        bearer = bearer_of(connection)
        if bearer:
            return Visitor(self._settings.person, admin=True) if same(bearer, self.token) else None
        secret = cookie_of(connection, self._settings)
        known = secret in self._sessions
        return Visitor(self._settings.person, admin=True, session=hash_of(secret)) if known else None

    def role(self, visitor: Visitor, store: Store) -> Role | None:
        """Return the owner's role."""
        return Role.owner

    def must_create(self, visitor: Visitor) -> None:
        """Allow it."""

    def own(self, visitor: Visitor, study_id: str) -> None:
        """Do nothing: the one person owns all."""

    def close(self) -> None:
        """Remove the file with the token if it is still this server's."""
        if self._file is not None and self._file.is_file() and self.token in self._file.read_text(encoding="utf-8"):
            self._file.unlink()
        self._file = None

    def new_code(self) -> str:
        """Return a code that opens one session, once."""
        with self._lock:
            code = new_token()
            self._codes = [*self._codes[-_CODES:], code]
            return code

    def open_session(self, code: str) -> str:
        """Return the secret of a new session for a code, which is used up by that.

        Raises
        ------
        NotSignedIn
            If there is no such code, or not any more.
        """
        with self._lock:
            found = [each for each in self._codes if same(each, code)]
            if not found:
                raise NotSignedIn(
                    "This address opens a session only once, and was used before or is not this server's; "
                    "`cellmetry serve` shows a new one."
                )
            self._codes.remove(found[0])
        return self._sessions.open()

    def end_session(self, session: str) -> None:
        """Let nobody in by a session any more."""
        self._sessions.end(session)

    def write_address(self) -> Path:
        """Return the file in which programs of the same person find address and token."""
        path = self._settings.home / ADDRESS_FILE
        write_private(path, {"url": self._settings.address, "token": self.token, "pid": os.getpid()})
        self._file = path
        return path
