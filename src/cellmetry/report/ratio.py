"""The picture of a ratio: its values as colours of equal steps, with the numbers that the colours stand for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from matplotlib import colormaps
from pydantic import Field

from cellmetry.errors import ParameterError
from cellmetry.report.colours import colour_bytes
from cellmetry.report.composite import contrast_limits, stretch
from cellmetry.report.drawing_options import DrawingOptions
from cellmetry.report.outlines import draw_outlines, draw_shade, line_weight
from cellmetry.report.panels import ColourBar, Swatch, add_colour_bar
from cellmetry.report.rendering import (
    add_ids,
    add_place,
    add_scale_bar,
    choose_view,
    enlarged,
    line_width,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cellmetry.core.image import Image
    from cellmetry.core.labels import Labels

__all__ = ["RatioOptions", "draw_ratio"]


class RatioOptions(DrawingOptions):
    """How the picture of a ratio looks."""

    channel: int | str = Field(default=0, description="Which ratio of an image of several, by name or index.")
    limits: tuple[float, float] | None = Field(
        default=None, description="Ratios that have the first and the last colour; percentiles if left out."
    )
    low_percentile: float = Field(
        default=1.0, ge=0, le=100, description="Percentile of the shown finite ratios that has the first colour."
    )
    high_percentile: float = Field(
        default=99.0, ge=0, le=100, description="Percentile of the shown finite ratios that has the last colour."
    )
    colour_map: Literal["viridis", "cividis", "magma", "inferno", "plasma"] = Field(
        default="viridis", description="Colours in equal perceived steps, from dark to bright."
    )
    undefined_colour: str = Field(default="#4d4d4d", description="Colour '#rrggbb' where there is no ratio.")
    outline_colour: str = Field(default="#ffffff", description="Colour '#rrggbb' of the edges of all cells.")
    ids: bool = Field(default=False, description="Whether to write the ids into the cells.")
    legend: bool = Field(default=True, description="Whether to draw the bar of colours with its numbers below.")


def draw_ratio(
    ratio: Image, labels: Labels, title: str, options: RatioOptions | None = None, *, t: int = 0, z: int = 0
) -> NDArray[np.uint8]:
    """Return a picture of one plane of a ratio with the edges of its cells, uint8 of shape (Y, X, 3).

    Ratios beyond the limits have the colour of the limit; the bar below says so and gives the numbers. A single
    value has the middle colour. Shrunken pictures show means of ratios where they are defined.

    Parameters
    ----------
    ratio
        Ratios as channels, NaN where they are undefined.
    title
        Which ratio and by which rule, as ``target / reference, ratio of means``.

    Raises
    ------
    LabelsError
        If the labels are of another size than the ratio.
    ParameterError
        If the limits are not in order.
    """
    options = options or RatioOptions()
    view = choose_view(ratio, options, t=t, z=z)
    cells = view.objects(labels)
    values = view.plane(ratio.channel_index(options.channel))
    colours = np.rint(colormaps[options.colour_map](np.linspace(0, 1, 256))[:, :3] * 255).astype(np.uint8)
    limits = _limits(values, options)
    rgb = enlarged(_coloured(values, limits, colours, colour_bytes(options.undefined_colour)), view.scaling.enlarge)
    if options.outlines:
        width = options.outline_px or line_width(cells)
        edges = np.broadcast_to(colour_bytes(options.outline_colour), (len(cells.ids), 3))
        rgb = draw_outlines(draw_shade(rgb, line_weight(cells, width), width), cells, edges, width=width)
    rgb = add_place(add_ids(rgb, cells, options), view, options)
    rgb = add_scale_bar(rgb, view, cells, options)
    return _with_bar(rgb, values, _bar(values, limits, colours, title, options), options) if options.legend else rgb


def _limits(values: NDArray[Any], options: RatioOptions) -> tuple[float, float]:
    if options.limits is None:
        return contrast_limits(values, options.low_percentile, options.high_percentile)
    low, high = options.limits
    if not low < high:
        raise ParameterError(f"limits go from a lower to a higher ratio, not from {low} to {high}.")
    return low, high


def _coloured(
    values: NDArray[Any], limits: tuple[float, float], colours: NDArray[np.uint8], undefined: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    """Return the colour of each value; those that are not a number have the colour `undefined`."""
    one = np.select([values < limits[0], values > limits[1]], [0.0, 1.0], 0.5)
    shares = stretch(values, limits) if limits[1] > limits[0] else one
    rgb = colours[np.rint(shares * (len(colours) - 1)).astype(np.intp)]
    rgb[np.isnan(values)] = undefined
    return rgb


def _bar(
    values: NDArray[Any], limits: tuple[float, float], colours: NDArray[np.uint8], title: str, options: RatioOptions
) -> ColourBar:
    if not np.isfinite(values).any():
        return ColourBar(title, colours, None, (False, False), "no pixel has a ratio")
    cut = bool((values < limits[0]).any()), bool((values > limits[1]).any())
    given = f"colours end at percentiles {options.low_percentile:g} and {options.high_percentile:g} of the ratios shown"
    note = "colours end at the limits given" if options.limits else given
    return ColourBar(title, colours, limits, cut, note if any(cut) else "")


def _with_bar(rgb: NDArray[np.uint8], values: NDArray[Any], bar: ColourBar, options: RatioOptions) -> NDArray[np.uint8]:
    swatches = [Swatch("cell edge", colour_bytes(options.outline_colour), 0.0)] if options.outlines else []
    if np.isnan(values).any():
        swatches.append(Swatch("undefined", colour_bytes(options.undefined_colour), 1.0))
    return add_colour_bar(rgb, bar, swatches)
