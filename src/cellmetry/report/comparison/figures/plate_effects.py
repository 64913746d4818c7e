"""What a plate and a batch do to values: wells near the edge, rows, columns, and controls batch by batch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.ticker import FuncFormatter, MaxNLocator

from cellmetry.errors import ParameterError, UnknownName
from cellmetry.io.discover import natural_key
from cellmetry.report.comparison.figures.canvas import (
    add_key,
    drawing,
    figure_size_mm,
    label_of,
    small_text,
    style_axes,
    wrapped,
)
from cellmetry.report.comparison.figures.categories import name_places
from cellmetry.report.comparison.figures.clouds import even_steps
from cellmetry.report.comparison.figures.data import plain_name
from cellmetry.report.comparison.figures.looks import condition_look
from cellmetry.report.comparison.figures.value_axis import plain_ticks
from cellmetry.report.comparison.figures.wells import excluded_rows, plates_of, row_name, well_values
from cellmetry.report.figures import PAPER

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from cellmetry.report.style import FigureStyle

__all__ = ["batch_values", "batches_legend", "draw_batches", "draw_edges", "edges_legend"]

_SIDE = 0.22
_MOST_NAMED = 8


def draw_edges(plates: pd.DataFrame, value: str, style: FigureStyle, *, wells: int | None = None) -> Figure:
    """Return the value of wells over their distance from the plate's edge, and medians of rows and of columns.

    Flat is what an even plate gives. Colours are plates. Excluded wells are left out.
    """
    found = plates_of(plates, [value], wells)
    table = well_values(found, value)
    if table.empty:
        raise ParameterError(f"No well that is not excluded has a number as {value}, so there is nothing to draw.")
    with drawing(style) as figure:
        grid = figure.add_gridspec(2, 2)
        edge, rows = figure.add_subplot(grid[0, 0]), figure.add_subplot(grid[0, 1])
        columns = figure.add_subplot(grid[1, :])
        names = [plate.name for plate in found]
        for place, name in enumerate(names):
            part = table[table["plate"] == name]
            _draw_distance(edge, part, place, len(names), style)
            for axes, by in ((rows, "row"), (columns, "column")):
                _draw_medians(axes, part, by, place, style, label_of(name, style))
        _name_axes((edge, rows, columns), found[0].rows, label_of(value, style), style)
        if 1 < len(names) <= _MOST_NAMED:
            add_key(figure, rows, style)
    return figure


def edges_legend(plates: pd.DataFrame, value: str, style: FigureStyle, *, wells: int | None = None) -> str:
    """Return the legend of `draw_edges`."""
    found = plates_of(plates, [value], wells)
    count = len(well_values(found, value))
    said = "one plate" if len(found) == 1 else f"{len(found)} plates (colours)"
    return (
        f"{label_of(value, style)} of {count} wells of {said}: over the distance from the plate's edge in wells (0 is "
        f"the outermost; bars are medians), and medians of rows and columns. Values that rise or fall towards the edge "
        f"are an effect of the plate, unless conditions are laid out by rows or columns."
    )


def draw_batches(
    table: pd.DataFrame, value: str, style: FigureStyle, *, control: str | None = None, batch: str = "batch"
) -> Figure:
    """Return the control's values in each batch: a point a row (replicate, well), a bar at their mean.

    Parameters
    ----------
    table
        One row a replicate, well or image with the batch, the value, and if a control is named ``condition``.
    control
        Condition that should be alike in all batches; all rows are shown if left out.
    batch
        Column of batches: ``batch``, ``plate``, ``replicate``, …
    """
    shown = batch_values(table, value, control=control, batch=batch)
    names = sorted(shown["batch"].unique(), key=natural_key)
    size = _point_size_pt(int(shown["batch"].value_counts().max()))
    with drawing(style) as figure:
        axes = figure.add_subplot()
        style_axes(axes, style)
        for place, name in enumerate(names):
            values = shown.loc[shown["batch"] == name, "value"].to_numpy(np.float64)
            sides = _SIDE * even_steps(values.size) if values.size > 1 else np.zeros(1)
            look = condition_look(place, style)
            axes.plot(
                place + sides,
                values,
                look.marker,
                color=look.colour,
                markersize=size,
                alpha=0.8,
                markeredgecolor="white",
                markeredgewidth=0.4,
                zorder=3,
            )
            axes.hlines(values.mean(), place - 0.3, place + 0.3, color="black", linewidth=1.6)
        axes.axhline(shown["value"].mean(), color=PAPER.soft, linewidth=0.8, linestyle="--")
        axes.set_xlim(-0.55, len(names) - 0.45)
        name_places(axes, [label_of(name, style) for name in names], style)
        whose = f"{label_of(value, style)} of {label_of(control, style)}" if control else label_of(value, style)
        plain_ticks(axes.yaxis, 6)
        axes.set_ylabel(wrapped(whose, 0.75 * figure_size_mm(style)[1], style))
    return figure


def _point_size_pt(points: int) -> float:
    """Return the diameter of the points of a batch: a few are large enough to be seen beside the bar."""
    return float(np.clip(20 / np.sqrt(points), 4, 7))


def batch_values(table: pd.DataFrame, value: str, *, control: str | None = None, batch: str = "batch") -> pd.DataFrame:
    """Return ``batch`` and ``value`` of each row of the control that is not excluded and has both."""
    for name in (batch, value, *(["condition"] if control is not None else [])):
        if name not in table.columns:
            raise UnknownName("column of the table called", name, map(str, table.columns))
    chosen = pd.Series(data=True, index=table.index)
    if control is not None:
        chosen = table["condition"].map(plain_name) == control
    values = pd.to_numeric(table[value], errors="coerce")
    known = chosen & ~excluded_rows(table) & table[batch].notna() & np.isfinite(values)
    found = pd.DataFrame({"batch": table[batch], "value": values}).loc[known]
    if found.empty:
        raise ParameterError(f"No row {f'of {control!r} ' if control else ''}has a {batch} and a number as {value}.")
    return pd.DataFrame({"batch": found["batch"].map(plain_name), "value": found["value"]}).reset_index(drop=True)


def batches_legend(
    table: pd.DataFrame, value: str, style: FigureStyle, *, control: str | None = None, batch: str = "batch"
) -> str:
    """Return the legend of `draw_batches`."""
    shown = batch_values(table, value, control=control, batch=batch)
    whose = f" of {label_of(control, style)}" if control else ""
    return (
        f"{label_of(value, style)}{whose} in {shown['batch'].nunique()} batches ({label_of(batch, style)}), "
        f"{len(shown)} values. Bars: mean of a batch; dashed: mean of all values."
    )


def _draw_distance(axes: Axes, part: pd.DataFrame, place: int, plates: int, style: FigureStyle) -> None:
    look = condition_look(place, style)
    width = 0.8 / plates
    for distance, group in part.groupby("distance"):
        middle = float(distance) + width * (place - (plates - 1) / 2)  # type: ignore[arg-type]
        values = group["value"].to_numpy(np.float64)
        sides = 0.35 * width * even_steps(values.size) if values.size > 1 else np.zeros(1)
        axes.plot(middle + sides, values, "o", color=look.colour, markersize=1.6, alpha=0.5, markeredgewidth=0)
        axes.hlines(np.median(values), middle - 0.42 * width, middle + 0.42 * width, color=PAPER.ink, linewidth=1.4)


def _draw_medians(axes: Axes, part: pd.DataFrame, by: str, place: int, style: FigureStyle, name: str) -> None:
    look = condition_look(place, style)
    medians = part.groupby(by)["value"].median()
    shown = medians.reindex(range(int(medians.index.min()), int(medians.index.max()) + 1))
    axes.plot(
        shown.index + 1, shown, marker=look.marker, color=look.colour, markersize=3, linewidth=0.9, label=name or None
    )


def _name_axes(panels: tuple[Axes, Axes, Axes], rows: int, name: str, style: FigureStyle) -> None:
    edge, by_row, by_column = panels
    size = small_text(style)
    for axes in panels:
        style_axes(axes, style)
        axes.tick_params(labelsize=size)
        plain_ticks(axes.yaxis, 5)
        axes.xaxis.set_major_locator(MaxNLocator(8 if axes is by_column else 5, integer=True))
    by_row.xaxis.set_major_formatter(
        FuncFormatter(lambda place, _: row_name(int(place) - 1) if 1 <= place <= rows else "")
    )
    edge.set_xlabel("wells from the edge", size=size)
    by_row.set_xlabel("row (median)", size=size)
    by_column.set_xlabel("column (median)", size=size)
    height = 0.8 * figure_size_mm(style)[1]
    edge.figure.supylabel(wrapped(name, height, style), size=style.font_size_pt)
