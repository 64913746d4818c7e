"""Names of items: short, unique whatever the case, and good as file names on every system."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["file_safe", "unique_names"]

_REFUSED = re.compile(r'[<>:"/\\|?*#\x00-\x1f]+')
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
_LONGEST = 120


def file_safe(text: str) -> str:
    """Return `text` as a file name that every system takes; what is too long ends in a hash of the whole."""
    name = _REFUSED.sub("_", text).strip(". ") or "item"
    if _RESERVED.fullmatch(name):
        name = f"{name}_"
    if len(name.encode("utf-8")) <= _LONGEST:
        return name
    end = hashlib.sha256(text.encode("utf-8")).hexdigest()[:12]
    start = name.encode("utf-8")[: _LONGEST - len(end) - 1].decode("utf-8", "ignore")
    return f"{start.rstrip('. ')}_{end}"


def unique_names(paths: Sequence[str]) -> list[str]:
    """Return a name for each path (without suffix, parts joined by ``/``), unique whatever the case.

    It is the last part, with as many of the folders before it as tell it apart, and a number where nothing does.
    """
    parts = [path.strip("/").split("/") for path in paths]
    depths = [1] * len(parts)
    while True:
        names = [file_safe("_".join(part[-depth:])) for part, depth in zip(parts, depths, strict=True)]
        counts = Counter(name.casefold() for name in names)
        alike = [k for k, name in enumerate(names) if counts[name.casefold()] > 1 and depths[k] < len(parts[k])]
        if not alike:
            return _numbered(names)
        for k in alike:
            depths[k] += 1


def _numbered(names: list[str]) -> list[str]:
    taken: set[str] = set()
    wanted = {name.casefold() for name in names}
    given = []
    for name in names:
        number, free = 1, name
        while free.casefold() in taken or (number > 1 and free.casefold() in wanted):
            number += 1
            free = f"{name}-{number}"
        taken.add(free.casefold())
        given.append(free)
    return given
