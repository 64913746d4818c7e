"""`propose_pattern`: which pattern makes images of files by their names, and what the names do not tell."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cellmetry.errors import MissingInput, ParameterError
from cellmetry.io.discover import stem_of
from cellmetry.io.patterns import Piece, group_files, parse_pattern, split_pattern
from cellmetry.io.wells import parse_well
from cellmetry.study.naming.makers import LAYOUTS
from cellmetry.study.naming.parts import folder_pieces, name_pieces, shown_values
from cellmetry.study.words import counted, listed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cellmetry.io.discover import InputFile
    from cellmetry.io.patterns import Grouping

__all__ = ["Proposal", "is_by_product", "propose_pattern"]

_BY_PRODUCT = re.compile(
    r".*(?P<ending>_(masks?|labels?|seg|cp_masks|outlines|overlay|thumb(nail)?s?))(?P<guid>[0-9A-Fa-f-]{36})?",
    re.IGNORECASE | re.DOTALL,
)
_ASIDE = "masks, labels or thumbnails"
_MOST = 0.9
"""Share of the files that a known maker's pattern must fit."""
_KNOWN = {"well", "field", "plate", "row", "column", "time", "channel", "z", "t"}
"""Parts whose meaning their name says."""
_FEW = 5
"""Most values of a number that may be a channel."""


@dataclass(frozen=True)
class Proposal:
    """What the names of files say.

    Parameters
    ----------
    pattern
        None where each file is an image and its name tells nothing more, or no pattern was found.
    n_files, n_images
        Files that the pattern takes, and images that they make.
    parts
        Values of each part of the names, in natural order, ``channel`` included.
    said
        What was seen, in sentences.
    alternatives
        Other patterns with what they would mean.
    doubts
        What the names do not tell, in sentences.
    """

    pattern: str | None
    n_files: int
    n_images: int
    parts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    said: tuple[str, ...] = ()
    alternatives: tuple[tuple[str, str], ...] = ()
    doubts: tuple[str, ...] = ()

    @property
    def channels(self) -> tuple[str, ...]:
        """Channels as the names have them; empty if they do not tell."""
        return self.parts.get("channel", ())


@dataclass(frozen=True)
class _Names:
    """The files that may be images, those that are by-products of one, and the usual suffix."""

    files: Sequence[InputFile]
    aside: Sequence[InputFile]
    suffix: str


def is_by_product(name: str) -> bool:
    """Return whether a file is by its name a mask, label picture or thumbnail that somebody put beside the image."""
    return bool(_BY_PRODUCT.fullmatch(stem_of(name)))


def propose_pattern(files: Sequence[InputFile]) -> Proposal:
    """Return a pattern for files with what it makes of them; nothing but names is looked at.

    Raises
    ------
    MissingInput
        If there is no file but masks and thumbnails.
    """
    names = _sorted_out(files)
    for layout in LAYOUTS:
        known = _known(layout.pattern, names)
        if known is not None:
            return _described(known, names, f"Files are named as by {layout.maker}.")
    own = _own(names)
    return _described(own, names, "") if own else _each_file(names)


def _sorted_out(files: Sequence[InputFile]) -> _Names:
    images = [file for file in files if not is_by_product(file.relative.name)]
    aside = [file for file in files if is_by_product(file.relative.name)]
    if not images:
        raise MissingInput(f"There are only {_ASIDE} ({listed(file.relative for file in aside)}).")
    suffixes = Counter(_suffix(file) for file in images)
    return _Names(images, aside, suffixes.most_common(1)[0][0])


def _suffix(file: InputFile) -> str:
    return file.relative.name[len(stem_of(file.relative.name)) :]


def _known(layout: str, names: _Names) -> str | None:
    """Return a maker's pattern made fit for the files; None if it does not fit them."""
    pieces = split_pattern(layout + names.suffix)
    if len(_matched(pieces, names)) < _MOST * len(names.files):
        return None
    return _fitted([*_folders(names), *pieces], names) or _fitted(pieces, names)


def _own(names: _Names) -> str | None:
    """Return a pattern made from what varies in the names; None if they are images one by one."""
    stems = [stem_of(file.relative.name) for file in names.files if _suffix(file) == names.suffix]
    if any(sign in stem for stem in stems for sign in "{}"):
        return None
    pieces = [*name_pieces(stems), Piece(names.suffix)]
    folders = _folders(names)
    named = [piece for piece in (*folders, *pieces) if piece.name]
    if len(named) < 2 or len(_matched(pieces, names)) < _MOST * len(names.files):
        return None
    return _fitted([*folders, *pieces], names) or _fitted(pieces, names)


def _folders(names: _Names) -> list[Piece]:
    return folder_pieces([file.relative.parent.parts for file in names.files])


def _fitted(pieces: Sequence[Piece], names: _Names) -> str | None:
    """Return the simplest pattern that says the same of all files; None if it makes one image of several, or of masks.

    What is skipped, and planes of which there is one, become text where they are the same in all names.
    """
    aside = {str(file.relative) for file in names.aside}
    marked = [
        piece._replace(name=f"_skipped{place}") if piece.name == "_" else piece for place, piece in enumerate(pieces)
    ]
    matched = _matched(marked, names)
    if not matched or matched.keys() & aside or _grouping(_text(pieces), names) is None:
        return None
    pieces = [_constant(piece, {parts.get(piece.name, "") for parts in matched.values()}) for piece in marked]
    taken = _matched(pieces, names)
    for place, piece in enumerate(pieces):
        simpler = [*pieces[:place], piece._replace(expression=""), *pieces[place + 1 :]]
        if piece.expression and _matched(simpler, names) == taken:
            pieces = simpler
    return _text(pieces) if taken else None


def _constant(piece: Piece, values: set[str]) -> Piece:
    """Return text in place of what is not needed and the same in all names, and ``{_}`` for what is not needed."""
    skipped = piece.name.startswith("_skipped")
    if (skipped or piece.name in {"z", "t"}) and len(values) == 1:
        return Piece(piece.literal + values.pop())
    return piece._replace(name="_") if skipped else piece


def _text(pieces: Sequence[Piece]) -> str:
    parts = [
        f"{{{piece.name}{':' * bool(piece.expression)}{piece.expression}}}" if piece.name else "" for piece in pieces
    ]
    return "".join(piece.literal + part for piece, part in zip(pieces, parts, strict=True))


def _matched(pieces: Sequence[Piece], names: _Names) -> dict[str, dict[str, str]]:
    """Return the parts of each file that fits, masks and the like among them."""
    if not any(piece.name for piece in pieces):
        return {}
    pattern = parse_pattern(_text(pieces))
    found = {str(file.relative): pattern.match(file.relative) for file in (*names.files, *names.aside)}
    return {name: parts for name, parts in found.items() if parts is not None}


def _grouping(pattern: str, names: _Names) -> Grouping | None:
    """Return the images that a pattern makes; None if two files would be the same plane."""
    try:
        return group_files(names.files, pattern)
    except ParameterError:
        return None


def _each_file(names: _Names) -> Proposal:
    """Return the proposal that each file is an image."""
    said = [f"{counted(len(names.files), 'file')}, each an image of its own."]
    doubts = ["No parts were found in the names that say plate, well or field."]
    pattern = None
    if names.aside:
        pattern = _but(names)
        said.append(f"Left aside as {_ASIDE}: {counted(len(names.aside), 'file')} ({_shown(names.aside)}).")
    return Proposal(pattern, len(names.files), len(names.files), said=tuple(said), doubts=tuple(doubts))


def _but(names: _Names) -> str:
    """Return the pattern of all files except those that end as the by-products do."""
    ends = sorted({match["ending"] for file in names.aside if (match := _BY_PRODUCT.fullmatch(_stem(file)))})
    return f"{{name:.+{''.join(f'(?<!{end})' for end in ends)}}}{names.suffix}"


def _stem(file: InputFile) -> str:
    return stem_of(file.relative.name)


def _shown(files: Sequence[InputFile]) -> str:
    return listed([file.relative.name for file in files], 3)


def _described(pattern: str, names: _Names, start: str) -> Proposal:
    """Return the proposal of a pattern with everything that can be said of it."""
    grouping = group_files(names.files, pattern)
    groups = grouping.groups
    parts = {name: tuple(dict.fromkeys(group.parts[name] for group in groups)) for name in groups[0].parts}
    told = {"channel": groups[0].channels, "z": groups[0].depths, "t": groups[0].times}
    parts |= {name: values for name, values in told.items() if values != ("",)}
    n_files = sum(len(group.files) for group in groups)
    said = [f"{counted(n_files, 'file')} make {counted(len(groups), 'image')}.", *_of_parts(parts)]
    if names.aside:
        said.append(f"Left aside as {_ASIDE}: {counted(len(names.aside), 'file')} ({_shown(names.aside)}).")
    short = [group.shortage for group in groups if group.missing]
    if short:
        said.append(f"{counted(len(short), 'image')} {'lacks' if len(short) == 1 else 'lack'} planes: {short[0]}")
    left = [path.name for path in grouping.unmatched]
    doubts = [f"{counted(len(left), 'file')} with other names left out: {listed(left, 3)}."] if left else []
    return Proposal(
        pattern,
        n_files,
        len(groups),
        parts,
        tuple(filter(None, (start, *said))),
        _alternatives(pattern, parts, names),
        (*doubts, *_doubts(parts)),
    )


def _of_parts(parts: Mapping[str, tuple[str, ...]]) -> list[str]:
    lines = []
    for name, values in parts.items():
        wells = f", wells {_span(values)}" if name == "well" else ""
        lines.append(f"{name}: {shown_values(values)}{wells}.")
    return lines


def _span(values: Sequence[str]) -> str:
    found = [well for value in values if (well := parse_well(value)) is not None]
    rows, columns = {well.row for well in found}, {well.column for well in found}
    return f"in {counted(len(rows), 'row')} and {counted(len(columns), 'column')}"


def _alternatives(pattern: str, parts: Mapping[str, tuple[str, ...]], names: _Names) -> tuple[tuple[str, str], ...]:
    """Return the patterns in which a number of few values is the channel, where the names tell no channel."""
    if "channel" in parts:
        return ()
    found = []
    for piece in reversed(split_pattern(pattern)):
        values = parts.get(piece.name, ())
        numbers = all(value.isdecimal() for value in values)
        if piece.name in _KNOWN - {"field"} or not numbers or not 2 <= len(values) <= _FEW:
            continue
        other = [each._replace(name="channel") if each == piece else each for each in split_pattern(pattern)]
        grouping = _grouping(_text(other), names)
        if grouping is not None and grouping.groups and not any(group.missing for group in grouping.groups):
            text = f"{counted(len(grouping.groups), 'image')} of {len(values)} channels, if {piece.name} is the channel"
            found.append((_text(other), text))
    return tuple(found)


def _doubts(parts: Mapping[str, tuple[str, ...]]) -> list[str]:
    found = []
    channels = parts.get("channel", ())
    if channels and all(channel.isdigit() for channel in channels):
        named = ", ".join(channels)
        found.append(f"The names do not say what the channels {named} show; name them in study.toml (images.roles).")
    strange = [f"{name} ({shown_values(values)})" for name, values in parts.items() if name not in _KNOWN]
    if strange:
        found.append(f"What these parts of the names mean is not guessed: {listed(strange)}.")
    if "well" not in parts and not {"row", "column"} <= set(parts):
        found.append("The names tell no wells of a plate.")
    return found
