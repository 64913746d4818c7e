"""Opening the study of a command."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cellmetry.errors import MissingInput
from cellmetry.study.store.store import has_state, open_store

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from cellmetry.study.store.store import Store

__all__ = ["open_existing", "say_notices"]


def open_existing(folder: Path, program: str) -> Store:
    """Return the opened study in a folder, which must have one: a new one is not made.

    Raises
    ------
    MissingInput
        If there is none.
    """
    if not has_state(folder):
        raise MissingInput(f"{folder} has no study with labels and history; give a folder NAME.cellmetry/.")
    return open_store(folder, program=program)


def say_notices(store: Store, console: Console) -> None:
    """Print what opening found and mended, and why nothing can be saved if so."""
    for line in (*store.notices, *([store.read_only] if store.read_only else [])):
        console.print(line, style="yellow", markup=False)
