"""In which colours the channels of a study's images are shown, in viewers and in small pictures alike."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cellmetry.core.image import Image

__all__ = ["shown_colours"]

_GREY = "#ffffff"
_PICTURE = ("#ff0000", "#00ff00", "#0000ff")
_BLUE, _ORANGE, _MAGENTA, _GREEN = "#5b8cff", "#ffa033", "#e05fd0", "#3fd0a0"
_OTHERS = (_BLUE, _ORANGE, _MAGENTA, _GREEN, "#f2e24a", "#ff6a5c", "#8fd0ff", "#c8c8c8")
"""Told apart by colour-blind people."""
_DYES = (
    (_BLUE, r"dapi|hoechst|405|nucle"),
    (_GREEN, r"e?gfp|fitc|488|yfp"),
    (_ORANGE, r"tritc|cy3|rfp|mcherry|tdtomato|texas.?red|5[4-9]\d|phalloidin"),
    (_MAGENTA, r"cy5|6[3-9]\d|far.?red|draq"),
)


def shown_colours(image: Image) -> list[str]:
    """Return the colour (``#rrggbb``) of each channel: the file's own if they differ, else as its dye."""
    if image.colour:
        return [_PICTURE[place % 3] for place in range(len(image.channels))]
    given = [channel.colour for channel in image.channels if channel.colour]
    if len(image.channels) == len(set(given)):
        return given
    return [_GREY] if len(image.channels) == 1 else _by_names([channel.name for channel in image.channels])


def _by_names(names: Sequence[str]) -> list[str]:
    found: list[str | None] = []
    for name in names:
        colour = next((colour for colour, words in _DYES if re.search(words, name, re.IGNORECASE)), None)
        found.append(None if colour in found else colour)
    free = [colour for colour in _OTHERS if colour not in found] or list(_OTHERS)
    unsaid = (free[place % len(free)] for place in range(len(found)))
    return [colour or next(unsaid) for colour in found]
