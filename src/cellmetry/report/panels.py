"""Dark panels below a picture that say what its colours mean: a legend, a bar of colours with numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from PIL import Image as Picture
from PIL import ImageDraw

from cellmetry.report.lettering import letter_size, letters, text_size, write

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from PIL.ImageFont import FreeTypeFont

__all__ = ["ColourBar", "Swatch", "add_colour_bar", "add_legend"]

_GROUND = (22, 26, 32)
_LINE = 1.6
_FEWEST, _MOST = 2, 5


class Swatch(NamedTuple):
    """An entry of a legend.

    Parameters
    ----------
    name
        What the colour means.
    colour
        uint8, red, green and blue; of the frame.
    fill
        How much of the colour its inside has, from 0 to 1.
    """

    name: str
    colour: NDArray[np.uint8]
    fill: float


class ColourBar(NamedTuple):
    """What a bar of colours says.

    Parameters
    ----------
    title
        What the colours stand for.
    colours
        uint8 (n, 3), from the lowest value to the highest.
    limits
        Value of the first and of the last colour; the same number twice where there is only one, None if there is none.
    cut
        Whether lower and whether higher values occur, which have the first and the last colour too.
    note
        A line below the numbers; none if empty.
    """

    title: str
    colours: NDArray[np.uint8]
    limits: tuple[float, float] | None
    cut: tuple[bool, bool]
    note: str


def add_legend(rgb: NDArray[np.uint8], swatches: Sequence[Swatch]) -> NDArray[np.uint8]:
    """Return the picture with a legend below it; made wider with dark ground where an entry needs it."""
    return _with_legend(rgb, swatches, letter_size((rgb.shape[1], rgb.shape[0])))


def _with_legend(rgb: NDArray[np.uint8], swatches: Sequence[Swatch], size: float) -> NDArray[np.uint8]:
    font = letters(round(size))
    widths = [_entry_width(swatch, font) for swatch in swatches]
    width = max(rgb.shape[1], *(round(entry + 1.6 * size) for entry in widths))
    lines = _broken(widths, width - 1.6 * size, size)
    picture = _panel_below(rgb, width, round((len(lines) * _LINE + 0.8) * size))
    draw = ImageDraw.Draw(picture)
    for row, line in enumerate(lines):
        x, y = 0.8 * size, rgb.shape[0] + (0.4 + (row + 0.5) * _LINE) * size
        for place in line:
            _draw_swatch(draw, (x, y), swatches[place], size)
            write(draw, (x + 1.5 * size, y), swatches[place].name, font)
            x += widths[place] + size
    return np.asarray(picture)


def add_colour_bar(rgb: NDArray[np.uint8], bar: ColourBar, swatches: Sequence[Swatch]) -> NDArray[np.uint8]:
    """Return the picture with a bar of colours below it, its numbers, its note, and a legend of `swatches`."""
    size = letter_size((rgb.shape[1], rgb.shape[0]))
    font = letters(round(size))
    texts = [text for text in (bar.title, bar.note) if text]
    width = max(rgb.shape[1], *(round(text_size(text, font)[0] + 1.6 * size) for text in texts))
    numbers = _numbers(bar, width - 1.6 * size, font)
    rows = 1 + (2 if numbers else 0) + (1 if bar.note else 0)
    picture = _panel_below(rgb, width, round((rows * _LINE + 0.4) * size))
    draw = ImageDraw.Draw(picture)
    x, y = 0.8 * size, rgb.shape[0] + (0.4 + 0.5 * _LINE) * size
    write(draw, (x, y), bar.title, font)
    if numbers:
        strip = (round(x), round(y + 0.6 * _LINE * size), round(width - 2 * x), max(4, round(size)))
        _draw_strip(picture, bar, strip)
        y += 2 * _LINE * size
        for share, text in numbers:
            shift = share if len(numbers) > 1 else 0.5
            at = strip[0] + share * strip[2] - shift * text_size(text, font)[0]
            write(draw, (at, y), text, font)
    if bar.note:
        write(draw, (x, y + _LINE * size), bar.note, font)
    return _with_legend(np.asarray(picture), swatches, size) if swatches else np.asarray(picture)


def _panel_below(rgb: NDArray[np.uint8], width: int, height: int) -> Picture.Image:
    picture = Picture.new("RGB", (width, rgb.shape[0] + height), _GROUND)
    picture.paste(Picture.fromarray(rgb), (0, 0))
    return picture


def _entry_width(swatch: Swatch, font: FreeTypeFont) -> float:
    return 1.5 * font.size + text_size(swatch.name, font)[0]


def _broken(widths: Sequence[float], room: float, gap: float) -> list[list[int]]:
    """Return which entries stand on each line, none wider than `room` unless a single entry is."""
    lines: list[list[int]] = []
    left = 0.0
    for place, width in enumerate(widths):
        if not lines or width > left:
            lines.append([])
            left = room
        lines[-1].append(place)
        left -= width + gap
    return lines


def _draw_swatch(draw: ImageDraw.ImageDraw, place: tuple[float, float], swatch: Swatch, size: float) -> None:
    """Draw a framed square whose left side is at `place` (x, y), where y is its middle."""
    x, y = place
    half = round(0.45 * size)
    inside = tuple(np.rint(np.array(_GROUND) * (1 - swatch.fill) + swatch.colour * swatch.fill).astype(int).tolist())
    frame = tuple(swatch.colour.tolist())
    box = (round(x), round(y) - half, round(x) + 2 * half, round(y) + half)
    draw.rectangle(box, fill=inside, outline=frame, width=max(1, round(size / 7)))


def _draw_strip(picture: Picture.Image, bar: ColourBar, box: tuple[int, int, int, int]) -> None:
    """Paste the colours from left to right into a box of (left, top, width, height)."""
    left, top, width, height = box
    place = np.linspace(0, len(bar.colours) - 1, width).round().astype(int)
    if bar.limits is not None and bar.limits[0] == bar.limits[1]:
        place = np.full(width, len(bar.colours) // 2)
    strip = np.broadcast_to(bar.colours[place], (height, width, 3))
    picture.paste(Picture.fromarray(np.ascontiguousarray(strip)), (left, top))


def _numbers(bar: ColourBar, room: float, font: FreeTypeFont) -> list[tuple[float, str]]:
    """Return as many evenly spaced numbers as have room below the bar, with their places from 0 to 1 along it."""
    if bar.limits is None:
        return []
    low, high = bar.limits
    if low == high:
        return [(0.5, f"{low:.3g}")]
    for count in range(_MOST, _FEWEST - 1, -1):
        shares = np.linspace(0, 1, count)
        texts = [f"{low + share * (high - low):.3g}" for share in shares]
        texts[0], texts[-1] = "≤ " * bar.cut[0] + texts[0], "≥ " * bar.cut[1] + texts[-1]
        if sum(text_size(text, font)[0] + font.size for text in texts) < room:
            break
    return list(zip(shares.tolist(), texts, strict=True))
