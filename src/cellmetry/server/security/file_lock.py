"""`locked`: one process at a time may change a file that several servers of a person share."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from cellmetry.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["locked"]


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Wait until nobody else holds the lock on a file of no content, and hold it; it goes when the process does.

    Raises
    ------
    OutputError
        If the file cannot be made or locked.
    """
    handle = -1
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        _wait(handle)
    except OSError as error:
        if handle >= 0:
            os.close(handle)
        raise OutputError(f"{path} could not be locked: {error.strerror or error}.") from error
    try:
        yield
    finally:
        os.close(handle)


if sys.platform == "win32":  # pragma: no cover  Windows only
    import msvcrt

    def _wait(handle: int) -> None:
        msvcrt.locking(handle, msvcrt.LK_LOCK, 1)

else:
    import fcntl

    def _wait(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX)
