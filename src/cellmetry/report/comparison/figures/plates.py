"""Plates drawn: a value of each well as colours, and the layout of conditions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.colors import Normalize, to_rgb

from cellmetry.errors import ParameterError
from cellmetry.io.discover import natural_key
from cellmetry.report.comparison.figures.canvas import (
    SMALL,
    add_key,
    drawing,
    figure_size_mm,
    label_of,
    small_text,
    style_axes,
    text_width_mm,
    wrapped,
)
from cellmetry.report.comparison.figures.value_axis import number, plain_ticks
from cellmetry.report.comparison.figures.wells import plates_of, row_name
from cellmetry.report.figures import PAPER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.colorbar import Colorbar
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from cellmetry.report.comparison.figures.wells import Plate
    from cellmetry.report.style import FigureStyle

__all__ = ["draw_layout", "draw_plate", "layout_legend", "plate_legend"]

_LEAST_PT = 4.0
_WELL_PART = 0.86
_SIDE_MM = 14.0
_NAMES_MM = 5.0
_DARK = 0.45
_MAP = "cividis"
_HATCH = "#9aa5b1"


def draw_plate(
    plates: pd.DataFrame, value: str, style: FigureStyle, *, text: str | None = None, wells: int | None = None
) -> Figure:
    """Return a panel for each plate with the wells coloured by a value on one scale, written in where there is room.

    Wells without data are hatched, those that are excluded crossed out and not on the scale.

    Parameters
    ----------
    plates
        One row a well or image with ``row``, ``column``, the value, and if there are any ``plate`` and ``excluded``.
    value
        Column of numbers.
    text
        Column that is written in the wells (``condition``); the value if left out, nothing if empty.
    wells
        Number of wells of a plate, see `plates_of`.
    """
    written = value if text is None else text
    found = plates_of(plates, list(dict.fromkeys([value, written] if written else [value])), wells)
    values = _values_of(found, value)
    scale = Normalize(*_span(values))
    with drawing(style) as figure:
        panels = _panels(figure, found, style)
        for axes, plate in zip(panels, found, strict=True):
            grid = plate.grid(value)
            drawn = axes.pcolormesh(
                np.ma.masked_invalid(grid), cmap=_MAP, norm=scale, edgecolors="white", linewidth=0.5
            )
            _mark_empty(axes, plate, np.isfinite(grid))
            if written:
                dark = scale(np.nan_to_num(grid, nan=float(values.min()))) < _DARK
                _write_wells(axes, plate, written, np.asarray(dark), _well_mm(found, style), style)
        bar = figure.colorbar(drawn, ax=panels, pad=0.02, aspect=25, shrink=0.9)
        _style_bar(bar, label_of(value, style), style)
    return figure


def plate_legend(plates: pd.DataFrame, value: str, style: FigureStyle, *, wells: int | None = None) -> str:
    """Return the legend of `draw_plate`."""
    found = plates_of(plates, [value], wells)
    several = f"; mean of the images of a well, {_most_images(plates)} at most" if _most_images(plates) > 1 else ""
    return (
        f"{label_of(value, style)} of each well of {_plates_said(found)}{several}, on one scale. {_marks_said(found)}"
    )


def draw_layout(
    images: pd.DataFrame, style: FigureStyle, *, order: Sequence[str] = (), wells: int | None = None
) -> Figure:
    """Return a panel for each plate with the condition of each well as a colour, and the dose in it where there is one.

    Where conditions are more than colours, each has a number too, which stands in its wells.

    Parameters
    ----------
    images
        One row a well or image with ``row``, ``column``, ``condition``, and if there are any ``plate``, ``dose``,
        ``excluded``.
    order
        Conditions in the order of the key and of colours; those not named follow in natural order.
    wells
        Number of wells of a plate, see `plates_of`.
    """
    dosed = "dose" in images.columns and images["dose"].notna().any()
    found = plates_of(images, ["condition", "dose"] if dosed else ["condition"], wells)
    names = _in_order({name for plate in found for name in plate.wells["condition"] if name}, order)
    numbered = len(names) > len(style.palette)
    with drawing(style) as figure:
        panels = _panels(figure, found, style)
        for axes, plate in zip(panels, found, strict=True):
            _paint_layout(axes, plate, names, style)
            if numbered or dosed:
                _write_layout(axes, plate, names, found, style, numbered=numbered)
        for place, name in enumerate(names):
            said = f"{place + 1} {label_of(name, style)}" if numbered else label_of(name, style)
            panels[0].scatter([], [], s=30, marker="s", color=[_colour(place, style)], label=said)
        add_key(figure, panels[0], style)
    return figure


def _in_order(names: set[str], order: Sequence[str]) -> list[str]:
    return [*(name for name in dict.fromkeys(order) if name in names), *sorted(names - set(order), key=natural_key)]


def layout_legend(images: pd.DataFrame, style: FigureStyle, *, wells: int | None = None) -> str:
    """Return the legend of `draw_layout`."""
    dosed = "dose" in images.columns and images["dose"].notna().any()
    found = plates_of(images, ["condition"], wells)
    names = {name for plate in found for name in plate.wells["condition"] if name}
    inside = " Numbers in wells stand for conditions." if len(names) > len(style.palette) else ""
    if dosed and not inside:
        inside = " Numbers in wells are doses."
    return f"Conditions of the wells of {_plates_said(found)}.{inside} {_marks_said(found)}"


def _values_of(plates: Sequence[Plate], value: str) -> NDArray[np.float64]:
    for plate in plates:
        if not pd.api.types.is_numeric_dtype(plate.wells[value]):
            raise ParameterError(f"The column {value!r} does not hold numbers, so it has no colours; draw the layout.")
    values = np.concatenate([plate.grid(value).ravel() for plate in plates])
    if not np.isfinite(values).any():
        raise ParameterError(f"No well that is not excluded has a {value}, so there is nothing to draw.")
    known: NDArray[np.float64] = values[np.isfinite(values)]
    return known


def _span(values: NDArray[np.float64]) -> tuple[float, float]:
    low, high = float(values.min()), float(values.max())
    return (low, high) if high > low else (low - max(abs(low) * 0.05, 1e-9), high + max(abs(high) * 0.05, 1e-9))


def _panels(figure: Figure, plates: Sequence[Plate], style: FigureStyle) -> list[Axes]:
    columns = _panel_columns(plates, style)
    grid = figure.subplots(-(-len(plates) // columns), columns, squeeze=False).ravel()
    well = _well_mm(plates, style)
    for axes in grid[len(plates) :]:
        axes.set_visible(False)
    for axes, plate in zip(grid, plates, strict=False):
        style_axes(axes, style)
        axes.spines[:].set_visible(False)
        axes.set(xlim=(0, plate.columns), ylim=(plate.rows, 0), aspect="equal")
        size = small_text(style)
        places = np.arange(0, plate.columns, _step(str(plate.columns), well, style))
        axes.set_xticks(places + 0.5, [str(place + 1) for place in places])
        rows = np.arange(0, plate.rows, 1 if well > size * 0.37 else 2 if well > size * 0.19 else 4)
        axes.set_yticks(rows + 0.5, [row_name(int(place)) for place in rows])
        axes.tick_params(length=0, pad=1.5, labelsize=size, labeltop=True, labelbottom=False)
        if plate.name:
            axes.set_title(wrapped(plate.name, well * plate.columns, style), size=style.font_size_pt)
    return list(grid[: len(plates)])


def _step(longest: str, well_mm: float, style: FigureStyle) -> int:
    """Return every which column is named, so that the numbers do not touch."""
    return int(np.ceil(1.15 * text_width_mm(longest, small_text(style), style.font) / well_mm))


def _panel_columns(plates: Sequence[Plate], style: FigureStyle) -> int:
    """Return in how many columns plates stand, so that wells are largest."""
    return max(range(1, len(plates) + 1), key=lambda columns: (_well_in(columns, plates, style), -columns))


def _well_in(columns: int, plates: Sequence[Plate], style: FigureStyle) -> float:
    width, height = figure_size_mm(style)
    rows = -(-len(plates) // columns)
    across = ((width - _SIDE_MM) / columns - _NAMES_MM) / plates[0].columns
    return float(max(min(across, ((height - _NAMES_MM) / rows - 2 * _NAMES_MM) / plates[0].rows), 0.1))


def _well_mm(plates: Sequence[Plate], style: FigureStyle) -> float:
    return _well_in(_panel_columns(plates, style), plates, style)


def _mark_empty(axes: Axes, plate: Plate, filled: NDArray[np.bool_]) -> None:
    """Hatch wells without data, and cross out those that are excluded."""
    excluded = np.zeros(filled.shape, bool)
    out = plate.wells[plate.wells["excluded"]]
    excluded[out["row"], out["column"]] = True
    rows, columns = np.nonzero(~filled & ~excluded)
    for shift in (0.15, 0.4, 0.65):
        starts = np.column_stack([columns + shift, rows + 0.85])
        _draw_lines(axes, starts, starts + np.array([0.2, -0.7]), _HATCH, 0.5)
    rows, columns = np.nonzero(excluded)
    for left, right in ((0.2, 0.8), (0.8, 0.2)):
        ends = np.column_stack([columns + right, rows + 0.8])
        starts = np.column_stack([columns + left, rows + 0.2])
        for colour, width in (("white", 2.0), (PAPER.ink, 0.8)):
            _draw_lines(axes, starts, ends, colour, width)


def _draw_lines(axes: Axes, starts: NDArray[np.float64], ends: NDArray[np.float64], colour: str, width: float) -> None:
    gaps = np.full(len(starts), np.nan)
    x, y = (np.column_stack([starts[:, axis], ends[:, axis], gaps]).ravel() for axis in (0, 1))
    axes.plot(x, y, "-", color=colour, linewidth=width, solid_capstyle="butt")


def _write_wells(
    axes: Axes, plate: Plate, column: str, dark: NDArray[np.bool_], well_mm: float, style: FigureStyle
) -> None:
    """Write the entries of a column in their wells, white on dark, in letters that fit; none if those are too small."""
    kept = plate.wells[~plate.wells["excluded"]]
    _write(axes, kept, _alike(list(kept[column])), dark, well_mm, style)


def _write(
    axes: Axes, wells: pd.DataFrame, texts: list[str], dark: NDArray[np.bool_], well_mm: float, style: FigureStyle
) -> None:
    size = SMALL * style.font_size_pt
    widest = max((text_width_mm(text, size, style.font) for text in texts), default=0.0)
    size = min(size, size * _WELL_PART * well_mm / widest if widest else size, 2.0 * well_mm)
    if size < _LEAST_PT:
        return
    for row, column, text in zip(wells["row"], wells["column"], texts, strict=True):
        colour = "white" if dark[row, column] else PAPER.ink
        axes.text(column + 0.5, row + 0.53, text, ha="center", va="center", size=size, color=colour)


def _alike(entries: list[float | str]) -> list[str]:
    """Return entries as text; numbers of one plate with the same decimals, three digits for the largest."""
    sizes = [abs(float(entry)) for entry in entries if not isinstance(entry, str) and np.isfinite(float(entry))]
    largest = max(sizes, default=0.0)
    if len(sizes) < len(entries) or not 1e-3 <= largest < 1e5 or all(size == round(size) for size in sizes):
        return [_short(entry) for entry in entries]
    decimals = max(0, 2 - int(np.floor(np.log10(largest))))
    return [f"{float(entry):,.{decimals}f}".replace("-", "−") for entry in entries]


def _short(entry: float | str) -> str:
    if isinstance(entry, str):
        return entry
    value = float(entry)
    return number(float(f"{value:.3g}")) if np.isfinite(value) else ""


def _style_bar(bar: Colorbar, name: str, style: FigureStyle) -> None:
    bar.outline.set_visible(False)
    height = 0.75 * figure_size_mm(style)[1]
    bar.set_label(wrapped(name, height, style))
    plain_ticks(bar.ax.yaxis, 6)
    bar.ax.tick_params(labelsize=small_text(style), labelfontfamily=style.font, width=0.6, length=2)


def _colour(place: int, style: FigureStyle) -> tuple[float, float, float]:
    """Return the colour of a condition; when colours begin anew they are lighter by a third of the way to white."""
    round_, colour = divmod(place, len(style.palette))
    light = 1 - (2 / 3) ** round_
    red, green, blue = to_rgb(style.palette[colour])
    return red + light * (1 - red), green + light * (1 - green), blue + light * (1 - blue)


def _paint_layout(axes: Axes, plate: Plate, names: list[str], style: FigureStyle) -> None:
    colours = np.ones((plate.rows, plate.columns, 3))
    wells = plate.wells[plate.wells["condition"].isin(names)]
    for row, column, name in zip(wells["row"], wells["column"], wells["condition"], strict=True):
        colours[row, column] = _colour(names.index(name), style)
    axes.pcolormesh(colours, edgecolors="white", linewidth=0.5)
    filled = np.zeros((plate.rows, plate.columns), bool)
    filled[wells["row"], wells["column"]] = True
    _mark_empty(axes, plate, filled)


def _write_layout(
    axes: Axes, plate: Plate, names: list[str], plates: Sequence[Plate], style: FigureStyle, *, numbered: bool
) -> None:
    kept = plate.wells[~plate.wells["excluded"] & plate.wells["condition"].isin(names)]
    places = [names.index(name) for name in kept["condition"]]
    dark = np.zeros((plate.rows, plate.columns), bool)
    light = np.array([0.299, 0.587, 0.114])
    dark[kept["row"], kept["column"]] = [light @ np.array(_colour(place, style)) < 0.55 for place in places]
    texts = [str(place + 1) for place in places] if numbered else [_short(entry) for entry in kept["dose"]]
    _write(axes, kept, texts, dark, _well_mm(plates, style), style)


def _most_images(table: pd.DataFrame) -> int:
    keys = [name for name in ("plate", "row", "column") if name in table.columns]
    return int(table.groupby(keys).size().max())


def _plates_said(plates: Sequence[Plate]) -> str:
    kind = f"{plates[0].rows} × {plates[0].columns} wells"
    return f"a plate of {kind}" if len(plates) == 1 else f"{len(plates)} plates of {kind}"


def _marks_said(plates: Sequence[Plate]) -> str:
    excluded = sum(int(plate.wells["excluded"].sum()) for plate in plates)
    crossed = f"; crossed out: excluded ({excluded})" if excluded else ""
    return f"Hatched: no data{crossed}."
