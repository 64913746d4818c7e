"""Colours and markers of replicates and conditions, and where a replicate stands beside the others."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cellmetry.report.comparison.figures.data import ComparisonData
    from cellmetry.report.style import FigureStyle

__all__ = ["Look", "condition_look", "joins_replicates", "replicate_looks", "replicate_offsets", "shares_replicates"]

_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "p")
_LINES: tuple[str | tuple[int, tuple[int, ...]], ...] = ("-", (0, (4, 1)), (0, (1, 1)), (0, (4, 1, 1, 1)))
_SPREAD = 0.2


class Look(NamedTuple):
    """Colour, marker and line by which one of several is told apart."""

    colour: str
    marker: str
    line: str | tuple[int, tuple[int, ...]]


def _look(place: int, style: FigureStyle) -> Look:
    """Return a look that no other of the first 8 × (number of colours) places has, also without its colour or marker.

    When colours begin anew, markers go on by one.
    """
    round_, colour = divmod(place, len(style.palette))
    return Look(style.palette[colour], _MARKERS[(colour + round_) % len(_MARKERS)], _LINES[place % len(_LINES)])


def condition_look(place: int, style: FigureStyle) -> Look:
    """Return the look of a condition by its place in the order."""
    return _look(place, style)


def shares_replicates(data: ComparisonData) -> bool:
    """Return whether a replicate stands in more than one condition."""
    return bool((np.isfinite(data.means).sum(axis=1) > 1).any()) or len(data.conditions) == 1


def joins_replicates(data: ComparisonData) -> bool:
    """Return whether lines join the values of a replicate: in paired designs, unless one line would join all."""
    return data.comparison.design.paired and len(data.replicates) > 1


def replicate_looks(data: ComparisonData, style: FigureStyle) -> list[list[Look]]:
    """Return the look of each replicate in each condition: ``looks[replicate][condition]``.

    The same replicate looks alike in all conditions. Where none is in two, colours begin anew in each condition, so
    that replicates of one condition are told apart.
    """
    if shares_replicates(data):
        return [[_look(place, style)] * len(data.conditions) for place in range(len(data.replicates))]
    ranks = np.cumsum(np.isfinite(data.means), axis=0) - 1
    return [[_look(max(int(rank), 0), style) for rank in row] for row in ranks]


def replicate_offsets(data: ComparisonData) -> NDArray[np.float64]:
    """Return how far each replicate stands from the middle of a condition, shape (replicates, conditions).

    A replicate of several conditions stands at the same place in each.
    """
    known = np.isfinite(data.means)
    if shares_replicates(data):
        ranks = np.broadcast_to(np.arange(len(known))[:, None], known.shape)
        counts = np.full(known.shape[1], len(known))
    else:
        ranks, counts = np.cumsum(known, axis=0) - 1, known.sum(axis=0)
    middle = (counts - 1) / 2
    offsets: NDArray[np.float64] = _SPREAD * (ranks - middle) / np.maximum(middle, 1)
    return offsets
