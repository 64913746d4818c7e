"""The estimation plot: replicates above, differences of conditions with their intervals below."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.ticker import FuncFormatter, MaxNLocator

from cellmetry.report.comparison.canvas import (
    add_key,
    axes_width_mm,
    drawing,
    figure_size_mm,
    label_of,
    say_below,
    style_axes,
    wrapped,
)
from cellmetry.report.comparison.categories import draw_intervals, draw_replicates, interval_ends, name_places
from cellmetry.report.comparison.value_axis import means_shown, number, outside_note, set_log_ticks, set_value_axis
from cellmetry.report.figures import PAPER

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from cellmetry.report.comparison.data import ComparisonData
    from cellmetry.report.style import FigureStyle

__all__ = ["draw_estimation"]

_ENDS = ("ci_low", "ci_high", "simultaneous_low", "simultaneous_high", "technical_low", "technical_high")
_MARGIN = 0.06


def draw_estimation(data: ComparisonData, style: FigureStyle) -> Figure:
    """Return the replicates of each condition above, and below the estimate of each contrast with its interval.

    After Gardner & Altman 1986 and Cumming 2012. Where all contrasts have one reference, each stands below its
    condition; else the contrasts have places of their own. Thick: interval of this contrast; thin: the one that holds
    for all at once; dotted: among wells or fields, where there is one replicate.
    """
    data.need("contrasts")
    with drawing(style) as figure:
        above, below = figure.subplots(2, 1, height_ratios=(1.15, 1))
        names = [label_of(name, style) for name in data.conditions]
        for axes in (above, below):
            style_axes(axes, style)
        set_value_axis(above, data, style, [data.means, interval_ends(data)])
        above.set_ylabel(wrapped(above.get_ylabel(), 0.42 * figure_size_mm(style)[1], style))
        above.set_xlim(-0.55, len(names) - 0.45)
        draw_replicates(above, data, style, size_pt=5)
        draw_intervals(above, data, style)
        places = _name_contrasts(above, below, data, style, names)
        _draw_contrasts(below, data, style, places)
        add_key(figure, above, style)
        say_below(figure, outside_note(style, means_shown(data)), style)
        figure.align_ylabels([above, below])
    return figure


def _name_contrasts(
    above: Axes, below: Axes, data: ComparisonData, style: FigureStyle, names: list[str]
) -> NDArray[np.float64]:
    """Name the places of both axes; return those of the contrasts."""
    table = data.contrasts
    sign = "/" if data.log else "−"
    if data.common_reference is not None:
        reference = names[data.common_reference]
        above.set_xticks(range(len(names)), [""] * len(names))
        above.tick_params(axis="x", length=0)
        below.set_xlim(-0.55, len(names) - 0.45)
        shown = [
            name if place != data.common_reference else f"{reference}\n(reference)" for place, name in enumerate(names)
        ]
        name_places(below, shown, style)
        return table["at"].to_numpy(np.float64)
    name_places(above, names, style)
    pairs = zip(table["at"], table["reference_at"], strict=True)
    below.set_xlim(-0.55, len(table) - 0.45)
    shown = [f"{names[at]} {sign} {names[reference]}" for at, reference in pairs]
    name_places(below, shown, style, width_mm=axes_width_mm(style))
    return np.arange(len(table), dtype=np.float64)


def _draw_contrasts(axes: Axes, data: ComparisonData, style: FigureStyle, places: NDArray[np.float64]) -> None:
    table = data.contrasts
    none = 1.0 if data.log else 0.0
    axes.axhline(none, color=PAPER.soft, linewidth=0.8)
    for place, row in zip(places, table.itertuples(), strict=True):
        if np.isfinite(row.ci_low):
            _draw_span(axes, place, (row.simultaneous_low, row.simultaneous_high), 0.7, "-")
            _draw_span(axes, place, (row.ci_low, row.ci_high), 2.2, "-")
        else:
            _draw_span(axes, place, (row.technical_low, row.technical_high), 0.9, ":")
        face = "black" if np.isfinite(row.ci_low) else "white"
        axes.plot(place, row.estimate, "o", color="black", markerfacecolor=face, markersize=4.5, zorder=4)
    ends = table[["estimate", *_ENDS]].to_numpy(np.float64)
    _set_ends(axes, np.append(ends[np.isfinite(ends)], none), data)
    what = "ratio" if data.log else "difference"
    if data.common_reference is not None:
        what = f"{what} to {label_of(data.conditions[data.common_reference], style)}"
    axes.set_ylabel(wrapped(what, 0.34 * figure_size_mm(style)[1], style))


def _draw_span(axes: Axes, place: float, ends: tuple[float, float], width: float, line: str) -> None:
    if np.isfinite(ends).all():
        axes.vlines(place, *ends, color="black", linewidth=width, linestyle=line, zorder=3)


def _set_ends(axes: Axes, values: NDArray[np.float64], data: ComparisonData) -> None:
    """Fit the axis to the values; ratios on a logarithmic one, differences of fractions in percentage points."""
    if data.log:
        low, high = np.log10(values.min()), np.log10(values.max())
        margin = _MARGIN * (high - low) or 0.05
        axes.set_yscale("log")
        axes.set_ylim(10 ** (low - margin), 10 ** (high + margin))
        set_log_ticks(axes, "y", (10 ** (low - margin), 10 ** (high + margin)))
        return
    margin = _MARGIN * float(np.ptp(values)) or 1.0
    axes.set_ylim(values.min() - margin, values.max() + margin)
    axes.yaxis.set_major_locator(MaxNLocator(4))
    points = data.fraction
    axes.yaxis.set_major_formatter(FuncFormatter(lambda at, _: f"{number(100 * at)} %" if points else number(at)))
