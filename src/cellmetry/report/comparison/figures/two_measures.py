"""Two measures of each cell against each other: points, or counts in hexagons where cells are many."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.colors import LogNorm, to_rgb
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from cellmetry.errors import ParameterError
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
from cellmetry.report.comparison.figures.looks import replicate_looks, shares_replicates
from cellmetry.report.comparison.figures.value_axis import (
    cells_shown,
    number,
    outside_note,
    plain_ticks,
    set_value_axis,
    value_label,
)
from cellmetry.report.figures import PAPER

if TYPE_CHECKING:
    from typing import Literal

    from matplotlib.axes import Axes
    from matplotlib.collections import PolyCollection
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from cellmetry.report.comparison.figures.data import ComparisonData
    from cellmetry.report.style import FigureStyle

__all__ = ["draw_scatter", "pairs_of_measures"]

_COLUMNS = 3
_HEXAGON_MM = 1.4
_ENDS_MM = 20.0
_SIDES_MM = 30.0
_MAP = "cividis_r"


def pairs_of_measures(data: ComparisonData) -> NDArray[np.float64]:
    """Return both measures of each cell of ``data.shown``, shape (cells, 2); the second is NaN where it is missing."""
    second = data.cells["second"].to_numpy(np.float64, na_value=np.nan)[data.shown.rows]
    second = np.where(np.isfinite(second), second, np.nan)
    return np.column_stack([data.shown.values, second])


def draw_scatter(data: ComparisonData, style: FigureStyle) -> Figure:
    """Return a panel for each condition: points coloured by replicate, or from a number of cells on hexagons.

    Hexagons count all cells; their colour is the logarithm of the count.
    """
    data.need("measure", "second")
    pairs = pairs_of_measures(data)
    complete = np.isfinite(pairs[:, 1])
    if not complete.any():
        raise ParameterError(f"No cell has a {data.second_measure}, so there is nothing to draw.")
    with drawing(style) as figure:
        panels = _panels(figure, data, style)
        chosen = [np.flatnonzero(complete & (data.shown.condition == place)) for place in range(len(panels))]
        if int(complete.sum()) > style.hexagons_above:
            drawn = [
                _draw_hexagons(axes, pairs[rows], pairs[complete], data, style)
                for axes, rows in zip(panels, chosen, strict=True)
            ]
            _add_counts(figure, panels, drawn, style)
        else:
            for place, axes in enumerate(panels):
                _draw_points(axes, data, style, place, chosen[place])
            if shares_replicates(data):
                add_key(figure, _named(panels[0], data, style), style)
        _name_axes(figure, panels, data, style, pairs[complete])
        missing = int((~complete).sum())
        note = [f"{missing:,} cells have no {label_of(data.second_measure, style)}"] if missing else []
        say_below(figure, note + outside_note(style, cells_shown(data)), style)
    return figure


def _panels(figure: Figure, data: ComparisonData, style: FigureStyle) -> list[Axes]:
    columns = min(_COLUMNS, len(data.conditions))
    rows = -(-len(data.conditions) // columns)
    grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
    room = (style.width_mm - _SIDES_MM) / columns
    for place, axes in enumerate(grid):
        axes.set_visible(place < len(data.conditions))
        style_axes(axes, style)
        if place < len(data.conditions):
            name = wrapped(label_of(data.conditions[place], style), room, style, size_pt=small_text(style))
            axes.set_title(name, size=small_text(style))
    return list(grid[: len(data.conditions)])


def _name_axes(
    figure: Figure, panels: list[Axes], data: ComparisonData, style: FigureStyle, pairs: NDArray[np.float64]
) -> None:
    columns = min(_COLUMNS, len(panels))
    for place, axes in enumerate(panels):
        set_value_axis(axes, data, style, [pairs[:, 0]], "x")
        if not data.log:
            plain_ticks(axes.xaxis, 3 if columns > 2 else 5)
        plain_ticks(axes.yaxis, 5)
        axes.tick_params(labelbottom=place + columns >= len(panels))
        axes.set_xlabel("")
    low, high = float(pairs[:, 1].min()), float(pairs[:, 1].max())
    margin = 0.04 * (high - low) or max(0.05 * abs(high), 1e-9)
    panels[0].set_ylim(low - margin, high + margin)
    figure.supxlabel(wrapped(value_label(data, style), 0.75 * style.width_mm, style), size=style.font_size_pt)
    height = 0.8 * figure_size_mm(style)[1]
    figure.supylabel(wrapped(label_of(data.second_measure, style), height, style), size=style.font_size_pt)


def _draw_points(axes: Axes, data: ComparisonData, style: FigureStyle, place: int, chosen: NDArray[np.intp]) -> None:
    order = np.random.default_rng(style.seed).permutation(chosen)
    pairs = pairs_of_measures(data)[order]
    looks = [row[place] for row in replicate_looks(data, style)]
    colours = np.array([to_rgb(look.colour) for look in looks])[data.shown.replicate[order]]
    axes.scatter(pairs[:, 0], pairs[:, 1], s=3.5, c=colours, alpha=0.6, linewidths=0, rasterized=order.size > 2000)


def _named(axes: Axes, data: ComparisonData, style: FigureStyle) -> Axes:
    """Return the axes with an empty mark for the key of each replicate."""
    for name, row in zip(data.replicates, replicate_looks(data, style), strict=True):
        axes.plot([], [], "o", color=row[0].colour, markersize=4, label=label_of(name, style))
    return axes


def _draw_hexagons(
    axes: Axes, pairs: NDArray[np.float64], cells: NDArray[np.float64], data: ComparisonData, style: FigureStyle
) -> PolyCollection | None:
    """Draw counts in hexagons, of one size in all panels, over the extent of all cells."""
    if not len(pairs):
        return None
    x = np.log10(cells[:, 0]) if data.log else cells[:, 0]
    extent = (*_widened(x), *_widened(cells[:, 1]))
    scale: Literal["linear", "log"] = "log" if data.log else "linear"
    found = axes.hexbin(
        *pairs.T, gridsize=_hexagons(data, style), mincnt=1, cmap=_MAP, linewidths=0.1, xscale=scale, extent=extent
    )
    found.set_edgecolor("face")
    return found


def _hexagons(data: ComparisonData, style: FigureStyle) -> tuple[int, int]:
    """Return how many hexagons stand in a row and in a column of a panel, so that they are regular."""
    columns = min(_COLUMNS, len(data.conditions))
    rows = -(-len(data.conditions) // columns)
    width, height = figure_size_mm(style)
    across = max((width - _SIDES_MM) / columns / _HEXAGON_MM, 6)
    down = max((height - _ENDS_MM) / rows / _HEXAGON_MM / np.sqrt(3), 4)
    return int(across), int(down)


def _widened(values: NDArray[np.float64]) -> tuple[float, float]:
    low, high = float(values.min()), float(values.max())
    margin = 1e-6 * (high - low) or max(0.05 * abs(high), 1e-9)
    return low - margin, high + margin


def _add_counts(figure: Figure, panels: list[Axes], drawn: list[PolyCollection | None], style: FigureStyle) -> None:
    """Give all panels one scale of colours, and show it."""
    collections = [each for each in drawn if each is not None]
    most = max(float(np.max(np.asarray(each.get_array()))) for each in collections)
    for each in collections:
        each.set_norm(LogNorm(1, max(most, 2)))
    bar = figure.colorbar(collections[0], ax=panels, pad=0.02, aspect=25)
    bar.outline.set_visible(False)
    bar.set_label("cells in a hexagon", size=small_text(style), color=PAPER.ink)
    bar.ax.yaxis.set_major_locator(LogLocator(numticks=6))
    bar.ax.yaxis.set_minor_locator(NullLocator())
    bar.ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))
    bar.ax.tick_params(labelsize=small_text(style), labelfontfamily=style.font, width=0.6, length=2)
