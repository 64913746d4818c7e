"""Names that users gave, as names of files that every disk takes."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["file_stems"]

_UNFIT = re.compile(r"[^\w()+-]")
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)", re.IGNORECASE)
_LONGEST = 80


def file_stems(names: Iterable[str]) -> list[str]:
    """Return for each name, which is a user's text, one that every disk takes, all different: no dots, no folders."""
    stems: list[str] = []
    taken: set[str] = set()
    numbers: dict[str, int] = {}
    for name in names:
        plain = _UNFIT.sub("_", unicodedata.normalize("NFC", name))[:_LONGEST] or "_"
        stem = f"{plain}_" if _RESERVED.fullmatch(plain) else plain
        number = numbers.get(stem.casefold(), 0) + 1
        while (free := stem if number == 1 else f"{stem}_{number}").casefold() in taken:
            number += 1
        numbers[stem.casefold()] = number
        taken.add(free.casefold())
        stems.append(free)
    return stems
