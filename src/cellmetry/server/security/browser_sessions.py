"""`BrowserSessions`: the browsers that one person let in, known again after a restart of the server."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING

from cellmetry.errors import OutputError
from cellmetry.server.security.file_lock import locked
from cellmetry.server.security.private_files import read_private, write_private
from cellmetry.server.security.tokens import hash_of, new_token

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["SESSIONS_FILE", "BrowserSessions"]

log = logging.getLogger(__name__)
SESSIONS_FILE = "sessions.json"
"""File of the home folder with the hash of each session's secret, and when it was opened; where ended, less than 0."""
_LOCK_FILE = "sessions.lock"
_LASTS_S = 30 * 86_400
_MOST = 100


class BrowserSessions:
    """Sessions by the hash of their secret; a file of them can let nobody in.

    Several servers of one home folder share the file: each adds what it knows to what the others wrote. A session that
    ended stays noted as such for as long as it could have lasted, so that no server that still knows it writes it back.
    """

    def __init__(self, home: Path) -> None:
        self._home = home
        self._lock = threading.Lock()
        self._known = _read(home)

    def __contains__(self, secret: str) -> bool:
        return self._known.get(hash_of(secret), 0) > time.time() - _LASTS_S

    def open(self) -> str:
        """Return the secret of a new session."""
        secret = new_token()
        self._note(hash_of(secret), time.time())
        return secret

    def end(self, session: str) -> None:
        """Let nobody in by a session any more, named by its hash."""
        if session in self._known:
            self._note(session, -time.time())

    def _note(self, session: str, when: float) -> None:
        with self._lock:
            self._known = _merged(self._known, {session: when})
            try:
                with locked(self._home / _LOCK_FILE):
                    self._known = _merged(_read(self._home), self._known)
                    write_private(self._home / SESSIONS_FILE, self._known)
            except OutputError as error:  # a home folder that can only be read
                log.warning("Browsers have to be let in again after a restart: %s", error)


def _read(home: Path) -> dict[str, float]:
    told = read_private(home / SESSIONS_FILE)
    known = told.items() if isinstance(told, dict) else ()
    return _merged({hashed: when for hashed, when in known if isinstance(when, int | float)}, {})


def _merged(some: Mapping[str, float], others: Mapping[str, float]) -> dict[str, float]:
    """Return the newest of what two know; what ended has ended, and what is old is forgotten."""
    since = time.time() - _LASTS_S
    both = {hashed: min(when, others.get(hashed, when)) for hashed, when in some.items()}
    young = {hashed: when for hashed, when in {**others, **both}.items() if abs(when) > since}
    return dict(sorted(young.items(), key=lambda each: abs(each[1]))[-_MOST:])
