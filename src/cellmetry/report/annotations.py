"""What is written on pictures: ids of objects, and a scale bar of a round length."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from PIL import Image as Picture
from PIL import ImageDraw

from cellmetry.report.lettering import INK, letter_size, letters, text_size, write

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cellmetry.report.outlines import ObjectMap

__all__ = ["ScaleBar", "draw_caption", "draw_ids", "draw_scale_bar", "emptier_side", "round_scale_bar"]

_HALO = (0, 0, 0)
_PANEL = (0, 0, 0, 150)
_BAR_SHARE = 0.22
_STEPS = (1, 2, 5)
_ID_SHARE = 58
_SMALLEST_LETTERS = 9


class ScaleBar(NamedTuple):
    """Length of the bar in pixels of the picture, and what stands beside it."""

    length_px: float
    text: str


def round_scale_bar(picture_width: int, um_per_px: float | None, image_px_per_px: float) -> ScaleBar:
    """Return the longest bar of 1, 2 or 5 × 10ⁿ units that is at most about a fifth of the picture.

    Parameters
    ----------
    um_per_px
        Size of a pixel of the picture; None if unknown, then the bar counts pixels of the image.
    image_px_per_px
        Pixels of the image per pixel of the picture.
    """
    unit = image_px_per_px if um_per_px is None else um_per_px
    longest = picture_width * _BAR_SHARE * unit
    decade = 10.0 ** math.floor(math.log10(longest))
    length = max(step * decade for step in _STEPS if step * decade <= longest)
    text = f"{length:g} px" if um_per_px is None else _with_unit(length)
    return ScaleBar(length / unit, text)


def _with_unit(um: float) -> str:
    if um >= 1000:
        return f"{um / 1000:g} mm"
    return f"{um:g} µm" if um >= 1 else f"{um * 1000:g} nm"


def emptier_side(objects: ObjectMap | None) -> Literal["left", "right"]:
    """Return in which of the lower corners fewer pixels belong to objects; right if equal."""
    if objects is None:
        return "right"
    height, width = objects.numbers.shape
    rows, columns = max(1, height // 9), max(1, width // 4)
    left, right = objects.numbers[-rows:, :columns], objects.numbers[-rows:, -columns:]
    return "left" if np.count_nonzero(left) < np.count_nonzero(right) else "right"


def draw_scale_bar(
    rgb: NDArray[np.uint8], bar: ScaleBar, side: Literal["left", "right"] = "right"
) -> NDArray[np.uint8]:
    """Return the picture with the bar and its text on a dark panel in a lower corner."""
    picture = Picture.fromarray(rgb).convert("RGBA")
    layer = Picture.new("RGBA", picture.size, (0, 0, 0, 0))
    draw = ImageDraw.Draw(layer)
    size = letter_size(picture.size)
    font = letters(round(size))
    pad, thick = size * 0.45, max(2.0, size / 5)
    written, high = text_size(bar.text, font)
    width = max(bar.length_px, written)
    y1 = picture.height - size * 0.8
    y0 = y1 - high - thick - 1.7 * pad
    x0 = size * 0.8 if side == "left" else picture.width - size * 0.8 - width - 2 * pad
    x1 = x0 + width + 2 * pad
    draw.rounded_rectangle((x0, y0, x1, y1), radius=size * 0.35, fill=_PANEL)
    middle, base = (x0 + x1) / 2, y1 - pad
    half = bar.length_px / 2
    draw.rectangle((round(middle - half), round(base - thick), round(middle + half) - 1, round(base)), fill=INK)
    write(draw, (middle - written / 2, y0 + 0.4 * pad + high / 2), bar.text, font)
    return np.asarray(Picture.alpha_composite(picture, layer).convert("RGB"))


def draw_caption(rgb: NDArray[np.uint8], text: str) -> NDArray[np.uint8]:
    """Return the picture with a line of text on a dark panel in its upper left corner."""
    picture = Picture.fromarray(rgb).convert("RGBA")
    layer = Picture.new("RGBA", picture.size, (0, 0, 0, 0))
    draw = ImageDraw.Draw(layer)
    size = letter_size(picture.size)
    font, pad = letters(round(size)), size * 0.45
    width, height = text_size(text, font)
    corner = size * 0.8
    panel = (corner, corner, corner + width + 2 * pad, corner + height + pad)
    draw.rounded_rectangle(panel, radius=size * 0.35, fill=_PANEL)
    write(draw, (corner + pad, corner + (height + pad) / 2), text, font)
    return np.asarray(Picture.alpha_composite(picture, layer).convert("RGB"))


def draw_ids(rgb: NDArray[np.uint8], objects: ObjectMap, *, smallest_px: float) -> NDArray[np.uint8]:
    """Return the picture with the id of each object written inside it, white with a dark halo.

    Nothing is written if half of the objects are narrower than `smallest_px`, nor in a single one that is.
    """
    widths = objects.widths[1:]
    if len(widths) == 0 or float(np.median(widths)) < smallest_px:
        return rgb
    picture = Picture.fromarray(rgb)
    draw = ImageDraw.Draw(picture)
    largest = max(11.0, max(picture.size) / _ID_SHARE)
    for number in range(1, len(objects.ids)):
        if objects.widths[number] >= smallest_px:
            _draw_id(draw, str(objects.ids[number]), objects.points[number], objects.widths[number], largest)
    return np.asarray(picture)


def _draw_id(draw: ImageDraw.ImageDraw, text: str, point: NDArray[np.float64], width: float, largest: float) -> None:
    """Write an id so large that it fills two thirds of its object, but legible and never beyond the picture."""
    size = round(min(largest, 0.5 * width, 1.2 * width / len(text)))
    if size < _SMALLEST_LETTERS:
        return
    font = letters(size, "bold")
    halo = max(1, round(size / 8))
    left, top, right, bottom = draw.textbbox((0, 0), text, font=font, anchor="mm", stroke_width=halo)
    x = np.clip(point[1] + 0.5, -left, max(draw.im.size[0] - right, -left))
    y = np.clip(point[0] + 0.5, -top, max(draw.im.size[1] - bottom, -top))
    draw.text((x, y), text, font=font, fill=INK, anchor="mm", stroke_width=halo, stroke_fill=_HALO)
