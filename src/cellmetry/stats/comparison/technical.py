"""With one replicate: the interval among its wells or fields, which says nothing of another replicate."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import stats

from cellmetry.stats.comparison.cells import FIELD, WELL
from cellmetry.stats.comparison.linear import welch_difference
from cellmetry.stats.comparison.replicates import summarise

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cellmetry.stats.comparison.cells import Cells
    from cellmetry.stats.comparison.inference import Pair
    from cellmetry.stats.comparison.options import CompareOptions
    from cellmetry.stats.comparison.plan import Plan
    from cellmetry.stats.comparison.replicates import Units

    Floats = NDArray[np.float64]

__all__ = ["Technical", "technical_interval"]

_PLURAL = {WELL: "wells", FIELD: "fields"}


class Technical(NamedTuple):
    """Ends of the interval, on the scale of the test, and what it is made from."""

    low: float
    high: float
    unit: str


NONE = Technical(np.nan, np.nan, "")


def technical_interval(cells: Cells, units: Units, plan: Plan, pair: Pair, options: CompareOptions) -> Technical:
    """Return Welch's interval between the wells (else fields) of one replicate of each condition.

    The replicate is the one that the estimate is made of: of pairs the only one that both share, else the only one that
    each has. None where the estimate is made of several, or a condition has fewer than two wells and fields in it.
    """
    chosen = _replicates(units, plan, pair)
    if chosen is None:
        return NONE
    for level in (WELL, FIELD):
        sides = [_means(cells, place, one, level, options) for place, one in zip(pair, chosen, strict=True)]
        if min(len(side) for side in sides) >= 2:
            return Technical(*_welch(sides[0], sides[1], options.confidence), _PLURAL[level])
    return NONE


def _replicates(units: Units, plan: Plan, pair: Pair) -> tuple[int, int] | None:
    one, other = (set(np.flatnonzero(np.isfinite(column))) for column in units.wide()[:, list(pair)].T)
    if plan.paired and len(one & other) == 1:
        (both,) = one & other
        return int(both), int(both)
    if len(one) == len(other) == 1:
        return int(one.pop()), int(other.pop())
    return None


def _means(cells: Cells, condition: int, replicate: int, level: str, options: CompareOptions) -> Floats:
    """Return the summary of each well or field of a replicate, on the scale of the test; empty if none are named."""
    if level not in cells.levels:
        return np.empty(0)
    rows = cells.rows
    mine = (rows["condition"] == condition) & (rows["replicate"] == replicate) & (rows[f"level_{level}"] >= 0)
    keys = [f"level_{options.plate}"] if options.plate else []
    means = summarise(replace(cells, rows=rows[mine]), [*keys, f"level_{level}"], options).to_numpy()
    if options.scale == "log" and cells.kind == "fraction":
        return np.log(means) if (means > 0).all() else np.empty(0)
    return means


def _welch(one: Floats, other: Floats, confidence: float) -> tuple[float, float]:
    estimate, error, df = welch_difference(one, other, float(np.abs([*one, *other]).max()))
    if not df > 0:
        return np.nan, np.nan
    half = float(stats.t.ppf((1 + confidence) / 2, df)) * error
    return estimate - half, estimate + half
