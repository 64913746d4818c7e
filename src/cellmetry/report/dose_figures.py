"""The figure of a dose response: a panel for each group with its units, mean ± SD, curve and interval band."""

from __future__ import annotations

from textwrap import fill
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from cellmetry.report.figures import new_figure, plain_axes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

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
_HEADROOM, _FOOTROOM = 0.25, 0.08
_MARGIN = 0.14
_JITTER = 0.012
_MOST_TICKS = 6
_FOOT = 0.045
_LINE = 46


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
        colour = theme.series[place % len(theme.series)]
        axis = _draw_panel(axes, points, theme, colour, spread=result.replicates is None)
        if result.replicates is not None:
            _draw_replicates(axes, name, result, axis, colour)
        elif curve.fitted:
            _draw_curve(axes, curve, axis, colour)
        said = _said(curve) if result.replicates is None else _said_of_replicates(name, result)
        axes.text(0.02, 0.985, said, transform=axes.transAxes, va="top", size=10, color=theme.ink, linespacing=1.35)
        axes.set_title("" if len(groups) == 1 else name, loc="left", color=theme.ink, size=13, weight="bold")
        axes.set_xlabel(result.analysis.dose, size=12)
        if place % columns == 0:
            axes.set_ylabel(f"{result.analysis.value}\n({result.analysis.summary} of the cells of a unit)", size=12)
    for axes in panels[len(groups) :]:
        axes.set_visible(False)
    low, high = panels[0].get_ylim()
    foot = 0.0 if result.replicates is None else _FOOTROOM * (high - low)
    panels[0].set_ylim(low - foot, high + _HEADROOM * (high - low))
    return figure


def _draw_panel(axes: Axes, points: pd.DataFrame, theme: Theme, colour: str, *, spread: bool) -> _Axis:
    """Draw units (with mean ± SD of each dose if `spread`) and controls, and return where doses stand."""
    used = points[(points["role"] != "positive") & points["dose"].notna()]
    controls = points.loc[points["role"] == "positive", "response"].to_numpy(np.float64)
    axis = _axis(used["dose"].to_numpy(np.float64))
    _draw_units(axes, used, axis, colour)
    if spread:
        _draw_spread(axes, used, axis, theme)
    if controls.size:
        places = axis.control + _spread(controls.size, axis)
        axes.plot(places, controls, "D", color=theme.soft, markersize=5, alpha=0.8, linewidth=0)
    _label_axis(axes, axis, used["dose"].to_numpy(np.float64), with_control=bool(controls.size), theme=theme)
    return axis


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


def _draw_units(axes: Axes, points: pd.DataFrame, axis: _Axis, colour: str) -> None:
    for centre, values in _by_dose(points, axis):
        axes.plot(centre + _spread(values.size, axis), values, "o", color=colour, markersize=4.5, alpha=0.55, mew=0)


def _draw_spread(axes: Axes, points: pd.DataFrame, axis: _Axis, theme: Theme) -> None:
    for centre, values in _by_dose(points, axis):
        if values.size > 1:
            spread = values.std(ddof=1)
            axes.errorbar(centre, values.mean(), spread, color=theme.ink, capsize=3.5, linewidth=1.4, zorder=4)
            axes.plot(centre, values.mean(), "_", color=theme.ink, markersize=12, markeredgewidth=2, zorder=4)


def _by_dose(points: pd.DataFrame, axis: _Axis) -> Iterator[tuple[float, NDArray[np.float64]]]:
    """Yield the place of each dose with the responses of its units."""
    for dose, part in points[points["response"].notna()].groupby("dose"):
        yield float(axis.place(np.array([dose], np.float64))[0]), part["response"].to_numpy(np.float64)


def _smooth(axis: _Axis) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return places along the axis and the doses that stand there."""
    if axis.log:
        shown = np.linspace(axis.first - 0.5 * (axis.first - axis.zero), axis.last, _SMOOTH)
        return shown, 10**shown
    shown = np.linspace(axis.first, axis.last, _SMOOTH)
    return shown, shown


def _draw_curve(axes: Axes, curve: DoseFit, axis: _Axis, colour: str) -> None:
    shown, doses = _smooth(axis)
    low, high = curve.band(doses)
    axes.fill_between(shown, low, high, color=colour, alpha=0.18, linewidth=0)
    axes.plot(shown, curve.predict(doses), color=colour, linewidth=2.4, zorder=3)


def _draw_replicates(axes: Axes, name: str, result: DoseResult, axis: _Axis, colour: str) -> None:
    """Draw a thin curve for each replicate with a ring at its EC50 (Kd), and their mean with its interval below."""
    assert result.replicates is not None  # noqa: S101
    shown, doses = _smooth(axis)
    half = result.analysis.half_name
    for _, curve in result.replicates.of(name):
        if curve.fitted:
            middle = np.array([curve.values[curve.names.index(half)]])
            axes.plot(shown, curve.predict(doses), color=colour, linewidth=1.1, zorder=3)
            axes.plot(axis.place(middle), curve.predict(middle), "o", color=colour, mfc="white", markersize=7, zorder=5)
    for row in result.replicates.halves.query("group == @name and n_fitted > 0").to_dict(orient="records"):
        low, mean, high = axis.place(np.array([row["ci_low"], row["estimate"], row["ci_high"]], np.float64))
        across = axes.get_xaxis_transform()
        if row["n_fitted"] > 1:
            ends = np.clip([low, high], axis.zero if axis.log else axis.first, axis.last)
            axes.plot(ends, [_FOOT, _FOOT], color=colour, linewidth=2.4, transform=across, zorder=5)
        axes.plot(mean, _FOOT, "D", color=colour, markersize=7, transform=across, zorder=6)


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
        return fill(f"no curve: {curve.reason}", _LINE)
    place = curve.names.index("kd" if curve.model == "langmuir" else "ec50")
    name = {"kd": "Kd", "ec50": "EC50"}[curve.names[place]]
    interval = f"{curve.low[place]:.3g} to {curve.high[place]:.3g}"
    return (
        f"{name} {curve.values[place]:.3g} ({curve.confidence:.0%} interval {interval})\n$R^2$ {curve.goodness.r2:.3f}"
    )


def _said_of_replicates(name: str, result: DoseResult) -> str:
    """Return the mean EC50 (Kd) of a group's replicates with its interval, or why there is none."""
    assert result.replicates is not None  # noqa: S101
    half = {"ec50": "EC50", "kd": "Kd"}[result.analysis.half_name]
    curves = list(result.replicates.of(name))
    found = result.replicates.halves.query("group == @name and n_fitted > 0").to_dict(orient="records")
    if not found:
        reasons = [f"{replicate}: {curve.reason}" for replicate, curve in curves]
        return fill(f"no curve in any of {len(curves)} replicates ({reasons[0]})" if curves else "no replicate", _LINE)
    row = found[0]
    of = "" if row["n_fitted"] == row["n_replicates"] else f" of {row['n_replicates']}"
    if row["n_fitted"] == 1:
        return f"{half} {row['estimate']:.3g} (1{of} replicates)"
    return (
        f"{half} {row['estimate']:.3g} ({row['confidence']:.0%} interval {row['ci_low']:.3g} to {row['ci_high']:.3g})\n"
        f"of {row['n_fitted']}{of} replicates"
    )
