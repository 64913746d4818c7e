"""Histograms of a measurement with the threshold of each part of the cells: each day, each plate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from matplotlib.ticker import FuncFormatter, NullFormatter

from cellmetry.report.comparison.figures.canvas import drawing, style_axes
from cellmetry.report.figures import PAPER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from cellmetry.report.style import FigureStyle

__all__ = ["ThresholdPart", "draw_thresholds"]

_BINS, _WIDE = 60, 50.0
_PART_MM = 26.0


class ThresholdPart(NamedTuple):
    """Values of a part of the cells, and the threshold above which they are positive."""

    name: str
    values: NDArray[np.float64]
    threshold: float


def draw_thresholds(parts: Sequence[ThresholdPart], name: str, style: FigureStyle) -> Figure:
    """Return a histogram for each part, one below the other on one axis of values, positive cells in full colour.

    Counts stand on a logarithmic axis, so that few positive cells are seen beside many others.
    """
    finite = [part.values[np.isfinite(part.values)] for part in parts]
    edges, scale = _edges(np.concatenate([*finite, [part.threshold for part in parts]]))
    tall = style.model_copy(update={"height_mm": style.height_mm or _PART_MM * len(parts) + 12})
    with drawing(tall) as figure:
        rows = np.atleast_1d(figure.subplots(len(parts), 1, sharex=True))
        for axes, part, values in zip(rows, parts, finite, strict=True):
            for shown, alpha in ((values[values <= part.threshold], 0.35), (values[values > part.threshold], 1.0)):
                axes.hist(shown, edges.tolist(), color=style.palette[0], alpha=alpha)
            axes.axvline(part.threshold, color=PAPER.ink, linestyle="--", linewidth=1)
            axes.set_xscale(scale)
            axes.set_yscale("log")
            for axis in (axes.xaxis, axes.yaxis):
                axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
                axis.set_minor_formatter(NullFormatter())
            axes.set_title(f"{part.name}: above {part.threshold:.4g}", loc="left", fontsize=style.font_size_pt)
            style_axes(axes, style)
        rows[-1].set_xlabel(style.labels.get(name, name), fontsize=style.font_size_pt)
        figure.supylabel("objects", fontsize=style.font_size_pt)
    return figure


def _edges(values: NDArray[np.float64]) -> tuple[NDArray[np.float64], Literal["linear", "log"]]:
    """Return the edges of bins, and the scale on which they are equal: logarithmic for wide ranges above 0."""
    least, most = float(values.min()), float(values.max())
    if least > 0 and most / least > _WIDE:
        return np.geomspace(least, most, _BINS + 1), "log"
    return np.histogram_bin_edges(values, _BINS), "linear"
