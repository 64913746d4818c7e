"""Distributions of cells: cumulated shares of each condition, and histograms with the gate."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cellmetry.report.comparison.figures.canvas import (
    add_key,
    drawing,
    figure_size_mm,
    label_of,
    say_below,
    small_text,
    style_axes,
    wrapped,
)
from cellmetry.report.comparison.figures.looks import condition_look
from cellmetry.report.comparison.figures.value_axis import (
    cells_shown,
    number,
    outside_note,
    plain_ticks,
    set_value_axis,
)
from cellmetry.report.figures import PAPER

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from cellmetry.report.comparison.figures.data import ComparisonData
    from cellmetry.report.style import FigureStyle

__all__ = ["draw_ecdf", "draw_histogram", "histogram_edges", "share_above", "thinned_ecdf"]

_STEPS = 1500
_BINS = (20, 100)
_BRIGHT = 0.4


def draw_ecdf(data: ComparisonData, style: FigureStyle) -> Figure:
    """Return the share of cells at or below each value: a thick line a condition, a thin one a replicate."""
    data.need("measure")
    with drawing(style) as figure:
        axes = figure.add_subplot()
        style_axes(axes, style)
        set_value_axis(axes, data, style, [data.shown.values], "x")
        for place, name in enumerate(data.conditions):
            look = condition_look(place, style)
            values, replicate = data.of(place), data.shown.replicate[data.shown.condition == place]
            for each in np.unique(replicate):
                part = values[replicate == each]
                axes.plot(*thinned_ecdf(part), color=look.colour, linewidth=0.5, alpha=0.6, zorder=2)
            if values.size:
                axes.plot(
                    *thinned_ecdf(values),
                    color=look.colour,
                    linestyle=look.line,
                    linewidth=1.6,
                    label=label_of(name, style),
                    zorder=3,
                )
        if data.threshold is not None:
            axes.axvline(data.threshold, color=PAPER.ink, linewidth=0.8, linestyle="--")
        axes.set_ylim(0, 1)
        axes.set_ylabel("share of cells")
        plain_ticks(axes.yaxis, 6, percent=True)
        add_key(figure, axes, style)
        say_below(figure, outside_note(style, cells_shown(data)), style)
    return figure


def thinned_ecdf(values: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return corners of the steps of the share of `values` at or below a value, from 0 to 1.

    Of many values 1,500 evenly spaced ranks are kept, with the least and the largest, so that the line is nowhere off
    by more than 1/1,500, less than its width.
    """
    ordered = np.sort(values)
    ranks = np.arange(values.size)
    if values.size > _STEPS:
        ranks = np.unique(np.linspace(0, values.size - 1, _STEPS).round().astype(np.intp))
    shares = (ranks + 1) / values.size
    return np.repeat(ordered[ranks], 2), np.column_stack([np.append(0, shares[:-1]), shares]).ravel()


def draw_histogram(data: ComparisonData, style: FigureStyle) -> Figure:
    """Return a histogram a condition, in rows with one axis of values; the gate as a line, the share above in words.

    Heights are shares of the condition's cells, equal in all rows.
    """
    data.need("measure")
    with drawing(style) as figure:
        panels = figure.subplots(len(data.conditions), 1, sharex=True, sharey=True, squeeze=False).ravel()
        edges = histogram_edges(data)
        set_value_axis(panels[-1], data, style, [edges, [data.threshold or np.nan]], "x")
        for place, axes in enumerate(panels):
            style_axes(axes, style)
            axes.spines["left"].set_visible(False)
            if place < len(panels) - 1:
                axes.tick_params(axis="x", which="both", labelbottom=False, length=0)
            axes.set_yticks([])
            _draw_bins(axes, data, style, place, edges)
        panels[0].set_ylim(0, None)
        height = 0.8 * figure_size_mm(style)[1]
        figure.supylabel(wrapped("share of the condition's cells", height, style), size=style.font_size_pt)
        say_below(figure, outside_note(style, cells_shown(data)), style)
    return figure


def _draw_bins(axes: Axes, data: ComparisonData, style: FigureStyle, place: int, edges: NDArray[np.float64]) -> None:
    values, colour = data.of(place), condition_look(place, style).colour
    shares = np.histogram(values, edges)[0] / max(values.size, 1)
    above = data.threshold is not None and edges[:-1] >= data.threshold
    for part, alpha in ((above, 1.0), (np.logical_not(above), _BRIGHT)):
        axes.stairs(np.where(part, shares, 0.0), edges, fill=True, color=colour, alpha=alpha, linewidth=0)
    said = label_of(data.conditions[place], style)
    if data.threshold is not None:
        axes.axvline(data.threshold, color=PAPER.ink, linewidth=0.8, linestyle="--")
        said = f"{said}: {share_above(data, place)} above {number(float(f'{data.threshold:.4g}'))}"
    most = 0.85 * style.width_mm
    text = wrapped(said, most, style, size_pt=small_text(style))
    axes.set_title(text, loc="left", size=small_text(style), color=PAPER.ink)


def share_above(data: ComparisonData, place: int) -> str:
    """Return the share of a condition's cells above the threshold in per cent, as text."""
    values = data.of(place)
    if not values.size or data.threshold is None:
        return "–"
    return f"{100 * float((values > data.threshold).mean()):.3g} %"


def histogram_edges(data: ComparisonData) -> NDArray[np.float64]:
    """Return edges of equal bins (on a logarithmic axis of equal ratios) that hold all cells; the gate is an edge.

    Their width is Freedman & Diaconis' (1981), for 20 to 100 bins.
    """
    values = np.log10(data.shown.values) if data.log else data.shown.values
    low, high = float(values.min()), float(values.max())
    if low == high:
        low, high = low - 0.5, high + 0.5
    width = 2 * float(np.subtract(*np.percentile(values, (75, 25)))) / np.cbrt(values.size)
    width = float(np.clip(width, (high - low) / _BINS[1], (high - low) / _BINS[0]))
    gate = None if data.threshold is None or (data.log and data.threshold <= 0) else data.threshold
    fixed = low if gate is None else float(np.log10(gate)) if data.log else gate
    first = int(np.floor((low - fixed) / width))
    last = int(np.floor((high - fixed) / width)) + 1
    edges = fixed + width * np.arange(first, last + 1)
    edges = 10**edges if data.log else edges
    if gate is not None and first <= 0 <= last:
        edges[-first] = gate
    return np.asarray(edges, np.float64)
