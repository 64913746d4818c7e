"""Progress and cancelling: an argument of whatever takes long, silent by default."""

from __future__ import annotations

from typing import Protocol

__all__ = ["SILENT", "Progress", "SilentProgress"]


class Progress(Protocol):
    """Hears how far the work is. An implementation may raise `Cancelled` from `advance` to stop it."""

    def start(self, task: str, total: int) -> None:
        """Hear that a task of `total` units of work begins."""
        ...

    def advance(self, units: int = 1) -> None:
        """Hear that `units` more are done."""
        ...


class SilentProgress:
    """Hears and says nothing."""

    def start(self, task: str, total: int) -> None:
        """Do nothing."""

    def advance(self, units: int = 1) -> None:
        """Do nothing."""


SILENT: Progress = SilentProgress()
