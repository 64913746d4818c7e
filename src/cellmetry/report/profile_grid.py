"""Pages that show the radial profiles of all cells side by side."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cellmetry.report.figures import PAPER, new_figure, plain_axes
from cellmetry.report.profiles import (
    AXIS_WORDS,
    ProfileFigureOptions,
    check_profiles,
    headed,
    mark_boundary,
    mark_peaks,
    rows_of_cell,
    series_colour,
    with_gaps,
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
_BOTTOM, _TOP = -0.1, 1.1
"""Where a frame begins, and where the words above the curves do."""
_LETTERS = 14
"""Letters of the words below that fit an inch."""
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

    So that channels of any brightness fit in one frame, each channel is drawn from the lowest (0) to the highest (1)
    of its means in that cell, the smoothed ones included; those two values stand in the frame, and a flat curve lies at
    0.5. Bands of errors may go further, and are cut where the frame ends. The ratio is left to the figures of single
    cells.

    Parameters
    ----------
    smoothed
        The same table with smoothed means: they become the lines, the means points. Where there is no mean, the line
        has a gap.
    peaks
        Id → channel → place of its peak.

    Raises
    ------
    ParameterError
        If a column is missing.
    """
    options = (options or ProfileFigureOptions()).model_copy(update={"ratio": None})
    looks = options, theme
    labels = [int(label) for label in sorted(check_profiles(profiles, options)["label"].unique())]
    pages = [labels[start : start + cells_a_page] for start in range(0, len(labels), cells_a_page)]
    for number, shown in enumerate(pages, start=1):
        figure, frames = _page(len(shown), options, theme)
        for label, axes in zip(shown, frames, strict=True):
            axes.set_title(f"cell {label}", loc="left", fontsize=9, fontweight="bold", color=theme.ink)
            rows = rows_of_cell(profiles, label, options)
            lines = None if smoothed is None else rows_of_cell(smoothed, label, options)
            for name in options.channels:
                curve = _curve(rows, lines, name, options)
                _draw_curve(axes, curve, name, looks)
                _write_range(axes, curve, name, looks)
        for label, axes in zip(shown, frames, strict=True):
            top = (_TOP - axes.get_ylim()[0]) / np.ptp(axes.get_ylim())
            mark_peaks(axes, (peaks or {}).get(label, {}), looks, top=top)
            mark_boundary(axes, looks, top=top)
        of = f", page {number} of {len(pages)}" if len(pages) > 1 else ""
        words = f"{len(labels)} {'cell' if len(labels) == 1 else 'cells'}{of}"
        _add_words(figure, words, looks, smooth=smoothed is not None)
        yield figure


class _Curve(NamedTuple):
    """One channel of one cell, on the scale of its own means: 0 the lowest, 1 the highest."""

    x: NDArray[np.float64]
    mean: NDArray[np.float64]
    error: NDArray[np.float64] | None
    smooth: tuple[NDArray[np.float64], NDArray[np.float64]] | None
    range: tuple[float, float]


def _curve(rows: pd.DataFrame, lines: pd.DataFrame | None, name: str, options: ProfileFigureOptions) -> _Curve:
    column = f"mean_{name}"
    mean = rows[column].to_numpy(np.float64)
    smooth = None if lines is None else with_gaps(lines, rows, column, options)
    low, high = _range(mean if smooth is None else np.concatenate([mean, smooth]))
    scale = high - low if high > low else 1.0
    middle = low if high > low else low - 0.5
    return _Curve(
        rows[options.center].to_numpy(np.float64),
        (mean - middle) / scale,
        rows[f"sem_{name}"].to_numpy(np.float64) / scale if options.error_bands else None,
        None
        if lines is None or smooth is None
        else (lines[options.center].to_numpy(np.float64), (smooth - middle) / scale),
        (low, high),
    )


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
        axes.set(ylim=(_BOTTOM, _TOP + _WORDS * len(options.channels)), yticks=(0, 0.5, 1))
    return figure, frames[:count]


def _draw_curve(axes: Axes, curve: _Curve, name: str, looks: tuple[ProfileFigureOptions, Theme]) -> None:
    colour = series_colour(name, *looks)
    if curve.error is not None:
        low, high = (np.clip(curve.mean + side * curve.error, _BOTTOM, _TOP) for side in (-1, 1))
        axes.fill_between(curve.x, low, high, color=colour, alpha=0.18, linewidth=0)
    if curve.smooth is None:
        axes.plot(curve.x, curve.mean, color=colour, linewidth=1.4)
    else:
        axes.plot(curve.x, curve.mean, "o", color=colour, alpha=0.4, markersize=1.8, markeredgewidth=0)
        axes.plot(*curve.smooth, color=colour, linewidth=1.4)


def _write_range(axes: Axes, curve: _Curve, name: str, looks: tuple[ProfileFigureOptions, Theme]) -> None:
    options, theme = looks
    low, high = curve.range
    text = f"{name} {low:.3g} to {high:.3g}" if np.isfinite(low) else f"{name}: no mean"
    y = _TOP + _WORDS * (len(options.channels) - options.channels.index(name) - 0.5)
    colour = series_colour(name, options, theme)
    axes.text(0.02, y, text, color=colour, fontsize=8, va="center", transform=axes.get_yaxis_transform())


def _range(values: NDArray[np.float64]) -> tuple[float, float]:
    """Return the lowest and the highest value; not-a-number if there is none."""
    found = values[np.isfinite(values)]
    return (float(found.min()), float(found.max())) if found.size else (np.nan, np.nan)


def _add_words(figure: Figure, title: str, looks: tuple[ProfileFigureOptions, Theme], *, smooth: bool) -> None:
    options, theme = looks
    unit = f" ({options.value_unit})" if options.value_unit else ""
    drawn = "points: means, line: smoothed; " if smooth else ""
    said = [AXIS_WORDS[options.unit], f"{drawn}0 and 1: lowest and highest of them in the cell, as written{unit}"]
    said += ["shaded: ± standard error over the pixels of a window"] if options.error_bands else []
    letters = int(figure.get_figwidth() * _LETTERS)
    below = [line for words in [*said, options.subtitle] for line in textwrap.wrap(words, letters)]
    words = headed(f"Radial profiles of {title}", options, int(0.6 * letters))
    figure.suptitle(words, x=0.02, ha="left", fontsize=12, fontweight="bold", color=theme.ink)
    figure.supxlabel("\n".join(below), fontsize=9, color=theme.soft)
    figure.supylabel("mean intensity, share of its own range", fontsize=9, color=theme.soft)
