"""`BrowserSessions`: the browsers that one person let in, known again after a restart of the server."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING

from cellmetry.errors import OutputError
from cellmetry.server.security.private_files import read_private, write_private
from cellmetry.server.security.tokens import hash_of, new_token

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["SESSIONS_FILE", "BrowserSessions"]

log = logging.getLogger(__name__)
SESSIONS_FILE = "sessions.json"
"""File of the home folder with the hash of each session's secret, and when it was opened."""
_DAYS = 30
_MOST = 100


class BrowserSessions:
    """Sessions by the hash of their secret; a file of them can let nobody in."""

    def __init__(self, home: Path) -> None:
        self._file = home / SESSIONS_FILE
        self._lock = threading.Lock()
        self._opened = _read(self._file)

    def __contains__(self, secret: str) -> bool:
        return hash_of(secret) in self._opened

    def open(self) -> str:
        """Return the secret of a new session."""
        secret = new_token()
        with self._lock:
            newest = sorted(self._opened.items(), key=lambda each: each[1])[1 - _MOST :]
            self._opened = {**dict(newest), hash_of(secret): time.time()}
            self._keep()
        return secret

    def end(self, session: str) -> None:
        """Let nobody in by a session any more, named by its hash."""
        with self._lock:
            if self._opened.pop(session, None) is not None:
                self._keep()

    def _keep(self) -> None:
        try:
            write_private(self._file, self._opened)
        except OutputError as error:  # a home folder that can only be read
            log.warning("Browsers have to be let in again after a restart: %s", error)


def _read(file: Path) -> dict[str, float]:
    told = read_private(file)
    since = time.time() - _DAYS * 86_400
    known = told.items() if isinstance(told, dict) else ()
    return {hashed: opened for hashed, opened in known if isinstance(opened, int | float) and opened > since}
