"""Histograms of a measured value by group, with a gate and the share of cells beyond it in words."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from cellmetry.errors import ParameterError
from cellmetry.report.figures import PAPER, new_figure, plain_axes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike, NDArray

    from cellmetry.report.figures import Theme

__all__ = ["Gate", "draw_histogram"]

_WIDTH, _ROW, _LOWEST, _REST = 5.2, 1.15, 1.8, 1.0
_MOST_BINS = 60


class Gate(NamedTuple):
    """A value that parts cells in two.

    Parameters
    ----------
    value
        On the scale of the histogram.
    side
        Which cells count as beyond it: those strictly above, or strictly below.
    name
        What it is called at the line: ``threshold``, ``99th percentile of controls``, ….
    """

    value: float
    side: Literal["above", "below"] = "above"
    name: str = "threshold"

    def beyond(self, values: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Return which values lie beyond the gate."""
        return values > self.value if self.side == "above" else values < self.value


def draw_histogram(
    groups: Mapping[str, ArrayLike],
    name: str,
    *,
    gate: Gate | None = None,
    bins: int | None = None,
    theme: Theme = PAPER,
) -> Figure:
    """Return a histogram of each group, one below another on the same bins, as shares of the group's cells.

    Each row says how many cells it has, how many of them lie beyond the gate, and how many have no value (not a
    finite number); these are left out of the shares.

    Parameters
    ----------
    groups
        Name of the group → value of each cell.
    name
        What is measured, with its unit; stands at the axis.
    bins
        How many bins; by the rule of Freedman and Diaconis (1981) for all values together, but at least the square root
        of their number and at most 60, if left out. Bins are shifted so that an edge lies on the gate.

    Raises
    ------
    ParameterError
        If there is no group, or the gate is not a finite number.
    """
    if not groups:
        raise ParameterError("A histogram needs at least one group of cells; there is none.")
    if gate is not None and not np.isfinite(gate.value):
        raise ParameterError(f"The gate of a histogram is a finite number, not {gate.value}.")
    values = {group: np.asarray(given, np.float64).ravel() for group, given in groups.items()}
    edges = _edges(np.concatenate(list(values.values())), gate, bins)
    figure = new_figure(_WIDTH, max(_LOWEST, _ROW * len(values)) + _REST)
    rows = figure.subplots(len(values), 1, sharex=True, sharey=True, squeeze=False)[:, 0].tolist()
    for place, (group, axes) in enumerate(zip(values, rows, strict=True)):
        plain_axes(axes, theme)
        colour = theme.series[place % len(theme.series)]
        _draw_group(axes, values[group], edges, gate, colour)
        axes.set_title(f"{group}: {_words(values[group], gate)}", loc="left", fontsize=9, color=theme.ink)
        if gate is not None:
            axes.axvline(gate.value, color=theme.ink, linestyle=(0, (4, 3)), linewidth=1.3)
    axes.set_ylim(bottom=0)
    axes.set_xlabel(name if gate is None else f"{name}\n(dashed: {gate.name} {gate.value:.4g})")
    figure.supylabel("share of the group's cells (%)", fontsize=10, color=theme.soft)
    return figure


def _edges(values: NDArray[np.float64], gate: Gate | None, bins: int | None) -> NDArray[np.float64]:
    """Return edges of bins over all finite values; where the gate lies among them, one edge lies on it."""
    found = values[np.isfinite(values)]
    if found.size == 0:
        return np.array([0.0, 1.0])
    edges = np.histogram_bin_edges(found, bins or _usual_bins(found))
    if gate is None or not edges[0] < gate.value < edges[-1]:
        return edges
    step = edges[1] - edges[0]
    below, above = np.ceil((gate.value - edges[0]) / step), np.ceil((edges[-1] - gate.value) / step)
    shifted: NDArray[np.float64] = gate.value + step * np.arange(-below, above + 1)
    shifted[0], shifted[-1] = min(shifted[0], edges[0]), max(shifted[-1], edges[-1])
    return shifted


def _usual_bins(found: NDArray[np.float64]) -> int:
    fewest = min(_MOST_BINS, math.ceil(math.sqrt(found.size)))
    low, quarter, three_quarters, high = np.percentile(found, (0, 25, 75, 100))
    width = 2 * (three_quarters - quarter) / np.cbrt(found.size)
    return int(np.clip((high - low) / width, fewest, _MOST_BINS)) if width > 0 else fewest


def _draw_group(
    axes: Axes, values: NDArray[np.float64], edges: NDArray[np.float64], gate: Gate | None, colour: str
) -> None:
    """Draw the shares of the bins, with what lies beyond the gate in full colour."""
    found = values[np.isfinite(values)]
    if found.size == 0:
        return
    shares = 100 * np.histogram(found, edges)[0] / found.size
    axes.stairs(shares, edges, fill=True, color=colour, alpha=0.3)
    if gate is not None:
        beyond = 100 * np.histogram(found[gate.beyond(found)], edges)[0] / found.size
        axes.stairs(beyond, edges, fill=True, color=colour, alpha=0.75)
    axes.stairs(shares, edges, color=colour, linewidth=1.3)


def _words(values: NDArray[np.float64], gate: Gate | None) -> str:
    found = values[np.isfinite(values)]
    words = f"{found.size} {'cell' if found.size == 1 else 'cells'}"
    if gate is not None and found.size:
        beyond = int(np.count_nonzero(gate.beyond(found)))
        words = f"{beyond} of {words} {gate.side} ({beyond / found.size:.1%})"
    without = values.size - found.size
    return f"{words}, {without} without a value" if without else words
