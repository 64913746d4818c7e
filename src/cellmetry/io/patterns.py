r"""File names with named parts, as ``{well}_{field}_w{channel}.tif``: many files become one image.

``{channel}`` (letters and digits), ``{z}`` and ``{t}`` (digits) say which plane a file holds; all other names together
say which image it belongs to; ``{_}`` is skipped. A part may have its own regular expression: ``{well:[A-H]\d{2}}``. A
pattern with ``/`` is matched against the path below the input folder, any other against the file name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import product
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

from cellmetry.errors import ParameterError, UnknownName
from cellmetry.io.discover import natural_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from cellmetry.io.discover import InputFile

__all__ = ["FileGroup", "FilePattern", "Grouping", "Piece", "Place", "group_files", "parse_pattern", "split_pattern"]

_DEFAULT = r"[^/]+?"
_DEFAULTS = {"t": r"\d+", "z": r"\d+", "channel": r"[^\W_]+"}
_SKIPPED = "_"
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Place(NamedTuple):
    """Which plane a file holds, in the words of its name; empty where the pattern has no such part."""

    t: str
    channel: str
    z: str


class Piece(NamedTuple):
    """Literal text of a pattern and the part that follows it: its name and regular expression, empty where none."""

    literal: str
    name: str = ""
    expression: str = ""


@dataclass(frozen=True)
class FilePattern:
    """A pattern ready to match.

    Parameters
    ----------
    text
        As written.
    regex
        What it means.
    names
        Its named parts in order, each once, without ``_``.
    """

    text: str
    regex: re.Pattern[str]
    names: tuple[str, ...]

    def match(self, relative: PurePosixPath) -> dict[str, str] | None:
        """Return the named parts of a file, None if it does not fit."""
        text = str(relative) if "/" in self.text else relative.name
        found = self.regex.fullmatch(text)
        return found.groupdict() if found else None


@dataclass(frozen=True)
class FileGroup:
    """Files that make up one image.

    Parameters
    ----------
    relative
        Folder below the input, and the name of the image: its parts joined by ``_``.
    parts
        What identifies the image: ``{"well": "B02", "field": "1"}``.
    files
        The file of each plane.
    times, channels, depths
        The values of ``{t}``, ``{channel}`` and ``{z}`` in natural order, ``("",)`` where the pattern has none.
        Channels are those of all groups together, so that a missing one is noticed.
    channel_names
        Roles of the channels, in the same order; empty where the pattern has no ``{channel}``.
    """

    relative: PurePosixPath
    parts: Mapping[str, str]
    files: Mapping[Place, Path]
    times: tuple[str, ...]
    channels: tuple[str, ...]
    depths: tuple[str, ...]
    channel_names: tuple[str, ...]

    @property
    def missing(self) -> tuple[Place, ...]:
        """The planes for which there is no file."""
        places = (Place(*values) for values in product(self.times, self.channels, self.depths))
        return tuple(place for place in places if place not in self.files)

    @property
    def shortage(self) -> str:
        """What is missing, as a sentence: ``B02_1 lacks channel 2.``; empty if nothing is."""
        words = [
            " ".join(f"{name} {value}" for name, value in zip(place._fields, place, strict=True) if value)
            for place in self.missing
        ]
        more = f" and {len(words) - 3} more planes" if len(words) > 3 else ""
        return f"{self.relative} lacks {'; '.join(words[:3])}{more}." if words else ""


class Grouping(NamedTuple):
    """What a pattern made of files; `problems` says in sentences what does not match or is missing."""

    groups: tuple[FileGroup, ...]
    unmatched: tuple[Path, ...]
    problems: tuple[str, ...]


def parse_pattern(text: str) -> FilePattern:
    """Return the pattern that `text` describes.

    Raises
    ------
    ParameterError
        If braces do not match, a name or a regular expression is wrong, or nothing is named.
    """
    pieces, names = [], []
    for literal, name, expression in split_pattern(text):
        pieces.append(re.escape(literal))
        if name == _SKIPPED:
            pieces.append(f"(?:{expression or _DEFAULT})")
        elif name in names:
            pieces.append(f"(?P={name})")
        elif name:
            names.append(name)
            pieces.append(f"(?P<{name}>{expression or _DEFAULTS.get(name, _DEFAULT)})")
    if not names:
        raise ParameterError(f"The pattern {text!r} names no part; write for example '{{well}}_{{field}}.tif'.")
    try:
        return FilePattern(text, re.compile(_any_case_suffix("".join(pieces), text)), tuple(names))
    except re.error as error:
        raise ParameterError(f"The pattern {text!r} has a wrong regular expression: {error}.") from error


def group_files(
    files: Iterable[InputFile], pattern: str | FilePattern, *, roles: Mapping[str, str] | None = None
) -> Grouping:
    """Return the images that the files make up by their names, in natural order.

    Parameters
    ----------
    roles
        Names of channels by their value in file names: ``{"1": "FKHR-GFP", "2": "DNA"}``. Others keep the value.

    Raises
    ------
    ParameterError
        If two files claim the same plane, or two images the same name.
    UnknownName
        If a role is given to a channel that no file has.
    """
    pattern = parse_pattern(pattern) if isinstance(pattern, str) else pattern
    planes, unmatched = _sorted_into_images(files, pattern)
    channels = _values(place.channel for taken in planes.values() for place in taken)
    names = _channel_names(channels, roles or {})
    groups = [
        FileGroup(
            relative=key.folder / ("_".join(key.values) or "image"),
            parts=dict(zip(_identifying(pattern), key.values, strict=True)),
            files=taken,
            times=_values(place.t for place in taken),
            channels=channels,
            depths=_values(place.z for place in taken),
            channel_names=names,
        )
        for key, taken in planes.items()
    ]
    groups.sort(key=lambda group: natural_key(str(group.relative)))
    _refuse_equal_names(groups)
    return Grouping(tuple(groups), tuple(unmatched), _problems(groups, unmatched, pattern))


class _Key(NamedTuple):
    """What identifies an image: its folder, and the values of the parts that are not planes."""

    folder: PurePosixPath
    values: tuple[str, ...]


def _identifying(pattern: FilePattern) -> list[str]:
    return [name for name in pattern.names if name not in Place._fields]


def _sorted_into_images(
    files: Iterable[InputFile], pattern: FilePattern
) -> tuple[dict[_Key, dict[Place, Path]], list[Path]]:
    planes: dict[_Key, dict[Place, Path]] = {}
    unmatched: list[Path] = []
    for file in files:
        parts = pattern.match(file.relative)
        if parts is None:
            unmatched.append(file.path)
            continue
        place = Place(*(parts.get(name, "") for name in Place._fields))
        folder = PurePosixPath() if "/" in pattern.text else file.relative.parent
        taken = planes.setdefault(_Key(folder, tuple(parts[name] for name in _identifying(pattern))), {})
        if place in taken:
            raise ParameterError(f"{taken[place]} and {file.path} are the same plane by the pattern {pattern.text!r}.")
        taken[place] = file.path
    return planes, unmatched


def split_pattern(text: str) -> list[Piece]:
    """Return the pieces of a pattern; the last is the literal text after its last part.

    Raises
    ------
    ParameterError
        If braces do not match or a name is wrong.
    """
    found, literal, at = [], "", 0
    while at < len(text):
        if text[at] == "}":
            raise ParameterError(f"The pattern {text!r} has a '}}' without '{{'.")
        if text[at] != "{":
            literal, at = literal + text[at], at + 1
            continue
        end = _closing(text, at)
        name, _, expression = text[at + 1 : end].partition(":")
        if not _NAME.fullmatch(name):
            raise ParameterError(f"The pattern {text!r} has a part named {name!r}; use letters, digits and '_'.")
        found.append(Piece(literal, name, expression))
        literal, at = "", end + 1
    return [*found, Piece(literal)]


def _closing(text: str, start: int) -> int:
    depth = 0
    for at in range(start, len(text)):
        depth += {"{": 1, "}": -1}.get(text[at], 0) if text[at - 1] != "\\" else 0
        if depth == 0:
            return at
    raise ParameterError(f"The pattern {text!r} has a '{{' without '}}'.")


def _any_case_suffix(expression: str, text: str) -> str:
    suffix = PurePosixPath(text).suffix
    if not re.fullmatch(r"\.\w+", suffix):
        return expression
    return f"{expression.removesuffix(re.escape(suffix))}(?i:{re.escape(suffix)})"


def _values(found: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(found), key=natural_key)) or ("",)


def _channel_names(channels: Sequence[str], roles: Mapping[str, str]) -> tuple[str, ...]:
    for value in roles:
        if value not in channels:
            raise UnknownName("channel in the file names", value, [channel for channel in channels if channel])
    return tuple(roles.get(channel, channel) for channel in channels) if channels != ("",) else ()


def _refuse_equal_names(groups: Sequence[FileGroup]) -> None:
    seen: dict[str, FileGroup] = {}
    for group in groups:
        other = seen.setdefault(str(group.relative).casefold(), group)
        if other is not group:
            raise ParameterError(f"{dict(other.parts)} and {dict(group.parts)} would both be named {group.relative}.")


def _problems(groups: Sequence[FileGroup], unmatched: Sequence[Path], pattern: FilePattern) -> tuple[str, ...]:
    found = []
    if unmatched:
        named = ", ".join(path.name for path in unmatched[:3])
        more = f" and {len(unmatched) - 3} more" if len(unmatched) > 3 else ""
        files = "1 file does" if len(unmatched) == 1 else f"{len(unmatched)} files do"
        found.append(f"{files} not match {pattern.text!r}: {named}{more}.")
    found += [group.shortage for group in groups if group.missing]
    return tuple(found)
