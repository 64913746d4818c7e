"""The folder in which the course of a training is written, and what of it goes when the training has ended."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["CACHE", "CHECKPOINT", "SPLIT", "clear_course"]

CHECKPOINT = "checkpoint.pt"
"""From where a training that was killed goes on."""
CACHE = "cache"
"""Images as the training reads them."""
SPLIT = "split.csv"
"""Which images teach, and which are held out."""


def clear_course(folder: Path) -> None:
    """Remove the checkpoint and the prepared images of a training that has ended."""
    (folder / CHECKPOINT).unlink(missing_ok=True)
    shutil.rmtree(folder / CACHE, ignore_errors=True)
