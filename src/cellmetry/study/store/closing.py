"""What is noted of a study that was closed: opened again as it was left, it needs no thorough check and no new copy."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from cellmetry.io.atomic import atomic_write

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["CLOSED", "left_as_closed", "note_closing"]

CLOSED = "study.closed.json"
"""Sizes and times of the files of the state when the study was closed."""
_LOGS = ("-wal", "-journal")


def note_closing(files: Sequence[Path]) -> None:
    """Note that a study was closed with all that is in its database in the copy of it too.

    Parameters
    ----------
    files
        The database and its copy.
    """
    with atomic_write(files[0].with_name(CLOSED)) as note:
        note.write_text(json.dumps(_stamps(files)), encoding="utf-8")


def left_as_closed(files: Sequence[Path]) -> bool:
    """Return whether nobody has written to the database or its copy since the study was closed.

    Not so after a program was killed, and not where the study was copied: half of it may be older than the other.
    """
    database = files[0]
    if any(_size(database.with_name(database.name + log)) for log in _LOGS):
        return False
    try:
        noted = json.loads(database.with_name(CLOSED).read_bytes())
        return bool(noted == _stamps(files))
    except (OSError, ValueError):
        return False


def _stamps(files: Sequence[Path]) -> dict[str, list[int]]:
    return {file.name: [file.stat().st_size, file.stat().st_mtime_ns] for file in files}


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0
