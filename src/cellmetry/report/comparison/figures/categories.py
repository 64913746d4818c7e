"""Axes with a place for each condition: their names, p-values above, and the marks of replicates."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.lines import Line2D

from cellmetry.report.comparison.figures.canvas import (
    LINE_MM_PER_PT,
    axes_width_mm,
    figure_size_mm,
    label_of,
    longest_word_mm,
    small_text,
    style_axes,
    wrapped,
)
from cellmetry.report.comparison.figures.looks import (
    joins_replicates,
    replicate_looks,
    replicate_offsets,
    shares_replicates,
)
from cellmetry.report.comparison.figures.value_axis import set_value_axis
from cellmetry.report.figures import PAPER
from cellmetry.stats.p_values import p_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike, NDArray

    from cellmetry.report.comparison.figures.data import ComparisonData
    from cellmetry.report.style import FigureStyle

__all__ = [
    "draw_intervals",
    "draw_p_values",
    "draw_replicates",
    "interval_ends",
    "name_places",
    "shown_p_values",
    "start_categories",
]

_MOST_LINES = 3
_TURNED = (0.33, 0.42, 0.5)
_GAP = 0.94
_MOST_BRACKETS = 3
_BRACKET_MM = 4.2
_MOST_IN_KEY = 12
_BAR = 0.27


def start_categories(
    figure: Figure, data: ComparisonData, style: FigureStyle, values: Iterable[ArrayLike] = ()
) -> Axes:
    """Return axes with the conditions below and the values at the side, all of which fit; so do the replicates."""
    axes = figure.add_subplot()
    style_axes(axes, style)
    set_value_axis(axes, data, style, [*values, data.means])
    axes.set_xlim(-0.55, len(data.conditions) - 0.45)
    name_places(axes, [label_of(name, style) for name in data.conditions], style)
    return axes


def name_places(axes: Axes, names: Sequence[str], style: FigureStyle) -> None:
    """Write names below the places 0, 1, 2, …: in lines where they fit, else turned, so that none overlap.

    Where even turned names are too many for their letters, the letters are smaller.
    """
    axes.tick_params(axis="x", length=0)
    room = _GAP * axes_width_mm(style) / max(len(names), 1)
    lines = [wrapped(name, room, style) for name in names]
    turned = any(longest_word_mm(name, style) > room for name in names)
    if not turned and _most_lines(lines) <= _MOST_LINES:
        axes.set_xticks(range(len(names)), lines)
        return
    line = LINE_MM_PER_PT * style.font_size_pt
    for part in _TURNED:
        lines = [wrapped(name, part * figure_size_mm(style)[1], style) for name in names]
        if _most_lines(lines) * line <= room:
            break
    size = style.font_size_pt * min(1.0, room / (_most_lines(lines) * line))
    axes.set_xticks(range(len(names)), lines, rotation=90, multialignment="right", size=size)


def _most_lines(texts: Sequence[str]) -> int:
    return max((text.count("\n") + 1 for text in texts), default=1)


def draw_replicates(axes: Axes, data: ComparisonData, style: FigureStyle, *, size_pt: float = 6.0) -> None:
    """Draw the value of each replicate, named for the key, and thin lines between the pairs of a paired design.

    With a single replicate nothing is joined: a line through all conditions would look like a course.
    """
    looks, offsets = replicate_looks(data, style), replicate_offsets(data)
    named = shares_replicates(data) and len(data.replicates) <= _MOST_IN_KEY
    size = size_pt * min(1.0, max(0.5, 8 / max(len(data.conditions) * len(data.replicates) ** 0.5, 1)))
    for place, row in enumerate(data.means):
        known = np.flatnonzero(np.isfinite(row))
        if joins_replicates(data):
            axes.plot(known + offsets[place, known], row[known], "-", color=PAPER.soft, linewidth=0.6, zorder=4)
        for condition in known:
            look = looks[place][condition]
            axes.plot(
                condition + offsets[place, condition],
                row[condition],
                look.marker,
                color=look.colour,
                markersize=size,
                markeredgecolor=PAPER.ink if look.colour.lower() != "#000000" else "white",
                markeredgewidth=0.7,
                label=label_of(data.replicates[place], style) if named and condition == known[0] else None,
                zorder=5,
            )


def draw_intervals(axes: Axes, data: ComparisonData, style: FigureStyle) -> None:
    """Draw the mean of the replicates of each condition and its interval; with one replicate the mean alone."""
    width = 0.9 + 0.02 * style.font_size_pt
    for place, group in enumerate(data.groups):
        axes.hlines(group.mean, place - _BAR, place + _BAR, color="black", linewidth=1.4 * width, zorder=6)
        if group.has_interval:
            axes.vlines(place, group.ci_low, group.ci_high, color="black", linewidth=width, zorder=6)
            ends = [group.ci_low, group.ci_high]
            axes.hlines(ends, place - _BAR / 3, place + _BAR / 3, color="black", linewidth=width, zorder=6)


def interval_ends(data: ComparisonData) -> NDArray[np.float64]:
    """Return mean and interval of each condition, all of which an axis that shows them must hold."""
    return np.array([(group.mean, group.ci_low, group.ci_high) for group in data.groups])


def shown_p_values(data: ComparisonData) -> list[tuple[int, int, float]]:
    """Return (condition, reference, corrected p) of the contrasts whose p-value the figure has room for.

    With one reference these are all; between all pairs only up to three.
    """
    found = [(each.at, each.reference_at, each.p_adjusted) for each in data.contrasts if each.tested]
    return found if data.common_reference is not None or len(found) <= _MOST_BRACKETS else []


def draw_p_values(axes: Axes, data: ComparisonData, style: FigureStyle) -> None:
    """Write p-values above the axes: over each condition where all have one reference, else over brackets."""
    shown = shown_p_values(data)
    if data.common_reference is not None and len(data.conditions) > 2:
        room = _GAP * axes_width_mm(style) / len(data.conditions)
        texts = [wrapped(p_text(p_value), room, style, size_pt=small_text(style)) for _, _, p_value in shown]
        if any("\n" in text for text in texts):  # then all, so that they stand alike
            texts = [p_text(p_value)[::-1].replace(" ", "\n", 1)[::-1] for _, _, p_value in shown]
        for (at, *_), text in zip(shown, texts, strict=True):
            _write_above(axes, at, 1.01, text, style)
        return
    step = max(_BRACKET_MM, 1.5 * LINE_MM_PER_PT * style.font_size_pt) / (0.7 * figure_size_mm(style)[1])
    levels = sorted(shown, key=lambda each: (abs(each[0] - each[1]), min(each[:2])))
    for level, (at, reference, p_value) in enumerate(levels):
        height = 1.02 + step * level
        ends = [min(at, reference) + 0.06, max(at, reference) - 0.06]
        across = axes.get_xaxis_transform()
        axes.add_line(Line2D(ends, [height, height], color=PAPER.ink, linewidth=0.7, transform=across, clip_on=False))
        _write_above(axes, (at + reference) / 2, height + 0.005, p_text(p_value), style)


def _write_above(axes: Axes, x: float, y: float, text: str, style: FigureStyle) -> None:
    axes.text(x, y, text, transform=axes.get_xaxis_transform(), ha="center", va="bottom", size=small_text(style))
