"""Figures of radial profiles: of one cell, and of the population."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import Field

from cellmetry.core.step import Parameters
from cellmetry.errors import ParameterError
from cellmetry.report.figures import PAPER, new_figure, plain_axes
from cellmetry.stats.profile_means import average_profiles

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from cellmetry.report.figures import Theme

__all__ = [
    "AXIS_WORDS",
    "ProfileFigureOptions",
    "check_profiles",
    "draw_population_profile",
    "draw_profile",
    "headed",
    "mark_boundary",
    "mark_peaks",
    "rows_of_cell",
    "series_colour",
    "with_gaps",
]

AXIS_WORDS = {
    "pct": "depth in the cell (%): 0 centre, 100 boundary, more outside",
    "um": "distance from the boundary (µm), negative inside",
    "px": "distance from the boundary (px), negative inside",
}
"""What stands at the axis of a profile, by unit."""

_BOUNDARY = {"pct": 100.0, "um": 0.0, "px": 0.0}
_SIGN = {"pct": "%", "um": "µm", "px": "px"}
_WIDTH, _PANEL_HEIGHT, _REST = 5.2, 1.55, 1.0
_TITLE_LETTERS, _NOTE_LETTERS = 48, 88
"""Letters in a line that fit the width of a figure."""
_RATIO = 3
"""Which colour of the theme the ratio has: those before are of channels."""


class ProfileFigureOptions(Parameters):
    """What figures of radial profiles show."""

    channels: tuple[str, ...] = Field(
        default=("target", "reference"), min_length=1, description="Channels, as in the columns ``mean_CHANNEL``."
    )
    ratio: str | None = Field(
        default=None, description="Column of the ratio, as ``ratio_target_over_reference``; none is shown if left out."
    )
    unit: Literal["pct", "um", "px"] = Field(
        default="pct", description="Unit of the windows: per cent of the depth, or signed distance in µm or px."
    )
    error_bands: bool = Field(default=True, description="Whether to shade the standard error of each mean.")
    title: str = Field(default="", description="What the title begins with: the image and its plane, say.")
    subtitle: str = Field(default="", description="What stands below the figure: how pixels were corrected, say.")
    value_unit: str = Field(
        default="", description="Unit of the channels' values, at their axis; for none the word intensity stands alone."
    )

    @property
    def series(self) -> dict[str, str]:
        """Name as it is shown → column: of each channel, and of the ratio if there is one."""
        ratio = {self.ratio.removeprefix("mean_").replace("_", " "): self.ratio} if self.ratio else {}
        return {name: f"mean_{name}" for name in self.channels} | ratio

    @property
    def center(self) -> str:
        """The column of the windows' middles."""
        return f"center_{self.unit}"


def draw_profile(
    profiles: pd.DataFrame,
    label: int,
    options: ProfileFigureOptions | None = None,
    *,
    smoothed: pd.DataFrame | None = None,
    peaks: Mapping[str, float] | None = None,
    theme: Theme = PAPER,
) -> Figure:
    """Return the profile of one cell: a panel for each channel in its own unit, and one for the ratio below.

    Parameters
    ----------
    profiles
        One row per cell and window of one plane: ``label``, ``center_UNIT``, ``mean_`` and ``sem_`` of each channel,
        and the ratio; the ratio has a band only if its column is called ``mean_RATIO`` and there is ``sem_RATIO``.
    smoothed
        The same with smoothed means: they become the lines, the means points. Where there is no mean, the line has a
        gap.
    peaks
        Channel → place of its peak, drawn through all panels; places that are not a number are left out.

    Raises
    ------
    ParameterError
        If the cell or a column is missing.
    """
    options = options or ProfileFigureOptions()
    rows = rows_of_cell(check_profiles(profiles, options), label, options)
    lines = None if smoothed is None else rows_of_cell(smoothed, label, options)
    if rows.empty:
        raise ParameterError(f"The table of profiles has no cell {label}.")
    figure, panels = _panels(options, theme, peaks or {})
    for name, axes in panels.items():
        column = options.series[name]
        colour, x, y = series_colour(name, options, theme), rows[options.center], rows[column]
        if options.error_bands and _error_column(column) in rows:
            _draw_band(axes, x, y, rows[_error_column(column)], colour)
        if lines is None:
            axes.plot(x, y, "-o", color=colour, linewidth=1.6, markersize=2.2)
        else:
            axes.plot(x, y, "o", color=colour, alpha=0.45, markersize=2.6, markeredgewidth=0)
            axes.plot(lines[options.center], with_gaps(lines, rows, column, options), color=colour, linewidth=1.8)
    said = ["shaded: ± standard error over the pixels of a window"] if options.error_bands else []
    said += ["points: means, line: smoothed"] if smoothed is not None else []
    said += _pixels(rows)
    _finish(figure, panels, f"Cell {label}", said, (options, theme))
    return figure


def draw_population_profile(
    profiles: pd.DataFrame,
    options: ProfileFigureOptions | None = None,
    *,
    pooled: pd.DataFrame | None = None,
    theme: Theme = PAPER,
) -> Figure:
    """Return the mean over cells of each cell's mean with its standard error over cells, in panels as of one cell.

    Parameters
    ----------
    pooled
        Means over the pixels of all cells together, one row per window, in which large cells weigh more; drawn as a
        dashed line.

    Raises
    ------
    ParameterError
        If a column is missing.
    """
    options = options or ProfileFigureOptions()
    means = average_profiles(check_profiles(profiles, options), options.series, options.unit)
    figure, panels = _panels(options, theme, {})
    for name, axes in panels.items():
        colour, x, y = series_colour(name, options, theme), means[options.center], means[f"mean_of_cells_{name}"]
        if options.error_bands:
            _draw_band(axes, x, y, means[f"sem_over_cells_{name}"], colour)
        axes.plot(x, y, color=colour, linewidth=1.8, label="mean of the cells' means")
        if pooled is not None:
            flat = pooled[options.series[name]]
            axes.plot(pooled[options.center], flat, "--", color=theme.ink, linewidth=1.1, label="all pixels pooled")
    if pooled is not None:
        next(iter(panels.values())).legend(frameon=False, fontsize=8, labelcolor=theme.ink)
    said = ["shaded: ± standard error over cells"] if options.error_bands else []
    _finish(figure, panels, _counted(means, options), said, (options, theme))
    return figure


def check_profiles(profiles: pd.DataFrame, options: ProfileFigureOptions) -> pd.DataFrame:
    """Return the table itself if it has what is to be drawn, of one plane.

    Raises
    ------
    ParameterError
        If a column is missing, or a window of a cell occurs twice, as in a table of several planes.
    """
    needed = ["label", options.center, *options.series.values()]
    needed += [f"sem_{name}" for name in options.channels] if options.error_bands else []
    missing = [name for name in needed if name not in profiles]
    if missing:
        raise ParameterError(
            f"The table of profiles has no column {missing[0]!r}; it has {', '.join(map(str, profiles))}."
        )
    if profiles.duplicated(["label", options.center]).any():
        raise ParameterError("The table of profiles has a cell's window more than once; give the rows of one plane.")
    return profiles


def _error_column(column: str) -> str:
    return f"sem_{column.removeprefix('mean_')}"


def rows_of_cell(table: pd.DataFrame, label: int, options: ProfileFigureOptions) -> pd.DataFrame:
    """Return the windows of one cell from the inside to the outside."""
    return table[table["label"] == label].sort_values(options.center)


def series_colour(name: str, options: ProfileFigureOptions, theme: Theme) -> str:
    """Return the colour of a channel or of the ratio, the same in all figures."""
    if name not in options.channels:
        return theme.series[_RATIO]
    free = [colour for place, colour in enumerate(theme.series) if place != _RATIO]
    return free[options.channels.index(name) % len(free)]


def with_gaps(
    smoothed: pd.DataFrame, rows: pd.DataFrame, column: str, options: ProfileFigureOptions
) -> NDArray[np.float64]:
    """Return the smoothed means of one cell, NaN in windows where its own mean is missing."""
    known = rows.loc[rows[column].notna(), options.center]
    return smoothed[column].where(smoothed[options.center].isin(known)).to_numpy(np.float64)


def headed(subject: str, options: ProfileFigureOptions, width: int) -> str:
    """Return the title of a figure in lines of at most `width` letters: what it is of, and below it the subject."""
    return "\n".join([*textwrap.wrap(options.title, width), subject])


def _pixels(rows: pd.DataFrame) -> list[str]:
    """Return how many pixels the windows of one cell have, if the table says so and there is one."""
    counts = rows.loc[rows["count_px"] > 0, "count_px"] if "count_px" in rows else rows.index[:0]
    return [f"n\u00a0=\u00a0{counts.min()} to {counts.max()} pixels in a window"] if len(counts) else []


def mark_boundary(axes: Axes, looks: tuple[ProfileFigureOptions, Theme], *, top: float = 1.0) -> None:
    """Draw a line at the boundary of the cell, up to a share of the height, if it is within what is shown."""
    options, theme = looks
    low, high = axes.get_xlim()
    if low <= _BOUNDARY[options.unit] <= high:
        axes.axvline(_BOUNDARY[options.unit], ymax=top, color=theme.soft, linewidth=1.2, zorder=1)


def mark_peaks(
    axes: Axes, peaks: Mapping[str, float], looks: tuple[ProfileFigureOptions, Theme], *, top: float = 1.0
) -> None:
    """Draw a dashed line at the peak of each channel that has one, up to a share of the height."""
    for name, place in peaks.items():
        if np.isfinite(place):
            axes.axvline(place, ymax=top, color=series_colour(name, *looks), linestyle=(0, (4, 3)), linewidth=1.2)


def _panels(options: ProfileFigureOptions, theme: Theme, peaks: Mapping[str, float]) -> tuple[Figure, dict[str, Axes]]:
    """Return a figure with a panel for each series, one below another, by name."""
    figure = new_figure(_WIDTH, _PANEL_HEIGHT * len(options.series) + _REST)
    stack = figure.subplots(len(options.series), 1, sharex=True, squeeze=False)[:, 0]
    panels = dict(zip(options.series, stack.tolist(), strict=True))
    for name, axes in panels.items():
        plain_axes(axes, theme)
        peak = peaks.get(name, np.nan)
        at = f", peak at {peak:.4g} {_SIGN[options.unit]}" if np.isfinite(peak) else ""
        axes.set_title(f"{name}{at}", loc="left", fontsize=10, color=series_colour(name, options, theme))
        unit = f"\n({options.value_unit})" if options.value_unit else ""
        axes.set_ylabel(f"mean intensity{unit}" if name in options.channels else "ratio")
        mark_peaks(axes, peaks, (options, theme))
    return figure, panels


def _finish(
    figure: Figure,
    panels: Mapping[str, Axes],
    title: str,
    said: Sequence[str],
    looks: tuple[ProfileFigureOptions, Theme],
) -> None:
    options, theme = looks
    for axes in panels.values():
        mark_boundary(axes, looks)
    axes.set_xlabel(AXIS_WORDS[options.unit])
    words = headed(title, options, _TITLE_LETTERS)
    figure.suptitle(words, x=0.02, ha="left", fontsize=12, fontweight="bold", color=theme.ink)
    below = [*textwrap.wrap("; ".join(said), _NOTE_LETTERS), *textwrap.wrap(options.subtitle, _NOTE_LETTERS)]
    if below:
        figure.supxlabel("\n".join(below), fontsize=8, color=theme.soft)


def _draw_band(axes: Axes, x: pd.Series, middle: pd.Series, half: pd.Series, colour: str) -> None:
    at, mean, error = (_floats(values) for values in (x, middle, half))
    axes.fill_between(at, mean - error, mean + error, color=colour, alpha=0.2, linewidth=0)


def _floats(values: pd.Series) -> NDArray[np.float64]:
    return values.to_numpy(np.float64)


def _counted(means: pd.DataFrame, options: ProfileFigureOptions) -> str:
    """Return how many cells the means stand for; the range if it differs between windows or series."""
    counts = means[[f"n_cells_{name}" for name in options.series]].to_numpy()
    counts = counts[counts > 0]
    if counts.size == 0:
        return "No cell has a profile"
    fewest, most = int(counts.min()), int(counts.max())
    if fewest == most:
        return f"Mean of {most} {'cell' if most == 1 else 'cells'}"
    return f"Mean of cells, {fewest} to {most} in a window"
