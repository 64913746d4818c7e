"""Letters on pictures: one font that has µ, Greek and mathematical signs, at a size that fits the picture."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Literal

from matplotlib.font_manager import FontProperties, findfont
from PIL import ImageFont, features

from cellmetry.errors import OutputError

if TYPE_CHECKING:
    from PIL import ImageDraw

__all__ = ["INK", "letter_size", "letters", "text_size", "write"]

INK = (255, 255, 255)
"""Colour of what is written on dark panels."""

_SHARE = 1 / 48
_SMALLEST = 10.0


def letter_size(picture_size: tuple[int, int]) -> float:
    """Return the height in pixels of letters on panels of a picture of this size."""
    return max(_SMALLEST, max(picture_size) * _SHARE)


@cache
def letters(size: int, weight: Literal["normal", "bold"] = "normal") -> ImageFont.FreeTypeFont:
    """Return DejaVu Sans, which comes with matplotlib, at this size in pixels.

    Raises
    ------
    OutputError
        If Pillow cannot draw letters.
    """
    if not features.check("freetype2"):
        raise OutputError("Pillow was built without FreeType, so nothing can be written on pictures; reinstall pillow.")
    font = FontProperties(family="DejaVu Sans", weight=weight)
    return ImageFont.truetype(findfont(font, fallback_to_default=False), size)


def text_size(text: str, font: ImageFont.FreeTypeFont) -> tuple[float, float]:
    """Return width and height in pixels of a line of text; the height is that of a line, whatever its letters."""
    return font.getlength(text), float(sum(font.getmetrics()))


def write(draw: ImageDraw.ImageDraw, place: tuple[float, float], text: str, font: ImageFont.FreeTypeFont) -> None:
    """Write a line of text whose left end is at `place` (x, y), where y is the middle of the line."""
    draw.text(place, text, font=font, fill=INK, anchor="lm")
