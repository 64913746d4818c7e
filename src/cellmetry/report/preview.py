"""What a step did to an image, before and after side by side; and a page of all steps of a recipe."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

import matplotlib as mpl
import numpy as np

from cellmetry.report.composite import contrast_limits
from cellmetry.report.figures import PAPER, new_figure, plain_axes
from cellmetry.report.page import make_page

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from cellmetry.core.image import Box

__all__ = ["PreviewedStep", "draw_change", "preview_page"]

_LOW, _HIGH = 0.2, 99.8
_OWN_CONTRAST = 0.5
_PANEL = 3.6
_MISSING = "#c2570c"


class PreviewedStep(NamedTuple):
    """A step on the page.

    Parameters
    ----------
    title
        Its number, name and changed parameters.
    pictures
        Files beside the page, by channel.
    note
        What is to be said where there is no picture.
    warnings
        What it warned of.
    """

    title: str
    pictures: dict[str, str]
    note: str = ""
    warnings: tuple[str, ...] = ()


def draw_change(before: NDArray[Any], after: NDArray[Any], box: Box, title: str) -> Figure:
    """Return before and after side by side with one contrast, and the values along the middle row under them.

    Where the values after it span less than half of that contrast, they are shown again with a contrast of their own
    and a profile of their own. Pixels without a number are orange.

    Parameters
    ----------
    before, after
        Shape (Y, X).
    box
        Where they lie in the image, for the axes.
    """
    old, new = contrast_limits(before, _LOW, _HIGH), contrast_limits(after, _LOW, _HIGH)
    both = (min(old[0], new[0]), max(old[1], new[1]))
    apart = _differs(new, both) or _differs(old, both)
    panels = [(before, old if apart else both, "before"), (after, both, "after, same contrast" if apart else "after")]
    if apart:
        panels = [(before, both, "before"), (after, both, "after, same contrast"), (after, new, "after, own contrast")]
    height = min(2.0, max(0.5, before.shape[0] / before.shape[1])) * _PANEL
    profiles = 2 if apart else 1
    figure = new_figure(len(panels) * (_PANEL + 0.9), height + 0.9 + 1.9 * profiles)
    grid = figure.add_gridspec(1 + profiles, len(panels), height_ratios=[height, *[1.7] * profiles])
    for place, (plane, limits, name) in enumerate(panels):
        _picture(figure.add_subplot(grid[0, place]), plane, limits, box, name)
    lines = [("before", before, PAPER.series[1]), ("after", after, PAPER.series[0])]
    for place in range(profiles):
        axes = figure.add_subplot(grid[1 + place, :])
        _profile(axes, lines if profiles == 1 else lines[place : place + 1], box)
    figure.suptitle(title, color=PAPER.ink, size=11, ha="left", x=0.01, wrap=True)
    return figure


def _differs(own: tuple[float, float], both: tuple[float, float]) -> bool:
    """Return whether values would be flat, or all bright or dark, in a contrast for others too."""
    return own[1] - own[0] < _OWN_CONTRAST * (both[1] - both[0])


def _picture(axes: Axes, plane: NDArray[Any], limits: tuple[float, float], box: Box, name: str) -> None:
    colours = mpl.colormaps["gray"].with_extremes(bad=_MISSING)
    low, high = limits if limits[1] > limits[0] else (limits[0] - 0.5, limits[0] + 0.5)
    extent = (box.x0, box.x1, box.y1, box.y0)
    shown = axes.imshow(
        np.ma.masked_invalid(plane.astype(np.float32)), cmap=colours, vmin=low, vmax=high, extent=extent
    )
    middle = (box.y0 + box.y1) / 2
    axes.axhline(middle, color=PAPER.series[0], linewidth=0.8, alpha=0.8)
    axes.set_title(f"{name}\n{_range(plane)}", color=PAPER.ink, size=9.5, loc="left")
    axes.tick_params(labelsize=8, colors=PAPER.soft)
    for spine in axes.spines.values():
        spine.set_visible(False)
    bar = axes.figure.colorbar(shown, ax=axes, fraction=0.046, pad=0.03, extend="both")
    bar.outline.set_visible(False)
    bar.ax.tick_params(labelsize=8, colors=PAPER.soft)


def _range(plane: NDArray[Any]) -> str:
    """Return the least, usual and largest value in words, and how many pixels have none."""
    values = plane[np.isfinite(plane)]
    if not values.size:
        return "no pixel with a number"
    missing = plane.size - values.size
    said = f"{values.min():.4g} … median {np.median(values):.4g} … {values.max():.4g}"
    return f"{said}; {missing:,} px NaN" if missing else said


def _profile(axes: Axes, lines: Sequence[tuple[str, NDArray[Any], str]], box: Box) -> None:
    plain_axes(axes, PAPER)
    row = box.shape[0] // 2
    for name, plane, colour in lines:
        axes.plot(np.arange(box.x0, box.x1) + 0.5, plane[row], color=colour, linewidth=1.1, label=name)
    axes.set_xlim(box.x0, box.x1)
    axes.set(xlabel=f"x (px), row {box.y0 + row}", ylabel="intensity")
    axes.legend(frameon=False, fontsize=9, labelcolor=PAPER.soft, ncols=2, loc="lower right", bbox_to_anchor=(1, 0.97))


def preview_page(recipe: str, image: str, shown: str, steps: Sequence[PreviewedStep]) -> str:
    """Return the page that shows every step of a recipe, with the pictures of those that changed pixels.

    Parameters
    ----------
    shown
        Which part of the image the pictures show, in words.
    """
    body = f"<header><h1>{escape(recipe)} on {escape(image)}</h1></header>\n"
    body += f'<ul class="notes"><li>{escape(shown)}</li></ul>\n'
    for step in steps:
        body += f"<h2>{escape(step.title)}</h2>\n"
        body += f"<p>{escape(step.note)}</p>\n" if step.note else ""
        body += "".join(f'<ul class="problems"><li class="warned">{escape(said)}</li></ul>\n' for said in step.warnings)
        for channel, file in step.pictures.items():
            words = escape(f"{step.title}, channel {channel}, before and after")
            body += f'<a href="{quote(file)}"><img loading="lazy" src="{quote(file)}" alt="{words}" '
            body += 'style="max-width: 100%; background: #fff; border-radius: 8px"></a>\n'
    return make_page(f"{recipe} on {image}", body, "Made by Cellmetry. Click a picture for its full size.")
