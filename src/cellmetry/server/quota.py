"""`must_have_room`: a study of a public demo grows only so far."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from cellmetry.errors import LimitExceeded

if TYPE_CHECKING:
    from cellmetry.server.settings import Limits
    from cellmetry.study.store.store import Store

__all__ = ["must_have_room"]


def must_have_room(store: Store, limits: Limits) -> None:
    """Refuse to add to a study that is as large as it may be.

    Raises
    ------
    LimitExceeded
        If it is.
    """
    if not limits.study_bytes:
        return
    used = _bytes_of(store.folder)
    if used >= limits.study_bytes:
        raise LimitExceeded(
            f"This study has {used / 1e6:.0f} MB, and here a study may have {limits.study_bytes / 1e6:.0f} MB; make "
            f"another one, or use Cellmetry on your own computer."
        )


def _bytes_of(folder: Path) -> int:
    size = 0
    for where, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):  # it was a temporary file
                size += Path(where, name).lstat().st_size
    return size
