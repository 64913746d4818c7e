"""Pages that show the radial profiles of all cells side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cellmetry.report.figures import PAPER, new_figure, plain_axes
from cellmetry.report.profiles import (
    AXIS_WORDS,
    ProfileFigureOptions,
    check_profiles,
    mark_boundary,
    mark_peaks,
    series_colour,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from cellmetry.report.figures import Theme

__all__ = ["draw_profile_grid"]

_COLUMNS = 3
_TILE = (2.5, 1.7)
_REST = 1.3
_NARROWEST = 5.2
_WORDS = 0.17
"""Height of a line of words in a frame, in units of its axis."""


def draw_profile_grid(
    profiles: pd.DataFrame,
    options: ProfileFigureOptions | None = None,
    *,
    smoothed: pd.DataFrame | None = None,
    peaks: Mapping[int, Mapping[str, float]] | None = None,
    cells_a_page: int = 24,
    theme: Theme = PAPER,
) -> Iterator[Figure]:
    """Yield pages of all cells in the order of their ids, three in a row; no page if there is no cell.

    So that channels of any brightness fit in one frame, each curve goes from its lowest mean in that cell (0) to its
    highest (1); those two means stand in the frame, and a flat curve lies at 0.5. The ratio is left to the figures of
    single cells.

    Parameters
    ----------
    smoothed
        The same table with smoothed means: they become the lines, the means points.
    peaks
        Id → channel → place of its peak.

    Raises
    ------
    ParameterError
        If a column is missing.
    """
    options = (options or ProfileFigureOptions()).model_copy(update={"ratio": None})
    cells = _by_cell(check_profiles(profiles, options))
    lines = {} if smoothed is None else _by_cell(smoothed)
    labels = list(cells)
    pages = [labels[start : start + cells_a_page] for start in range(0, len(labels), cells_a_page)]
    for number, shown in enumerate(pages, start=1):
        figure, frames = _page(len(shown), options, theme)
        for label, axes in zip(shown, frames, strict=True):
            axes.set_title(f"cell {label}", loc="left", fontsize=9, fontweight="bold", color=theme.ink)
            for name in options.channels:
                _draw_curve(axes, cells[label], lines.get(label), name, (options, theme))
                _write_range(axes, cells[label], name, options, theme)
        for label, axes in zip(shown, frames, strict=True):
            top = 1.06 / axes.get_ylim()[1]
            mark_peaks(axes, (peaks or {}).get(label, {}), (options, theme), top=top)
            mark_boundary(axes, (options, theme), top=top)
        of = f", page {number} of {len(pages)}" if len(pages) > 1 else ""
        _add_words(figure, f"{len(cells)} {'cell' if len(cells) == 1 else 'cells'}{of}", options, theme)
        yield figure


def _by_cell(table: pd.DataFrame) -> dict[int, pd.DataFrame]:
    return {int(str(label)): rows for label, rows in table.groupby("label")}


def _page(count: int, options: ProfileFigureOptions, theme: Theme) -> tuple[Figure, list[Axes]]:
    """Return an empty page and its frames, with room above the curves for the words about each channel."""
    columns = min(count, _COLUMNS)
    rows = -(-count // columns)
    figure = new_figure(max(_NARROWEST, columns * _TILE[0]), rows * _TILE[1] + _REST)
    frames = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel().tolist()
    for axes in frames[count:]:
        axes.set_axis_off()
    for axes in frames[:count]:
        plain_axes(axes, theme)
        axes.tick_params(labelbottom=True, labelsize=8)
        axes.set(ylim=(-0.06, 1.06 + _WORDS * len(options.channels)), yticks=(0, 0.5, 1))
    return figure, frames[:count]


def _draw_curve(
    axes: Axes, cell: pd.DataFrame, smooth: pd.DataFrame | None, name: str, looks: tuple[ProfileFigureOptions, Theme]
) -> None:
    """Draw a channel of a cell on its own range."""
    options, theme = looks
    colour = series_colour(name, options, theme)
    rows = cell.sort_values(options.center)
    x, mean = rows[options.center].to_numpy(np.float64), rows[f"mean_{name}"].to_numpy(np.float64)
    low, high = _range(mean)
    if options.error_bands:
        error = rows[f"sem_{name}"].to_numpy(np.float64)
        ends = _scaled(mean - error, low, high), _scaled(mean + error, low, high)
        axes.fill_between(x, *ends, color=colour, alpha=0.18, linewidth=0)
    if smooth is None:
        axes.plot(x, _scaled(mean, low, high), color=colour, linewidth=1.4)
    else:
        axes.plot(x, _scaled(mean, low, high), "o", color=colour, alpha=0.4, markersize=1.8, markeredgewidth=0)
        line = smooth.sort_values(options.center)
        y = _scaled(line[f"mean_{name}"].to_numpy(np.float64), low, high)
        axes.plot(line[options.center], y, color=colour, linewidth=1.4)


def _write_range(axes: Axes, cell: pd.DataFrame, name: str, options: ProfileFigureOptions, theme: Theme) -> None:
    low, high = _range(cell[f"mean_{name}"].to_numpy(np.float64))
    text = f"{name} {low:.3g} to {high:.3g}" if np.isfinite(low) else f"{name}: no mean"
    y = 1.06 + _WORDS * (len(options.channels) - options.channels.index(name) - 0.5)
    colour = series_colour(name, options, theme)
    axes.text(0.02, y, text, color=colour, fontsize=8, va="center", transform=axes.get_yaxis_transform())


def _range(values: NDArray[np.float64]) -> tuple[float, float]:
    """Return the lowest and the highest value; not-a-number if there is none."""
    found = values[np.isfinite(values)]
    return (float(found.min()), float(found.max())) if found.size else (np.nan, np.nan)


def _scaled(values: NDArray[np.float64], low: float, high: float) -> NDArray[np.float64]:
    """Return values with `low` at 0 and `high` at 1; around 0.5 if those are equal."""
    return (values - low) / (high - low) if high > low else values - low + 0.5


def _add_words(figure: Figure, title: str, options: ProfileFigureOptions, theme: Theme) -> None:
    said = [AXIS_WORDS[options.unit], "each curve: 0 its lowest mean in the cell, 1 its highest"]
    said += ["shaded: ± standard error over the pixels of a window"] if options.error_bands else []
    figure.suptitle(f"Radial profiles of {title}", x=0.02, ha="left", fontsize=12, fontweight="bold", color=theme.ink)
    figure.supxlabel("\n".join(said), fontsize=9, color=theme.soft)
    figure.supylabel("share of its own range", fontsize=9, color=theme.soft)
