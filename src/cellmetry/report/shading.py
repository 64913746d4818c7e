"""The picture of an estimated shading: the flat-field, what it does to the fields, and profiles before and after."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cellmetry.report.composite import contrast_limits
from cellmetry.report.figures import PAPER, new_figure, plain_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from cellmetry.ops.shading import Shading

__all__ = ["draw_shading"]

_SHOWN = 4
_WIDTH = 9.5
_LEAST_SHOWN = 0.01


def draw_shading(fields: NDArray[np.float32], shading: Shading, shape: tuple[int, int], channel: str) -> Figure:
    """Return the flat-field (and dark-field), profiles, and up to 16 fields side by side before and after.

    Parameters
    ----------
    fields
        float32 (N, y, x), made smaller.
    shading
        Of any size.
    shape
        Height and width in pixels of a field as it was.
    """
    small = shading.enlarged((fields.shape[1], fields.shape[2]))
    after = (fields - small.dark) / small.flat
    with_dark = bool(small.dark.any())
    figure = new_figure(_WIDTH + 2.5 * with_dark, 8.4)
    upper, lower = figure.subfigures(2, 1, height_ratios=(0.85, 1.15), squeeze=False)[:, 0]
    axes = upper.subplots(1, 3 if with_dark else 2, width_ratios=(1, 1, 1.2) if with_dark else (1, 1.4))
    _map(axes[0], small.flat, shape, "Flat-field (mean 1)")
    if with_dark:
        _map(axes[1], small.dark, shape, "Dark-field (intensity)")
    _profiles(axes[-1], (fields, after), shape)
    shown = _chosen(len(fields))
    aspect = shape[0] / fields.shape[1] / (shape[1] / fields.shape[2])
    panels = lower.subplots(1, 2)
    for panel, stack, title in zip(panels, (fields, after), ("before", "after"), strict=True):
        mosaic = _mosaic(stack[shown])
        low, high = contrast_limits(mosaic, 0.5, 98.0)
        panel.imshow(mosaic, cmap="gray", vmin=low, vmax=high, aspect=aspect, interpolation="nearest")
        panel.set_title(f"{len(shown)} fields {title}, contrast {low:.4g} to {high:.4g}", color=PAPER.ink, size=10)
        panel.set_axis_off()
    figure.suptitle(_title(shading, channel), color=PAPER.ink, size=11.5, ha="left", x=0.01)
    return figure


def _title(shading: Shading, channel: str) -> str:
    error = "" if np.isnan(shading.error) else f"; error by chance about {shading.error:.2%}"
    return (
        f"Shading of {channel} from {shading.n_fields} fields: {shading.flat.min():.3f} to {shading.flat.max():.3f} of "
        f"the mean{error}"
    )


def _map(axes: Axes, values: NDArray[np.float32], shape: tuple[int, int], title: str) -> None:
    """Draw a field's map with lines of equal value."""
    extent = (0, shape[1], shape[0], 0)
    middle = float(values.mean())
    reach = max(float(np.abs(values - middle).max()), _LEAST_SHOWN * abs(middle))
    limits = (float(values.min()), float(values.max())) if reach > _LEAST_SHOWN * abs(middle) else None
    low, high = limits or (middle - reach, middle + reach)
    shown = axes.imshow(values, cmap="cividis", extent=extent, interpolation="bilinear", vmin=low, vmax=high)
    if limits:
        axes.contour(values, levels=6, colors="white", linewidths=0.6, extent=(0, shape[1], 0, shape[0]), alpha=0.7)
        axes.set_ylim(shape[0], 0)
    bar = axes.figure.colorbar(shown, ax=axes, shrink=0.85)
    bar.ax.ticklabel_format(useOffset=False)
    bar.ax.tick_params(labelsize=8, colors=PAPER.soft)
    axes.set_title(title, color=PAPER.ink, size=10)
    axes.tick_params(labelsize=8, colors=PAPER.soft)
    axes.set_xlabel("x (px)", size=9, color=PAPER.soft)


def _profiles(axes: Axes, stacks: tuple[NDArray[np.float32], NDArray[np.float32]], shape: tuple[int, int]) -> None:
    """Draw the usual brightness along the middle row and the middle column, before and after."""
    plain_axes(axes, PAPER)
    for stack, colour, name in zip(stacks, (PAPER.series[1], PAPER.series[0]), ("before", "after"), strict=True):
        usual = _usual(stack)
        for line, style, size, along in (
            (_middle(usual), "-", shape[1], "row"),
            (_middle(usual.T), "--", shape[0], "column"),
        ):
            at = (np.arange(line.size) + 0.5) * size / line.size
            axes.plot(at, line, style, color=colour, linewidth=1.6, label=f"{name}, middle {along}")
    low, high = axes.get_ylim()
    axes.set_ylim(min(low, 0.8), max(high, 1.2))
    axes.set(xlabel="x or y (px)", ylabel="brightness ÷ field's median")
    axes.set_title("Median over the fields", color=PAPER.ink, size=10)
    axes.legend(
        frameon=False, fontsize=8, labelcolor=PAPER.soft, loc="upper center", ncols=2, bbox_to_anchor=(0.5, -0.2)
    )


def _usual(stack: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the median over fields of each field over its own median."""
    own = np.median(stack, axis=(1, 2), keepdims=True)
    lit = own[:, 0, 0] > 0
    return np.asarray(np.median(stack[lit] / own[lit], axis=0) if lit.any() else np.zeros(stack.shape[1:], np.float32))


def _middle(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the mean of the middle eighth of the rows."""
    rows = max(1, len(values) // 8)
    start = (len(values) - rows) // 2
    return np.asarray(values[start : start + rows].mean(axis=0))


def _chosen(count: int) -> list[int]:
    side = min(_SHOWN, int(np.sqrt(count)))
    return [index * count // side**2 for index in range(side**2)]


def _mosaic(fields: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return a square number of fields side by side."""
    side = int(np.sqrt(len(fields)))
    return np.concatenate([np.concatenate(list(fields[row * side : (row + 1) * side]), axis=1) for row in range(side)])
