"""`Patience`: how long to wait while another program writes to the database of a study."""

from __future__ import annotations

import sqlite3
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["BUSY", "USUAL", "Patience", "sqlite_code"]

BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_PROTOCOL)
"""What SQLite says while another program writes."""
_WAIT_S, _PAUSE_S = 10.0, 0.05
_Answer = TypeVar("_Answer")


def _go_on() -> None:
    """Hear nothing while waiting."""


@dataclass(frozen=True)
class Patience:
    """How long to wait while another program writes.

    Parameters
    ----------
    wait_s
        Seconds; None for those of a user who waits for an answer.
    between
        Called about once a second meanwhile; what it raises ends the waiting.
    """

    wait_s: float | None = None
    between: Callable[[], None] = _go_on

    def wait_for(self, do: Callable[[], _Answer]) -> _Answer:
        """Return what a call returns that another program may keep waiting."""
        until = time.monotonic() + (_WAIT_S if self.wait_s is None else self.wait_s)
        while True:
            try:
                return do()
            except sqlite3.OperationalError as error:
                if sqlite_code(error) not in BUSY or time.monotonic() >= until:
                    raise
            self.between()
            time.sleep(_PAUSE_S)


USUAL = Patience()
"""That of a user who waits for an answer."""


def sqlite_code(error: sqlite3.DatabaseError) -> int:
    """Return what kind of error it is, 0 where SQLite gave no code."""
    return (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF
