"""Natural order of names: numbers in them count as numbers."""

from __future__ import annotations

import re

__all__ = ["natural_key"]

_DIGITS = re.compile(r"(\d+)")


def natural_key(text: str) -> tuple[tuple[int, int | str], ...]:
    """Return a sorting key by which numbers in `text` count as numbers, and case matters only at the end.

    A name stands before those that go on from it: drug, drug2, drug10.
    """
    parts = _DIGITS.split(text)
    folded = [(0, int(part)) if part.isdigit() else (1, part.casefold()) for part in parts if part]
    return (*folded, (-1, text))
