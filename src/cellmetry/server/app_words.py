"""Sentences of the library in the words of who uses the app or the API, who have no command line at hand."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator

__all__ = ["Told", "app_words"]

_OPTIONS = (
    "adjust|admin|against|axes|background|calibration|channel|dark|detector-bits|device|engine|fractions|from|heads|home|"
    "host|image|join|labels|like|method|min-object|mode|model|name|normalise|originals|out|passport|peak-range|peaks|"
    "percentile|pixel-size|plate|port|predicted|profile|profile-range|radial|radial-clip|radial-on|ratio|ratio-epsilon|"
    "reference|replace|resume|root|saturation|scale|sd|sds|set|shape|smooth|split|summary|table|target|threshold|time|"
    "value"
)
"""Options of the command line that the library names; what else begins with two dashes is part of a name."""
_PHRASES = {
    r"start it with --[a-z-]+": r"\g<0>",  # who runs the server has a command line
    r"give it with --pixel-size \(µm per pixel\)": "say it in the step Images",
    r"name the axes with --axes": "say what the axes are by “Read again as…” in the step Images",
    r", or choose another folder with --out|; choose another folder with --out": "",
    r"Give one with --model PATH.*?; nothing is downloaded\.": "Choose one of these.",
    r"`cellmetry study relink` finds it (?:by its content )?in another folder": (
        "put it back, or say in the step Images where it is now"
    ),
    r"; see `cellmetry [a-z]+(?: [A-Z]+)?`": "",
    r"`cellmetry [^`]+`": r"the command \g<0> on the server's computer",
    r"; fill in the column condition of a sheet, or write rules \(design\.assign\)": "; say it of the images",
    r", or join them by design\.names in study\.toml": "",
    r"correct the sheet(?=[,;.])": "correct the name",
    r"; name one in study\.toml, as in control = \"[^\"]*\"": "; choose one",
    r" in study\.toml": "",
    r"There is no channel in (?P<image>.+?) '(?P<channel>[^']*)'\.(?: Did you mean '[^']*'\?)? "
    r"Known: (?P<channels>[^.]*)\.": (r"\g<image> has no channel “\g<channel>”. Its channels: \g<channels>."),
    r"with diameter_um or diameter_px": "by the diameter in the step Segment",
    r"--set (?='?[\w.\[\]]+[ =:])": "",
    rf"(?<!\S)\(?--(?P<option>{_OPTIONS})(?![\w-]|\.\w)": None,
}
"""What a sentence says for the command line, and what it says instead; an option is called as the form's field."""
_ANY = re.compile("|".join(f"(?P<p{k}>{pattern})" for k, pattern in enumerate(_PHRASES)))
_INSTEAD = tuple(_PHRASES.values())


def app_words(text: str) -> str:
    """Return a sentence without options and commands that its reader cannot give."""
    return _ANY.sub(_instead, text)


def _instead(found: re.Match[str]) -> str:
    whole = found.group()
    words = _INSTEAD[int(str(found.lastgroup)[1:])]
    if words is None:
        opening = "(" if whole.startswith("(") else ""
        return f"{opening}“{found['option'].replace('-', ' ')}”"
    return found.expand(words)


Told = Annotated[str, AfterValidator(app_words)]
"""A sentence in an answer that the library said first."""
