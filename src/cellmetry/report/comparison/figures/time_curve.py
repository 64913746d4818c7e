"""The time curve: mean of the replicates over time with its interval."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import stats

from cellmetry.errors import ParameterError
from cellmetry.report.comparison.figures.canvas import add_key, drawing, label_of, say_below, style_axes, wrapped
from cellmetry.report.comparison.figures.data import plain_name
from cellmetry.report.comparison.figures.looks import condition_look
from cellmetry.report.comparison.figures.value_axis import outside_note, plain_ticks, set_value_axis

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from cellmetry.report.comparison.figures.data import ComparisonData
    from cellmetry.report.style import FigureStyle

__all__ = ["curves_shown", "draw_time", "replicates_over_time", "summary_over_time"]


def draw_time(data: ComparisonData, style: FigureStyle) -> Figure:
    """Return mean and interval of the replicates of each condition over time; thin lines are replicates."""
    curves = replicates_over_time(data)
    summary = summary_over_time(curves, data)
    with drawing(style) as figure:
        axes = figure.add_subplot()
        style_axes(axes, style)
        set_value_axis(axes, data, style, [curves["value"], summary[["low", "high"]].to_numpy(np.float64)])
        for place, name in enumerate(data.conditions):
            lines = curves[curves["condition"] == place]
            look = condition_look(place, style)
            for _, line in lines.groupby("replicate"):
                axes.plot(line["time"], line["value"], color=look.colour, linewidth=0.4, alpha=0.6, zorder=2)
            _draw_mean(axes, summary[summary["condition"] == place], label_of(name, style), place, style)
        plain_ticks(axes.xaxis, 8)
        axes.set_xlabel(wrapped(label_of("time", style), 0.75 * style.width_mm, style))
        add_key(figure, axes, style)
        say_below(figure, outside_note(style, curves_shown(curves)), style)
    return figure


def _draw_mean(axes: Axes, part: pd.DataFrame, name: str, place: int, style: FigureStyle) -> None:
    look = condition_look(place, style)
    banded = part[part["low"].notna()]
    axes.fill_between(banded["time"], banded["low"], banded["high"], color=look.colour, alpha=0.2, linewidth=0)
    axes.plot(
        part["time"],
        part["mean"],
        color=look.colour,
        marker=look.marker,
        linestyle=look.line,
        markersize=4,
        linewidth=1.4,
        label=name,
        zorder=4,
    )


def replicates_over_time(data: ComparisonData) -> pd.DataFrame:
    """Return one row a condition, replicate and time with the ``value`` of its cells: mean, median, or share positive.

    Condition and replicate are places in those of `data`. On a logarithmic scale the mean is the geometric one.
    """
    data.need("time")
    cells = data.shown
    values = cells.values
    if data.fraction and data.threshold is not None:
        values = (values > data.threshold).astype(np.float64)
    table = pd.DataFrame(
        {
            "condition": cells.condition,
            "replicate": cells.replicate,
            "time": _times(data.cells["time"].iloc[cells.rows]),
            "value": np.log(values) if data.log else values,
        }
    )
    how = "mean" if data.fraction else data.comparison.options.summary
    found = table.groupby(["condition", "replicate", "time"], as_index=False).agg(value=("value", how))
    return found.assign(value=np.exp(found["value"])) if data.log else found


def curves_shown(curves: pd.DataFrame) -> dict[str, np.ndarray[tuple[int], np.dtype[np.float64]]]:
    """Return values of the replicates over time, as `outside_note` takes them."""
    return {"values of replicates at a time": curves["value"].to_numpy(np.float64)}


def summary_over_time(curves: pd.DataFrame, data: ComparisonData) -> pd.DataFrame:
    """Return ``mean``, ``low``, ``high`` and number of replicates ``n`` of each condition and time.

    The interval is Student's t of the replicates, as wide as the comparison's; missing with one replicate.
    """
    level = data.comparison.options.confidence
    values = np.log(curves["value"]) if data.log else curves["value"]
    grouped = curves.assign(value=values).groupby(["condition", "time"], as_index=False)
    found = grouped.agg(mean=("value", "mean"), sd=("value", "std"), n=("value", "size"))
    half = stats.t.ppf(0.5 + level / 2, np.maximum(found["n"] - 1, 1)) * found["sd"] / np.sqrt(found["n"])
    found = found.assign(low=found["mean"] - half, high=found["mean"] + half).drop(columns="sd")
    if data.log:
        found[["mean", "low", "high"]] = np.exp(found[["mean", "low", "high"]])
    return found


def _times(column: pd.Series) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return times as numbers; raise where one is none."""
    times = pd.to_numeric(column, errors="coerce")
    wrong = column[times.isna()]
    if len(wrong):
        raise ParameterError(
            f"The time {plain_name(wrong.iloc[0])!r} is no number, so it has no place on an axis; give numbers."
        )
    return times.to_numpy(np.float64)
