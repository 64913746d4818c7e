"""Figures with a place for each condition: superplot, violins, boxes, and cells side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from matplotlib.colors import to_rgb

from cellmetry.report.comparison.figures.canvas import add_key, drawing, say_below
from cellmetry.report.comparison.figures.categories import (
    draw_intervals,
    draw_p_values,
    draw_replicates,
    interval_ends,
    start_categories,
)
from cellmetry.report.comparison.figures.clouds import density, even_steps, sina_offsets, stratified_part
from cellmetry.report.comparison.figures.looks import condition_look, replicate_looks
from cellmetry.report.comparison.figures.value_axis import both_shown, count, outside_note
from cellmetry.report.figures import PAPER

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from cellmetry.report.comparison.figures.data import ComparisonData
    from cellmetry.report.style import FigureStyle

__all__ = ["Box", "box_of", "draw_box", "draw_jitter", "draw_superplot", "draw_violin", "drawn_cells", "drawn_note"]

_CLOUD = 0.42
_MOST_VECTORS = 2000
_INNER = 0.03
_WHISKER = 1.5


def draw_superplot(data: ComparisonData, style: FigureStyle) -> Figure:
    """Return cells as clouds coloured by replicate, replicate means over them, mean and CI of the replicates.

    After Lord et al. 2020 (J Cell Biol 219, e202001064). Of fractions there are no clouds: a replicate is a point.
    """
    with drawing(style) as figure:
        values = [data.shown.values] if data.has("cells") else []
        axes = start_categories(figure, data, style, [*values, interval_ends(data)])
        notes = outside_note(style, both_shown(data))
        if data.has("cells"):
            _draw_clouds(axes, data, style, even=False)
            notes = drawn_note(data, style) + notes
        draw_replicates(axes, data, style)
        draw_intervals(axes, data, style)
        draw_p_values(axes, data, style)
        add_key(figure, axes, style)
        say_below(figure, notes, style)
    return figure


def draw_jitter(data: ComparisonData, style: FigureStyle) -> Figure:
    """Return cells spread evenly over the width of their condition, coloured by replicate, and replicate means."""
    data.need("cells")
    with drawing(style) as figure:
        axes = start_categories(figure, data, style, [data.shown.values])
        _draw_clouds(axes, data, style, even=True)
        draw_replicates(axes, data, style, size_pt=5)
        add_key(figure, axes, style)
        say_below(figure, drawn_note(data, style) + outside_note(style, both_shown(data)), style)
    return figure


def draw_violin(data: ComparisonData, style: FigureStyle) -> Figure:
    """Return the density of each condition's cells, cut where cells end, with quartiles inside and replicate means."""
    data.need("cells")
    with drawing(style) as figure:
        axes = start_categories(figure, data, style, [data.shown.values])
        for place in range(len(data.conditions)):
            values = data.of(place)
            if values.size:
                _draw_violin(axes, place, values, data, condition_look(place, style).colour)
        draw_replicates(axes, data, style, size_pt=4)
        add_key(figure, axes, style)
        say_below(figure, outside_note(style, both_shown(data)), style)
    return figure


def draw_box(data: ComparisonData, style: FigureStyle) -> Figure:
    """Return quartiles, whiskers to the last cell within 1.5 times their distance, cells beyond (Tukey 1977)."""
    data.need("cells")
    with drawing(style) as figure:
        axes = start_categories(figure, data, style, [data.shown.values])
        boxes = [box_of(data.of(place)) for place in range(len(data.conditions))]
        for place, box in enumerate(boxes):
            if box is not None:
                _draw_box(axes, place, box, condition_look(place, style).colour)
        note = _draw_beyond(axes, boxes, data, style)
        draw_replicates(axes, data, style, size_pt=4)
        add_key(figure, axes, style)
        say_below(figure, note + outside_note(style, both_shown(data)), style)
    return figure


def drawn_cells(data: ComparisonData, style: FigureStyle) -> NDArray[np.intp]:
    """Return places in ``data.shown`` of the cells that a cloud shows, in random order."""
    strata = data.shown.condition * len(data.replicates) + data.shown.replicate
    return stratified_part(strata, style.most_points, style.seed)


def drawn_note(data: ComparisonData, style: FigureStyle) -> list[str]:
    """Return how many cells a cloud shows; nothing if it shows all."""
    cells = data.shown.values.size
    if cells <= style.most_points:
        return []
    return [f"{count(drawn_cells(data, style).size)} of {count(cells)} cells drawn"]


def _draw_clouds(axes: Axes, data: ComparisonData, style: FigureStyle, *, even: bool) -> None:
    part = drawn_cells(data, style)
    colours = np.array([[to_rgb(look.colour) for look in row] for row in replicate_looks(data, style)])
    condition = data.shown.condition[part]
    for place in range(len(data.conditions)):
        chosen = part[condition == place]
        values = data.shown.values[chosen]
        at = place + _CLOUD * _offsets(values, data.of(place), log=data.log, even=even)
        axes.scatter(
            at,
            values,
            s=_dot_area(part.size),
            c=colours[data.shown.replicate[chosen], place],
            alpha=0.45 if part.size > 300 else 0.7,
            linewidths=0,
            rasterized=part.size > _MOST_VECTORS,
            zorder=2,
        )


def _offsets(values: NDArray[np.float64], cells: NDArray[np.float64], *, log: bool, even: bool) -> NDArray[np.float64]:
    if even:
        return even_steps(values.size) if values.size > 1 else np.zeros(values.size)
    if log:
        values, cells = np.log10(values), np.log10(cells)
    return sina_offsets(values, density(cells))


def _dot_area(points: int) -> float:
    """Return the area of a dot in points², smaller the more there are."""
    return float(np.clip(3000 / max(points, 1), 0.6, 7.0))


def _draw_violin(axes: Axes, place: int, values: NDArray[np.float64], data: ComparisonData, colour: str) -> None:
    shape = density(np.log10(values) if data.log else values)
    at = 10**shape.at if data.log else shape.at
    width = _CLOUD * shape.height
    axes.fill_betweenx(at, place - width, place + width, facecolor=colour, alpha=0.3, edgecolor=colour, linewidth=0.8)
    low, middle, high = np.percentile(values, (25, 50, 75))
    axes.fill_betweenx([low, high], place - _INNER, place + _INNER, facecolor=PAPER.soft, linewidth=0, zorder=3)
    axes.hlines(middle, place - 3 * _INNER, place + 3 * _INNER, color=PAPER.ink, linewidth=1.2, zorder=3.5)


class Box(NamedTuple):
    """Whisker, quartile, median, quartile and whisker of the cells of a condition, and the values beyond."""

    low: float
    first: float
    median: float
    third: float
    high: float
    beyond: NDArray[np.float64]


def box_of(values: NDArray[np.float64]) -> Box | None:
    """Return the box of some values after Tukey 1977; None if there are none."""
    if not values.size:
        return None
    first, median, third = (float(value) for value in np.percentile(values, (25, 50, 75)))
    reach = _WHISKER * (third - first)
    inside = (values >= first - reach) & (values <= third + reach)
    low, high = float(values[inside].min()), float(values[inside].max())
    return Box(min(low, first), first, median, third, max(high, third), values[~inside])


def _draw_box(axes: Axes, place: int, box: Box, colour: str) -> None:
    axes.vlines([place] * 2, [box.low, box.third], [box.first, box.high], color=PAPER.ink, linewidth=0.8, zorder=2)
    axes.hlines([box.low, box.high], place - 0.1, place + 0.1, color=PAPER.ink, linewidth=0.8, zorder=2)
    sides = place - 0.32, place + 0.32
    axes.fill_betweenx([box.first, box.third], *sides, facecolor=colour, alpha=0.35, linewidth=0, zorder=2)
    for edge in (box.first, box.third):
        axes.hlines(edge, *sides, color=PAPER.ink, linewidth=0.8, zorder=3)
    axes.vlines(sides, box.first, box.third, color=PAPER.ink, linewidth=0.8, zorder=3)
    axes.hlines(box.median, *sides, color=PAPER.ink, linewidth=1.6, zorder=3)


def _draw_beyond(axes: Axes, boxes: list[Box | None], data: ComparisonData, style: FigureStyle) -> list[str]:
    """Draw the cells beyond the whiskers, at most as many as the style says; return what must be said of that."""
    values = np.concatenate([box.beyond for box in boxes if box is not None])
    places = np.concatenate([np.full(box.beyond.size, at) for at, box in enumerate(boxes) if box is not None])
    part = stratified_part(places, style.most_points, style.seed)
    part = part[np.argsort(places[part], kind="stable")]
    sides = 0.1 * even_steps(part.size)
    rasterized = part.size > _MOST_VECTORS
    axes.scatter(
        places[part] + sides, values[part], s=2, color=PAPER.soft, alpha=0.5, linewidths=0, rasterized=rasterized
    )
    if part.size == values.size:
        return []
    return [f"{count(part.size)} of {count(values.size)} cells beyond the whiskers drawn"]
