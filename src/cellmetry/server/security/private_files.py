"""Files of secrets: for the eyes of the person who runs the server, and believed only where nobody else could write."""

from __future__ import annotations

import json
import os
import stat
from typing import TYPE_CHECKING, Any

from cellmetry.io.atomic import atomic_write

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["read_private", "write_private"]

_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_MOST_BYTES = 1 << 20


def write_private(path: Path, told: Any) -> None:
    """Write a file of JSON that has the mode 0600 from its first byte on.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    with atomic_write(path) as temporary:
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(told, file)


def read_private(path: Path) -> Any:
    """Return what a file of `write_private` says; None where there is none, or others could have written it."""
    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
        with os.fdopen(handle, encoding="utf-8") as file:
            return json.loads(file.read(_MOST_BYTES)) if _is_ours(os.fstat(file.fileno())) else None
    except (OSError, ValueError):
        return None


def _is_ours(found: os.stat_result) -> bool:
    if os.name == "nt":  # there the rights of the folder decide
        return True
    return found.st_uid == os.geteuid() and not found.st_mode & _OTHERS
