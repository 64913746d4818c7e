"""Properties of an ImageJ ROI: lines ``name: value`` as Java's ``Properties`` reads them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["format_properties", "parse_properties"]

_SPECIAL = re.compile(r"[\\:=#!\s]")
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "f": "\f"}
_NAMES = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\f": "\\f"}
_ESCAPED = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|(.))", re.DOTALL)
_ENTRY = re.compile(r"((?:\\.|[^\\:=\s])+)[ \t\f]*[:=]?[ \t\f]*(.*)", re.DOTALL)


def format_properties(values: Mapping[str, object]) -> str:
    """Return the text that ImageJ keeps with a ROI."""
    return "".join(f"{_escaped(name)}: {_escaped(str(value), value=True)}\n" for name, value in values.items())


def parse_properties(text: str) -> dict[str, str]:
    """Return the values by name; lines that are no entries are left out, as Java does with comments."""
    found = {}
    for line in re.sub(r"(?<!\\)((?:\\\\)*)\\\n[ \t\f]*", r"\1", text).split("\n"):
        entry = _ENTRY.fullmatch(line.strip(" \t\f\r"))
        if entry and line.lstrip()[0] not in "#!":
            found[_plain(entry[1])] = _plain(entry[2])
    return found


def _escaped(text: str, *, value: bool = False) -> str:
    """Return text with what would end a name, or a line, written with a backslash."""
    special = re.compile(r"[\\\n\r\t\f]") if value else _SPECIAL
    escaped = special.sub(lambda found: _NAMES.get(found[0], f"\\{found[0]}"), text)
    return f"\\{escaped}" if value and escaped.startswith(" ") else escaped


def _plain(text: str) -> str:
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)) if found[1] else _ESCAPES.get(found[2], found[2]), text)
