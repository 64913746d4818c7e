"""The estimation plot: replicates above, differences of conditions with their intervals below."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.ticker import FuncFormatter

from cellmetry.report.comparison.figures.canvas import (
    add_key,
    drawing,
    figure_size_mm,
    label_of,
    say_below,
    style_axes,
    wrapped,
)
from cellmetry.report.comparison.figures.categories import draw_intervals, draw_replicates, interval_ends, name_places
from cellmetry.report.comparison.figures.value_axis import (
    means_shown,
    number,
    outside_note,
    plain_ticks,
    set_log_ticks,
    set_value_axis,
)
from cellmetry.report.figures import PAPER

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from cellmetry.report.comparison.figures.data import ComparisonData
    from cellmetry.report.style import FigureStyle

__all__ = ["draw_estimation"]

_MARGIN = 0.06
_NO_BREAK = "\N{NO-BREAK SPACE}"


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


def _name_contrasts(above: Axes, below: Axes, data: ComparisonData, style: FigureStyle, names: list[str]) -> list[int]:
    """Name the places of both axes; return those of the contrasts."""
    if data.common_reference is not None:
        above.set_xticks(range(len(names)), [""] * len(names))
        above.tick_params(axis="x", length=0)
        below.set_xlim(-0.55, len(names) - 0.45)
        name_places(below, names, style)
        return [each.at for each in data.contrasts]
    name_places(above, names, style)
    below.set_xlim(-0.55, len(data.contrasts) - 0.45)
    sign = "/" if data.log else "−"
    whole = [name.replace(" ", _NO_BREAK) for name in names]
    name_places(below, [f"{whole[each.at]} {sign} {whole[each.reference_at]}" for each in data.contrasts], style)
    return list(range(len(data.contrasts)))


def _draw_contrasts(axes: Axes, data: ComparisonData, style: FigureStyle, places: list[int]) -> None:
    none = 1.0 if data.log else 0.0
    axes.axhline(none, color=PAPER.soft, linewidth=0.8)
    ends = [none]
    for place, each in zip(places, data.contrasts, strict=True):
        spans = [(each.simultaneous_low, each.simultaneous_high, 0.7, "-"), (each.ci_low, each.ci_high, 2.2, "-")]
        if each.has_technical:
            spans = [(each.technical_low, each.technical_high, 0.9, ":")]
        for low, high, width, line in spans:
            if np.isfinite([low, high]).all():
                axes.vlines(place, low, high, color="black", linewidth=width, linestyle=line, zorder=3)
        ends += [each.estimate, *(end for low, high, *_ in spans for end in (low, high))]
        face = "black" if each.has_interval else "white"
        axes.plot(place, each.estimate, "o", color="black", markerfacecolor=face, markersize=4.5, zorder=4)
    known = np.array(ends)
    _set_ends(axes, known[np.isfinite(known)], data)
    what = "ratio" if data.log else "difference"
    if data.common_reference is not None:
        what = f"{what} to {label_of(data.conditions[data.common_reference], style)}"
    if data.fraction and not data.log:
        what = f"{what} (%{_NO_BREAK}points)"
    axes.set_ylabel(wrapped(what, 0.34 * figure_size_mm(style)[1], style))


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
    plain_ticks(axes.yaxis, 5)
    if data.fraction:
        axes.yaxis.set_major_formatter(FuncFormatter(lambda at, _: number(100 * at)))
