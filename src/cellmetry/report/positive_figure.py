"""The histogram of a measurement with the threshold above which cells are positive."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cellmetry.report.figures import new_figure, plain_axes

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from cellmetry.report.figures import Theme
    from cellmetry.stats.positive import Threshold

__all__ = ["draw_threshold"]

_SIZE = (6.4, 4.2)
_BINS = (40, 120)
_SMOOTH = 400


def draw_threshold(
    values: NDArray[np.float64],
    threshold: Threshold,
    theme: Theme,
    *,
    name: str,
    control: NDArray[np.float64] | None = None,
) -> Figure:
    """Return the histogram of the cells, the control's over it where there is one, and the threshold as a line.

    Parameters
    ----------
    values, control
        One value a cell; those not finite are left out. The control's histogram is scaled to the area of the other.
    """
    cells = values[np.isfinite(values)]
    figure = new_figure(*_SIZE)
    axes = figure.add_subplot()
    plain_axes(axes, theme)
    edges = _edges(cells, threshold.value)
    area = cells.size * (edges[1] - edges[0])
    axes.hist(cells, edges.tolist(), color=theme.series[0], alpha=0.55, label=f"all cells ({cells.size})")
    if control is not None:
        shown = control[np.isfinite(control)]
        weights = np.full(shown.size, cells.size / max(shown.size, 1))
        label = f"negative control ({shown.size}), scaled"
        axes.hist(shown, edges.tolist(), weights=weights, histtype="step", linewidth=2, color=theme.ink, label=label)
    if threshold.mixture is not None:
        at = np.linspace(edges[0], edges[-1], _SMOOTH)
        for place, curve in enumerate(threshold.mixture.density(at).T):
            axes.plot(at, curve * area, color=theme.series[place + 1], linewidth=2, label=f"population {place + 1}")
    axes.axvline(threshold.value, color=theme.series[1], linewidth=2.4, linestyle="--")
    axes.annotate(
        f" positive above {threshold.value:.4g}",
        (threshold.value, 1.01),
        xycoords=("data", "axes fraction"),
        ha="left" if threshold.value < (edges[0] + edges[-1]) / 2 else "right",
        color=theme.series[1],
        size=11,
    )
    axes.set_xlabel(name, size=12)
    axes.set_ylabel("cells", size=12)
    axes.legend(frameon=False, fontsize=9, labelcolor=theme.ink)
    return figure


def _edges(cells: NDArray[np.float64], threshold: float) -> NDArray[np.float64]:
    """Return edges of 40 to 120 equal bins (Freedman & Diaconis 1981) that hold all cells and the threshold."""
    low, high = min(cells.min(initial=np.inf), threshold), max(cells.max(initial=-np.inf), threshold)
    if low == high:
        low, high = low - 0.5, high + 0.5
    width = 2 * np.subtract(*np.percentile(cells, (75, 25))) / np.cbrt(cells.size) if cells.size else 0.0
    count = int(np.clip((high - low) / width, *_BINS)) if width > 0 else _BINS[0]
    edges: NDArray[np.float64] = np.linspace(low, high, count + 1)
    return edges
