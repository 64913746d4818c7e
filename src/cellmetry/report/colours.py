"""Colours: of channels, and of objects so that neighbours are told apart; safe for colour-blind readers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from cellmetry.errors import ParameterError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from cellmetry.core.image import Channel

__all__ = ["channel_colours", "colour_bytes", "object_colours", "parse_colour"]

_DEFAULTS = {
    1: ("#ffffff",),
    2: ("#00ff00", "#ff00ff"),
    3: ("#00ffff", "#ff00ff", "#ffff00"),
}
_MANY = ("#00ffff", "#ff00ff", "#ffff00", "#ffffff", "#ff8000", "#0080ff", "#80ff00", "#ff0080")
_GOLDEN_ANGLE = np.pi * (3 - np.sqrt(5))
_LIGHTNESS = np.array([[0.52, 0.44, 0.60], [0.80, 0.72, 0.88]])
"""Of objects on bright (first row) and dark ground, taken in turn."""
_CHROMA = 0.24
_OKLAB_TO_LMS = np.array(
    [[1, 0.3963377774, 0.2158037573], [1, -0.1055613458, -0.0638541728], [1, -0.0894841775, -1.2914855480]]
)
_LMS_TO_RGB = np.array(
    [
        [4.0767416621, -3.3077115913, 0.2309699292],
        [-1.2684380046, 2.6097574011, -0.3413193965],
        [-0.0041960863, -0.7034186147, 1.7076147010],
    ]
)


def parse_colour(text: str) -> NDArray[np.float32]:
    """Return red, green and blue from 0 to 1 of a colour written ``#rrggbb``."""
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", text):
        raise ParameterError(f"{text!r} is not a colour; write it as '#rrggbb', for example '#ff8000'.")
    return np.array([int(text[at : at + 2], 16) for at in (1, 3, 5)], np.float32) / np.float32(255)


def colour_bytes(text: str) -> NDArray[np.uint8]:
    """Return red, green and blue from 0 to 255 of a colour written ``#rrggbb``."""
    return np.rint(parse_colour(text) * 255).astype(np.uint8)


def channel_colours(channels: Sequence[Channel]) -> list[str]:
    """Return the colour of each channel that is shown together: the file's own, if all have different ones.

    A single channel is shown in grey. Otherwise cyan, magenta and yellow, whose mixtures stay distinct for
    colour-blind readers.
    """
    given = [channel.colour for channel in channels if channel.colour is not None]
    if 1 < len(channels) == len(set(given)) == len(given):
        return given
    defaults = _DEFAULTS.get(len(channels), _MANY)
    return [defaults[place % len(defaults)] for place in range(len(channels))]


def object_colours(ids: NDArray[np.uint32], on_dark: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Return one RGB row per id: hues a golden angle apart, light where the picture is dark and dark elsewhere.

    The same id has the same hue in every picture. Hues are turned in OKLab (Ottosson 2020), in which equal
    steps look equal.
    """
    numbers = np.asarray(ids, np.float64)
    hue = numbers * _GOLDEN_ANGLE
    lightness = _LIGHTNESS[on_dark.astype(np.int64), np.asarray(ids, np.int64) % 3]
    oklab = np.stack([lightness, _CHROMA * np.cos(hue), _CHROMA * np.sin(hue)], axis=-1)
    linear = np.clip((oklab @ _OKLAB_TO_LMS.T) ** 3 @ _LMS_TO_RGB.T, 0, 1)
    encoded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    rgb: NDArray[np.uint8] = np.rint(encoded * 255).astype(np.uint8)
    return rgb
