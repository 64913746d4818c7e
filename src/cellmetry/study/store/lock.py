"""`StudyLock`: one program at a time may change a study; the lock heals itself when its holder is killed."""

from __future__ import annotations

import getpass
import json
import os
import platform
import sys
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["LOCK_FILE", "Holder", "StudyLock", "read_holder", "take_lock", "user_name"]

LOCK_FILE = "open.lock"
_TEXT_FROM = 16
"""The first byte is what is locked; Windows forbids others to read it, so the text lies behind it."""


@dataclass(frozen=True)
class Holder:
    """Who has a study open for writing.

    Parameters
    ----------
    address
        Where its server listens; empty for a program without one.
    """

    program: str
    pid: int
    user: str
    computer: str
    since: str
    address: str = ""

    def __str__(self) -> str:
        at = f" at {self.address}" if self.address else ""
        return f"{self.program}{at} ({self.user} on {self.computer}, process {self.pid}, since {self.since[:16]} UTC)"


class StudyLock:
    """A lock of the operating system on a file of the study; it is gone when the process is, however that ended."""

    def __init__(self, handle: int, holder: Holder) -> None:
        self._handle, self.holder = handle, holder

    def say(self, address: str) -> None:
        """Tell others the address of this program's server."""
        self.holder = Holder(**{**asdict(self.holder), "address": address})
        _write(self._handle, self.holder)

    def release(self) -> None:
        """Let others change the study."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1


def take_lock(folder: Path, program: str) -> StudyLock | None:
    """Return the lock of a study, None if another program holds it.

    Raises
    ------
    OSError
        If the file of the lock cannot be made.
    """
    handle = os.open(folder / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o644)
    if not _lock(handle):
        os.close(handle)
        return None
    holder = Holder(program, os.getpid(), user_name(), platform.node(), datetime.now(UTC).isoformat())
    try:
        _write(handle, holder)
    except OSError:  # a full disk
        os.close(handle)
        raise
    return StudyLock(handle, holder)


def read_holder(folder: Path) -> Holder | None:
    """Return who wrote the file of the lock last, None if nobody did."""
    try:
        text = (folder / LOCK_FILE).read_bytes()[_TEXT_FROM:]
        return Holder(**json.loads(text)) if text.strip() else None
    except (OSError, ValueError, TypeError):
        return None


def user_name() -> str:
    """Return the name of the computer's user."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container whose user has no name
        return str(os.getuid()) if hasattr(os, "getuid") else "unknown"


def _write(handle: int, holder: Holder) -> None:
    text = b" " * (_TEXT_FROM - 1) + b"\n" + json.dumps(asdict(holder)).encode()
    os.lseek(handle, 0, os.SEEK_SET)
    os.truncate(handle, 0)
    os.write(handle, text)


if sys.platform == "win32":  # pragma: no cover  Windows only
    import msvcrt

    def _lock(handle: int) -> bool:
        os.lseek(handle, 0, os.SEEK_SET)
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _lock(handle: int) -> bool:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
