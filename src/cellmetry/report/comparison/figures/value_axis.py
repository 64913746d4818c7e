"""The axis of values: it holds all cells, or says how many it does not; linear, logarithmic, or per cent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter, NullLocator

from cellmetry.errors import ParameterError
from cellmetry.report.comparison.figures.canvas import figure_size_mm, label_of, wrapped

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Literal

    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from numpy.typing import ArrayLike, NDArray

    from cellmetry.report.comparison.figures.data import ComparisonData
    from cellmetry.report.style import FigureStyle

__all__ = [
    "both_shown",
    "cells_shown",
    "count",
    "means_shown",
    "number",
    "outside_note",
    "plain_ticks",
    "set_log_ticks",
    "set_value_axis",
    "value_label",
    "value_limits",
]

_MARGIN = 0.04
_LABEL_PART = 0.75
_DECADES_IN_FULL = 2.0


def value_label(data: ComparisonData, style: FigureStyle) -> str:
    """Return what stands at the axis of values of cells: the name of what is compared, or of what the gate divides."""
    return label_of(data.measure or data.comparison.options.value, style)


def value_limits(data: ComparisonData, style: FigureStyle, values: Iterable[ArrayLike]) -> tuple[float, float]:
    """Return the ends of the axis of values: the style's, or such that all of these values are within."""
    if style.limits is not None:
        if data.log and style.limits[0] <= 0:
            raise ParameterError("limits: a logarithmic axis starts above 0; give limits above 0, or compare linearly.")
        return style.limits
    ends = [_ends(np.asarray(each, np.float64), positive=data.log) for each in values]
    low = min((each[0] for each in ends if each), default=0.1 if data.log else 0.0)
    high = max((each[1] for each in ends if each), default=1.0)
    if data.log:
        first, last = _widened(np.log10(low), np.log10(high))
        return float(10**first), float(10**last)
    return _widened(low, high)


def _ends(values: NDArray[np.float64], *, positive: bool) -> tuple[float, float] | None:
    known = values[np.isfinite(values) & ((values > 0) | (not positive))]
    return (float(known.min()), float(known.max())) if known.size else None


def _widened(low: float, high: float) -> tuple[float, float]:
    margin = _MARGIN * (high - low) if high > low else max(0.05 * abs(high), 1e-9)
    return low - margin, high + margin


def set_value_axis(
    axes: Axes, data: ComparisonData, style: FigureStyle, values: Iterable[ArrayLike], which: Literal["x", "y"] = "y"
) -> None:
    """Scale, limit, tick and name the axis of values; fractions start at 0 and are in per cent."""
    axis = axes.yaxis if which == "y" else axes.xaxis
    low, high = value_limits(data, style, values)
    percent = data.fraction and not (which == "x" and data.measure)
    if percent and style.limits is None:
        low = min(0.0, low) if low < -_MARGIN * high else 0.0
    if data.log:
        (axes.set_yscale if which == "y" else axes.set_xscale)("log")
        set_log_ticks(axes, which, (low, high))
    else:
        plain_ticks(axis, 6, percent=percent)
    (axes.set_ylim if which == "y" else axes.set_xlim)(low, high)
    width, height = figure_size_mm(style)
    most = _LABEL_PART * (height if which == "y" else width)
    name = label_of(data.comparison.options.value, style) if percent else value_label(data, style)
    axis.set_label_text(wrapped(name, most, style))


def plain_ticks(axis: Axis, most: int, *, percent: bool = False) -> None:
    """Put at most this many ticks at 1, 2 or 5 times a power of ten, with plain numbers or per cent."""
    axis.set_major_locator(MaxNLocator(most, steps=[1, 2, 5, 10], min_n_ticks=3))
    axis.set_major_formatter(FuncFormatter(lambda at, _: f"{number(100 * at)} %" if percent else number(at)))


def set_log_ticks(axes: Axes, which: Literal["x", "y"], limits: tuple[float, float]) -> None:
    """Name ticks of a logarithmic axis by numbers: decades, or also 2 and 5 times them where decades are few."""
    axis = axes.yaxis if which == "y" else axes.xaxis
    few = np.log10(limits[1] / limits[0]) < _DECADES_IN_FULL
    if np.log10(limits[1] / limits[0]) < 0.5:
        axis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    else:
        axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if few else (1.0,), numticks=8))
    axis.set_minor_locator(NullLocator() if few else LogLocator(subs=tuple(np.arange(2.0, 10.0)), numticks=99))
    axis.set_minor_formatter(NullFormatter())
    axis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))


def number(value: float) -> str:
    """Return a number as it stands at an axis: 1,500, 0.02, 3e6."""
    if value and not 1e-3 <= abs(value) < 1e5:
        digits, power = f"{value:.6e}".split("e")
        return f"{digits.rstrip('0').rstrip('.')}e{int(power)}".replace("-", "−")
    return f"{value:,.10g}".replace("-", "−")


def count(cells: float) -> str:
    """Return a number of cells with its thousands set off."""
    return f"{int(cells):,}"


def outside_note(style: FigureStyle, shown: Mapping[str, NDArray[np.float64]]) -> list[str]:
    """Return how many of what is shown lies outside of the limits of the axis; nothing if all is within.

    Parameters
    ----------
    shown
        What the values are (``cells``) → values on the axis; those that are not finite do not count.
    """
    if style.limits is None:
        return []
    low, high = style.limits
    words = []
    for what, values in shown.items():
        known = values[np.isfinite(values)]
        left = int(np.count_nonzero((known < low) | (known > high)))
        if left:
            words.append(f"{count(left)} of {count(known.size)} {what}")
    return [f"outside of the axis: {' and '.join(words)}"] if words else []


def cells_shown(data: ComparisonData) -> dict[str, NDArray[np.float64]]:
    """Return values of the cells, as `outside_note` takes them."""
    return {"cells": data.shown.values}


def means_shown(data: ComparisonData) -> dict[str, NDArray[np.float64]]:
    """Return values of the replicates, as `outside_note` takes them."""
    return {"replicate values": data.means}


def both_shown(data: ComparisonData) -> dict[str, NDArray[np.float64]]:
    """Return values of the cells, where there are amounts, and of the replicates, as `outside_note` takes them."""
    return {**(cells_shown(data) if data.has("cells") else {}), **means_shown(data)}
