"""Names and numbers of things in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["counted", "listed"]

_SHOWN = 5


def listed(names: Iterable[object], most: int = _SHOWN) -> str:
    """Return the first few names and the number of the others: ``A01, A02 and 3 more``."""
    words = list(map(str, names))
    more = f" and {len(words) - most} more" if len(words) > most else ""
    return ", ".join(words[:most]) + more


def counted(number: int, thing: str) -> str:
    """Return a number with its thing: ``1 well``, ``3 wells``."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"
