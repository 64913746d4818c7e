"""Names of augmented copies: which original a name points to, by the endings that scripts give to what they make."""

from __future__ import annotations

import re

__all__ = ["original_name"]

_PART = r"[ _.\-]"
_AXIS = rf"(?:{_PART}?(?:hv|h|v|xy|x|y|lr|ud|horizontal(?:ly)?|vertical(?:ly)?|both))?"
_WORDS = "|".join((
    r"aug(?:ment(?:ed|ation)?)?",
    r"rot(?:at(?:ed?|ion))?",
    rf"(?:flip(?:ped)?|mirror(?:ed)?){_AXIS}",
    rf"(?:h|v|horizontal|vertical){_PART}?(?:flip(?:ped)?|mirror(?:ed)?)",
    r"transposed?",
    r"invert(?:ed)?",
))  # fmt: skip
_NUMBER = rf"(?:{_PART}?[+-]?\d+(?:\.\d+)?(?:{_PART}?deg(?:rees?)?)?)?"
_ENDING = re.compile(rf"{_PART}+(?:{_WORDS}){_NUMBER}{_PART}*$", re.IGNORECASE)


def original_name(name: str) -> str:
    """Return what is left of a name without the endings that name a copy: ``cell`` of ``cell_rot90_flipped``.

    An ending is parted from what stands before it and holds one word for turning, mirroring, transposing, inverting
    or augmenting, at most with an axis or a number: ``_rotated137_``, ``-aug3``, ``_flip_h``, ``_hflip``. A name
    without such an ending, or of nothing else, is returned as it is.
    """
    shorter = _ENDING.sub("", name)
    while shorter and shorter != name:
        name, shorter = shorter, _ENDING.sub("", shorter)
    return name
