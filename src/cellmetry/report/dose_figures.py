"""The figure of a dose response: a panel for each group with its units, mean ± SD, curve and interval band."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from cellmetry.report.figures import new_figure, plain_axes

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from cellmetry.report.figures import Theme
    from cellmetry.stats.dose_response import DoseFit
    from cellmetry.stats.dosing import DoseResult

__all__ = ["draw_dose_response"]

_PANEL, _COLUMNS = (4.6, 4.2), 3
_SPREAD = 10.0
_SMOOTH = 300
_HEADROOM = 0.25
_MARGIN = 0.14
_JITTER = 0.012
_MOST_TICKS = 6


class _Axis(NamedTuple):
    """Where doses stand: linear, or logarithmic with a place of its own for dose 0 and one for the positive control."""

    log: bool
    first: float
    last: float
    zero: float
    control: float

    def place(self, dose: NDArray[np.float64]) -> NDArray[np.float64]:
        if not self.log:
            return dose
        return np.where(dose > 0, np.log10(np.where(dose > 0, dose, 1.0)), self.zero)


def draw_dose_response(result: DoseResult, theme: Theme) -> Figure:
    """Return a panel for each group: a dot a unit, mean ± SD of the units, fitted curve with its interval.

    The dose axis is logarithmic where doses span more than tenfold; dose 0 then stands left of a break. Units of the
    positive control stand at the right edge, outside the axis of doses, and are not fitted.
    """
    groups = list(result.groups())
    columns = min(_COLUMNS, len(groups))
    rows = -(-len(groups) // columns)
    figure = new_figure(_PANEL[0] * columns + 0.4, _PANEL[1] * rows)
    panels = figure.subplots(rows, columns, sharey=True, squeeze=False).ravel()
    for place, (axes, (name, points, curve)) in enumerate(zip(panels, groups, strict=False)):
        plain_axes(axes, theme)
        _draw_panel(axes, points, curve, theme, theme.series[place % len(theme.series)])
        axes.set_title("" if len(groups) == 1 else name, loc="left", color=theme.ink, size=13, weight="bold")
        axes.set_xlabel(result.analysis.dose, size=12)
        if place % columns == 0:
            axes.set_ylabel(f"{result.analysis.value}\n({result.analysis.summary} of the cells of a unit)", size=12)
    for axes in panels[len(groups) :]:
        axes.set_visible(False)
    low, high = panels[0].get_ylim()
    panels[0].set_ylim(low, high + _HEADROOM * (high - low))
    return figure


def _draw_panel(axes: Axes, points: pd.DataFrame, curve: DoseFit, theme: Theme, colour: str) -> None:
    used = points[(points["role"] != "positive") & points["dose"].notna()]
    controls = points.loc[points["role"] == "positive", "response"].to_numpy(np.float64)
    axis = _axis(used["dose"].to_numpy(np.float64))
    _draw_units(axes, used, axis, theme, colour)
    if controls.size:
        places = axis.control + _spread(controls.size, axis)
        axes.plot(places, controls, "D", color=theme.soft, markersize=5, alpha=0.8, linewidth=0)
    if curve.fitted:
        _draw_curve(axes, curve, axis, colour)
    _label_axis(axes, axis, used["dose"].to_numpy(np.float64), with_control=bool(controls.size), theme=theme)
    axes.text(0.02, 0.985, _said(curve), transform=axes.transAxes, va="top", size=10, color=theme.ink, linespacing=1.35)


def _axis(doses: NDArray[np.float64]) -> _Axis:
    positive = np.unique(doses[doses > 0])
    if positive.size > 1 and positive[-1] / positive[0] > _SPREAD:
        first, last = (float(value) for value in np.log10(positive[[0, -1]]))
        gap = _MARGIN * (last - first)
        return _Axis(True, first, last, first - gap, last + gap)
    first, last = float(doses.min()), float(doses.max())
    return _Axis(False, first, last, 0.0, last + _MARGIN * (last - first))


def _spread(count: int, axis: _Axis) -> NDArray[np.float64]:
    """Return small shifts to the sides, so that units with equal values are seen."""
    shifts: NDArray[np.float64] = np.linspace(-1, 1, count) * _JITTER * (axis.control - axis.zero)
    return shifts if count > 1 else np.zeros(1)


def _draw_units(axes: Axes, points: pd.DataFrame, axis: _Axis, theme: Theme, colour: str) -> None:
    for dose, part in points[points["response"].notna()].groupby("dose"):
        values = part["response"].to_numpy(np.float64)
        centre = float(axis.place(np.array([dose], np.float64))[0])
        axes.plot(centre + _spread(values.size, axis), values, "o", color=colour, markersize=4.5, alpha=0.55, mew=0)
        if values.size > 1:
            spread = values.std(ddof=1)
            axes.errorbar(centre, values.mean(), spread, color=theme.ink, capsize=3.5, linewidth=1.4, zorder=4)
            axes.plot(centre, values.mean(), "_", color=theme.ink, markersize=12, markeredgewidth=2, zorder=4)


def _draw_curve(axes: Axes, curve: DoseFit, axis: _Axis, colour: str) -> None:
    if axis.log:
        shown = np.linspace(axis.first - 0.5 * (axis.first - axis.zero), axis.last, _SMOOTH)
        doses = 10**shown
    else:
        shown = doses = np.linspace(axis.first, axis.last, _SMOOTH)
    low, high = curve.band(doses)
    axes.fill_between(shown, low, high, color=colour, alpha=0.18, linewidth=0)
    axes.plot(shown, curve.predict(doses), color=colour, linewidth=2.4, zorder=3)


def _label_axis(axes: Axes, axis: _Axis, doses: NDArray[np.float64], *, with_control: bool, theme: Theme) -> None:
    named = {place: f"{dose:g}" for dose, place in _ticks(axis, np.unique(doses))}
    if with_control:
        named[axis.control] = "positive\ncontrol"
    places = sorted(named)
    axes.xaxis.set_major_locator(FixedLocator(places))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: named[min(places, key=lambda at: abs(at - value))]))
    breaks = [(axis.zero + axis.first) / 2] if axis.log and (doses == 0).any() else []
    if with_control and axis.log:
        breaks.append((axis.last + axis.control) / 2)
    for place in breaks:
        mark = axes.text(place, 0, "//", ha="center", va="center", color=theme.ink, size=11)
        mark.set(transform=axes.get_xaxis_transform(), clip_on=False)


def _ticks(axis: _Axis, doses: NDArray[np.float64]) -> Sequence[tuple[float, float]]:
    """Return doses that are named with their places: 0, and of the others as many as can be read."""
    positive = doses[doses > 0]
    step = -(-positive.size // _MOST_TICKS)
    chosen = np.concatenate([doses[doses == 0], positive[::-1][:: max(step, 1)][::-1]])
    return list(zip(chosen.tolist(), axis.place(chosen).tolist(), strict=True))


def _said(curve: DoseFit) -> str:
    """Return the dose of half the effect with its interval, or why there is no curve."""
    if not curve.fitted:
        words, line = [], ""
        for word in f"no curve: {curve.reason}".split():
            if len(line) + len(word) > 46:
                words.append(line)
                line = ""
            line = f"{line} {word}".strip()
        return "\n".join([*words, line])
    place = curve.names.index("kd" if curve.model == "langmuir" else "ec50")
    name = {"kd": "Kd", "ec50": "EC50"}[curve.names[place]]
    interval = f"{curve.low[place]:.3g} to {curve.high[place]:.3g}"
    return (
        f"{name} {curve.values[place]:.3g} ({curve.confidence:.0%} interval {interval})\n$R^2$ {curve.goodness.r2:.3f}"
    )
