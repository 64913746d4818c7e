"""A pattern for names that no known maker writes: what is the same in all is text, what varies is a part."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from cellmetry.io.discover import natural_key
from cellmetry.io.patterns import Piece
from cellmetry.io.wells import parse_well

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["folder_pieces", "name_pieces", "shown_values"]

_SEPARATORS = re.compile(r"([_\-. ]+)")
_RUNS = re.compile(r"\d+|\D+")
_WELL = r"[A-Pa-p]\d{1,2}"
_DATE = re.compile(r"(19|20)\d{2}[-_.]?\d{2}[-_.]?\d{2}|\d{2}[-_.]\d{2}[-_.](19|20)?\d{2}|\d{6}")
_PREFIXES = {
    **dict.fromkeys(("w", "wv", "c", "ch", "chan", "channel"), "channel"),
    **dict.fromkeys(("s", "f", "xy", "fov", "fld", "field", "site", "pos", "position", "image", "img"), "field"),
    **dict.fromkeys(("z", "slice"), "z"),
    **dict.fromkeys(("t", "tp", "time", "timepoint", "frame"), "t"),
    **dict.fromkeys(("p", "plate"), "plate"),
    **dict.fromkeys(("r", "row"), "row"),
    "well": "well",
}
"""What letters before a number mean."""
_STAINS = frozenset(
    name
    for names in (
        ("dapi", "hoechst", "draq5", "topro", "dna", "edu", "brdu", "actin", "phalloidin", "tubulin"),
        ("gfp", "egfp", "yfp", "cfp", "bfp", "rfp", "mcherry", "tdtomato"),
        ("fitc", "tritc", "rhodamine", "cy3", "cy5", "cy7", "txred", "texasred"),
        (f"{dye}{number}" for dye in ("alexa", "af") for number in (405, 488, 555, 568, 594, 647)),
        ("phase", "ph", "dic", "bf", "brightfield", "trans"),
    )
    for name in names
)
"""Words that name a channel, whatever their capitals."""
_TAKEN = frozenset({"image", "label", "path", "status", "reason", "excluded", "warnings", "shape", "axes", "seconds"})
"""Names that tables have for something else."""


def name_pieces(stems: Sequence[str]) -> list[Piece]:
    """Return the pieces of a pattern for file names without suffix; names unlike the others are left out of account."""
    split = [_SEPARATORS.split(stem) for stem in stems]
    usual = Counter(tuple(parts[1::2]) for parts in split).most_common(1)[0][0]
    rows = [parts[0::2] for parts in split if tuple(parts[1::2]) == usual]
    signs = "".join(sorted({sign for separator in usual for sign in separator}))
    found: list[Piece] = []
    for place, values in enumerate(zip(*rows, strict=True)):
        found += [*_pieces_of(values, signs), Piece(usual[place] if place < len(usual) else "")]
    return _merged(_named_once(found))


def folder_pieces(folders: Sequence[Sequence[str]]) -> list[Piece]:
    """Return the pieces for the folders of files, one sequence of names each; nothing if their depths differ."""
    if len({len(names) for names in folders}) != 1 or len(set(map(tuple, folders))) == 1:
        return []
    found: list[Piece] = []
    for level, values in enumerate(zip(*folders, strict=True), 1):
        found += [*_folder(values, level), Piece("/")]
    return _merged(_named_once(found))


def shown_values(values: Iterable[str]) -> str:
    """Return values in words, in natural order: ``A01 to C06 (18)`` or ``1, 2``."""
    ordered = sorted(set(values), key=natural_key)
    return ", ".join(ordered) if len(ordered) <= 6 else f"{ordered[0]} to {ordered[-1]} ({len(ordered)})"


def _pieces_of(values: Sequence[str], signs: str) -> list[Piece]:
    """Return the pieces for what stands at one place between separators, which are made of some signs."""
    if len(set(values)) == 1:
        return [Piece(values[0])]
    if all(re.fullmatch(_WELL, value) and parse_well(value) for value in values):
        return [Piece("", "well", _WELL)]
    if all(value.casefold() in _STAINS for value in values):
        return [Piece("", "channel")]
    runs = [_RUNS.findall(value) for value in values]
    words = {tuple(run for run in each if not run.isdigit()) for each in runs}
    kinds = {tuple(run.isdigit() for run in each) for each in runs}
    if len(words) == 1 and len(kinds) == 1:
        return _numbered(runs)
    return [Piece("", "part", f"[^/{re.escape(signs)}]+")]


def _numbered(runs: Sequence[Sequence[str]]) -> list[Piece]:
    """Return the pieces of words with numbers in them, as ``f01p02``: letters are text that names the number after."""
    found, prefix = [], ""
    together = {run.casefold() for run in runs[0]}
    for values in zip(*runs, strict=True):
        if len(set(values)) == 1:
            prefix = values[0]
            found.append(Piece(prefix))
            continue
        word = prefix.casefold()
        column = word in {"c", "col", "column"} and bool(together & {"r", "row"})
        found.append(Piece("", "column" if column else _PREFIXES.get(word) or _own_name(prefix), r"\d+"))
    return found


def _own_name(prefix: str) -> str:
    word = re.sub(r"\W+", "_", prefix).strip("_").lower()
    return word if word.isidentifier() and word not in _TAKEN else "number"


def _folder(values: Sequence[str], level: int) -> list[Piece]:
    if len(set(values)) == 1:
        return [Piece(values[0])]
    if all(re.search("plate", value, re.IGNORECASE) for value in values):
        return [Piece("", "plate")]
    if all(_DATE.fullmatch(value) for value in values):
        return [Piece("", "day")]
    pieces = _pieces_of(values, "")
    numbered = re.fullmatch(r"(\D*?)[_\- ]*\d+", values[0])
    word = "" if numbered is None else numbered[1].strip("_- ").casefold()
    if _PREFIXES.get(word) in {"t", "z"} and len({value.rstrip("0123456789") for value in values}) == 1:
        return [Piece(values[0].rstrip("0123456789")), Piece("", _PREFIXES[word], r"\d+")]
    known = len(pieces) == 1 and pieces[0].name in {"well", "channel"}
    return pieces if known else [Piece("", f"folder{level}")]


def _named_once(pieces: list[Piece]) -> list[Piece]:
    """Return the pieces with a number after names that stand twice."""
    counts = Counter(piece.name for piece in pieces)
    seen: Counter[str] = Counter()
    out = []
    for piece in pieces:
        seen[piece.name] += 1
        twice = counts[piece.name] > 1 or piece.name in {"part", "number"}
        first = piece.name in _PREFIXES.values() and seen[piece.name] == 1
        numbered = piece.name and twice and not first
        out.append(piece._replace(name=f"{piece.name}{seen[piece.name]}") if numbered else piece)
    return out


def _merged(pieces: list[Piece]) -> list[Piece]:
    """Return the pieces with literal text joined to the part that follows it."""
    out, literal = [], ""
    for piece in pieces:
        literal += piece.literal
        if piece.name:
            out.append(piece._replace(literal=literal))
            literal = ""
    return [*out, Piece(literal)]
