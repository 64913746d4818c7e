"""`Scratch`: where files of one-shot requests lie while they are worked; what a killed server left goes."""

from __future__ import annotations

import shutil
import threading
from secrets import token_hex
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from cellmetry.study.store.lock import take_lock

if TYPE_CHECKING:
    from pathlib import Path

    from cellmetry.study.store.lock import StudyLock

__all__ = ["Scratch"]

_FOLDER, _PROGRAM = "one-shot", "one-shot requests"


class Scratch:
    """A folder of this process below the home folder, made when it is first needed.

    The lock of the operating system on it says that the process is alive: several servers may share a home folder.
    """

    def __init__(self, home: Path) -> None:
        self._all = home / _FOLDER
        self._own = self._all / token_hex(8)
        self._held: StudyLock | None = None
        self._lock = threading.Lock()

    def folder(self) -> TemporaryDirectory[str]:
        """Return a new folder, to be cleaned up when its request was answered."""
        with self._lock:
            if self._held is None:
                self._own.mkdir(parents=True, exist_ok=True)
                self._held = take_lock(self._own, _PROGRAM)
        return TemporaryDirectory(dir=self._own, ignore_cleanup_errors=True)

    def clear(self) -> None:
        """Remove what servers left that were killed."""
        for left in self._all.iterdir() if self._all.is_dir() else ():
            held = take_lock(left, _PROGRAM) if left.is_dir() and left != self._own else None
            if held is not None:
                held.release()
                shutil.rmtree(left, ignore_errors=True)

    def close(self) -> None:
        """Remove the folder of this process."""
        with self._lock:
            if self._held is not None:
                self._held.release()
                self._held = None
                shutil.rmtree(self._own, ignore_errors=True)
