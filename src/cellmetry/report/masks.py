"""Pictures of masks: the image with the cells' edges and each mask's own edge and tint, and what each colour means."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from pydantic import Field

from cellmetry.errors import ParameterError
from cellmetry.report.colours import colour_bytes
from cellmetry.report.drawing_options import OverlayOptions
from cellmetry.report.outlines import draw_lines, draw_shade, line_weight
from cellmetry.report.overlay import render_channels
from cellmetry.report.panels import Swatch, add_legend
from cellmetry.report.rendering import add_ids, add_place, add_scale_bar, choose_view, line_width

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from cellmetry.core.image import Image
    from cellmetry.core.labels import Labels
    from cellmetry.report.outlines import ObjectMap

__all__ = ["MASK_COLOURS", "MaskOptions", "draw_masks"]

MASK_COLOURS = {
    "target_mask": "#56b4e9",
    "reference_mask": "#e69f00",
    "and_mask": "#009e73",
    "radial_mask": "#cc79a7",
}
"""Colours of the usual masks, of Okabe and Ito's colours for colour-blind readers (2008)."""

_OTHERS = ("#d55e00", "#0072b2", "#f0e442")
_CELL_EDGE = "cell edge"
_MASK_SHARE = 0.75
_STRIPE = 8
"""Length of a stripe where lines lie on each other, in widths of the cells' line."""


class MaskOptions(OverlayOptions):
    """How a picture of masks looks."""

    outline_colour: str = Field(default="#ffffff", description="Colour '#rrggbb' of the edges of all cells.")
    mask_colours: tuple[str, ...] = Field(
        default=(), description="Colour '#rrggbb' of each mask in turn; fixed safe ones by their names if empty."
    )
    fill: float = Field(
        default=0.16, ge=0, le=1, description="How much of its colour the inside of a mask has; 0 leaves it as it is."
    )
    legend: bool = Field(default=True, description="Whether to say below the picture what the colours mean.")


class _Layer(NamedTuple):
    """Objects that are drawn in one colour: the cells, or a mask."""

    name: str
    colour: NDArray[np.uint8]
    fill: float
    objects: ObjectMap


def draw_masks(
    image: Image,
    labels: Labels,
    masks: Mapping[str, Labels],
    options: MaskOptions | None = None,
    *,
    t: int = 0,
    z: int = 0,
) -> NDArray[np.uint8]:
    """Return a picture of one plane with the edges of its cells and of each mask, uint8 of shape (Y, X, 3).

    A mask has a line just inside its edge, also between the parts of two cells, and a tint; where lines of several
    masks lie on the same pixels, their colours take turns along the line. The legend stands below the image.

    Parameters
    ----------
    masks
        Name → label image whose pixels have the id of the cell to which they count, inside the cell or beside it.

    Raises
    ------
    LabelsError
        If labels or a mask are of another size than the image.
    ParameterError
        If the options do not fit the channels or masks.
    """
    options = options or MaskOptions()
    view = choose_view(image, options, t=t, z=z)
    cells = view.objects(labels)
    layers = [_Layer(_CELL_EDGE, colour_bytes(options.outline_colour), 0.0, cells)] if options.outlines else []
    colours = _mask_colours(list(masks), options.mask_colours)
    for (name, mask), colour in zip(masks.items(), colours, strict=True):
        layers.append(_Layer(name.replace("_", " "), colour, options.fill, view.objects(mask)))
    width = options.outline_px or line_width(cells)
    rgb = _tinted(render_channels(view, options), layers[len(layers) - len(masks) :], options.fill)
    if options.outlines:
        rgb = draw_shade(rgb, line_weight(cells, width), width)
    rgb = _lined(rgb, layers, width) if layers else rgb
    rgb = add_place(add_ids(rgb, cells, options), view, options)
    rgb = add_scale_bar(rgb, view, cells, options)
    return add_legend(rgb, [Swatch(*layer[:3]) for layer in layers]) if options.legend and layers else rgb


def _mask_colours(names: Sequence[str], given: Sequence[str]) -> list[NDArray[np.uint8]]:
    if len(given) not in (0, len(names)):
        raise ParameterError(f"mask_colours has {len(given)} entries for {len(names)} masks; give one for each.")
    if given:
        return [colour_bytes(colour) for colour in given]
    other = [name for name in names if name not in MASK_COLOURS]
    return [colour_bytes(MASK_COLOURS.get(name) or _OTHERS[other.index(name) % len(_OTHERS)]) for name in names]


def _tinted(rgb: NDArray[np.uint8], masks: Sequence[_Layer], fill: float) -> NDArray[np.uint8]:
    """Return the picture with a tint where masks are, the mean of their colours where several are."""
    total = np.zeros(rgb.shape, np.float32)
    count = np.zeros(rgb.shape[:2], np.uint8)
    for mask in masks:
        inside = mask.objects.numbers > 0
        total[inside] += mask.colour
        count += inside
    some = count > 0
    tinted = rgb.copy()
    mean = total[some] / count[some][:, None]
    tinted[some] = np.rint(rgb[some] + fill * (mean - rgb[some])).astype(np.uint8)
    return tinted


def _lined(rgb: NDArray[np.uint8], layers: Sequence[_Layer], width: float) -> NDArray[np.uint8]:
    """Return the picture with a line inside each object; those of masks are thinner than those of the cells."""
    widths = [max(1.0, width * (1.0 if layer.name == _CELL_EDGE else _MASK_SHARE)) for layer in layers]
    lines = [line_weight(layer.objects, wide) for layer, wide in zip(layers, widths, strict=True)]
    return draw_lines(rgb, lines, np.stack([layer.colour for layer in layers]), stripe_px=round(_STRIPE * width))
