"""Figures of an evaluation: scores over IoU thresholds, and counts of the prediction against those of the truth."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.ticker import MaxNLocator

from cellmetry.report.figures import new_figure, plain_axes
from cellmetry.report.score_words import NOT_SAID

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from cellmetry.learn.evaluate import Evaluation
    from cellmetry.report.figures import Theme

__all__ = ["draw_counts", "draw_curves"]

_SIZE = (5.6, 3.9)


def draw_curves(evaluations: Sequence[Evaluation], theme: Theme) -> Figure:
    """Return AP and F1 (mean over images) over the IoU threshold; a colour for each prediction."""
    figure = new_figure(*_SIZE)
    axes = figure.add_subplot()
    plain_axes(axes, theme)
    for place, evaluation in enumerate(evaluations):
        table = evaluation.tables["thresholds"]
        at = table[(table["modality"] == "all") & (table["average"] == "images")]
        colour = theme.series[place % len(theme.series)]
        named = f"{evaluation.name}: " if len(evaluations) > 1 else ""
        axes.plot(at["iou"], at["f1"], "--", color=colour, linewidth=1.6, label=f"{named}F1")
        axes.plot(at["iou"], at["ap"], "-o", color=colour, linewidth=2.2, markersize=4, label=f"{named}AP")
    axes.set(xlim=(0.49, 0.96), ylim=(0, 1.02), xlabel="overlap that counts as found (IoU)", ylabel="score")
    axes.set_xticks(np.arange(0.5, 0.96, 0.1))
    _add_legend(axes, theme)
    return figure


def draw_counts(evaluations: Sequence[Evaluation], theme: Theme) -> Figure:
    """Return predicted over true counts, a point an image; coloured by prediction, or by modality if there is one."""
    figure = new_figure(*_SIZE)
    axes = figure.add_subplot()
    plain_axes(axes, theme)
    top = 1.0
    for place, (name, true, predicted) in enumerate(_series(evaluations)):
        top = max(top, float(true.max(initial=0)), float(predicted.max(initial=0)))
        colour = theme.series[place % len(theme.series)]
        axes.scatter(true, predicted, s=26, color=colour, alpha=0.75, linewidths=0, label=name)
    axes.plot([0, top * 1.05], [0, top * 1.05], color=theme.soft, linewidth=1, zorder=1)
    axes.set(xlim=(-0.02 * top, 1.05 * top), ylim=(-0.02 * top, 1.05 * top))
    axes.set(xlabel="true objects in the image", ylabel="predicted objects")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(6, integer=True))
    if len(axes.collections) > 1:
        _add_legend(axes, theme)
    return figure


def _series(
    evaluations: Sequence[Evaluation],
) -> list[tuple[str, np.ndarray[tuple[int], np.dtype[np.float64]], np.ndarray[tuple[int], np.dtype[np.float64]]]]:
    parts = []
    for evaluation in evaluations:
        images = evaluation.tables["images"].dropna(subset=["n_true"])
        if len(evaluations) == 1 and images["modality"].nunique() > 1:
            parts += [(str(name) or NOT_SAID, part) for name, part in images.groupby("modality")]
        else:
            parts.append((evaluation.name, images))
    return [
        (name, part["n_true"].to_numpy(np.float64), part["n_predicted"].to_numpy(np.float64)) for name, part in parts
    ]


def _add_legend(axes: Axes, theme: Theme) -> None:
    legend = axes.legend(frameon=False, fontsize=9, labelcolor=theme.ink, loc="best")
    legend.set_zorder(5)
