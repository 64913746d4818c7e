"""The figures of a comparison by their names, with what each needs and the legend of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cellmetry.errors import UnknownName
from cellmetry.report.comparison.figures import (
    by_condition,
    distributions,
    estimation,
    legends,
    time_curve,
    two_measures,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.figure import Figure

    from cellmetry.report.comparison.figures.data import ComparisonData, Need
    from cellmetry.report.style import FigureStyle

__all__ = ["FIGURES", "FigureKind", "drawable", "figure_kind"]


class FigureKind(NamedTuple):
    """A kind of figure.

    Parameters
    ----------
    draw
        Returns the figure.
    legend
        Returns the text below it.
    needs
        What it cannot be drawn without.
    """

    draw: Callable[[ComparisonData, FigureStyle], Figure]
    legend: Callable[[ComparisonData, FigureStyle], str]
    needs: tuple[Need, ...] = ()


FIGURES: dict[str, FigureKind] = {
    "superplot": FigureKind(by_condition.draw_superplot, legends.superplot_legend),
    "estimation": FigureKind(estimation.draw_estimation, legends.estimation_legend, ("contrasts",)),
    "violin": FigureKind(by_condition.draw_violin, legends.violin_legend, ("cells",)),
    "box": FigureKind(by_condition.draw_box, legends.box_legend, ("cells",)),
    "jitter": FigureKind(by_condition.draw_jitter, legends.jitter_legend, ("cells",)),
    "ecdf": FigureKind(distributions.draw_ecdf, legends.ecdf_legend, ("measure",)),
    "histogram": FigureKind(distributions.draw_histogram, legends.histogram_legend, ("measure",)),
    "scatter": FigureKind(two_measures.draw_scatter, legends.scatter_legend, ("measure", "second")),
    "time": FigureKind(time_curve.draw_time, legends.time_legend, ("time",)),
}


def figure_kind(name: str) -> FigureKind:
    """Return the kind of figure of this name; raise `UnknownName` if there is none."""
    if name not in FIGURES:
        raise UnknownName("figure", name, FIGURES)
    return FIGURES[name]


def drawable(data: ComparisonData) -> dict[str, FigureKind]:
    """Return the kinds that can be drawn of this data, by name."""
    return {name: kind for name, kind in FIGURES.items() if all(data.has(need) for need in kind.needs)}
