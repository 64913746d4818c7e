"""How the pixels of two channels go together in each object: correlation, Manders' and Li's coefficients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numba import njit

from cellmetry.measure.pair_thresholds import costes_thresholds, otsu_threshold
from cellmetry.measure.pair_values import NOT_FINITE, SATURATED

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cellmetry.measure.blocks import Block
    from cellmetry.measure.pair_values import PairValues

__all__ = ["COUNTS", "STATISTICS", "PairRule", "pair_statistics"]

COUNTS = ("used_px", "saturated_px", "nan_px")
STATISTICS = (
    "pearson",
    "spearman",
    "li_icq",
    "manders_overlap",
    "manders_k1",
    "manders_k2",
    "threshold_first",
    "threshold_second",
    "manders_m1",
    "manders_m2",
    "intersection_1",
    "intersection_2",
)
_GIVEN, _OTSU, _COSTES = 0, 1, 2


class PairRule(NamedTuple):
    """Which thresholds Manders' coefficients use, and whether ranks are correlated.

    Parameters
    ----------
    own
        ``otsu`` or ``costes`` of each object's own pixels; None: `first` and `second` hold for all.
    """

    own: str | None
    first: float
    second: float
    spearman: bool


@njit(cache=True, nogil=True)
def _gather(values: Any, runs: Any, k: int, pixels: Any) -> Any:
    """Write the used pixels of object k into the rows of `pixels`; return how many, and how many were left out why."""
    first, second, fate = values
    start, z, y, x0, x1 = runs
    n = saturated = missing = 0
    for i in range(start[k], start[k + 1]):
        for x in range(x0[i], x1[i]):
            state = fate[z[i], y[i], x]
            if state == SATURATED:
                saturated += 1
            elif state == NOT_FINITE:
                missing += 1
            else:
                pixels[0, n], pixels[1, n] = first[z[i], y[i], x], second[z[i], y[i], x]
                n += 1
    return n, saturated, missing


@njit(cache=True, nogil=True)
def _ranks(values: Any) -> Any:
    """Return the rank of each value from 1; equal ones share their mean rank."""
    order = np.argsort(values, kind="mergesort")
    out = np.empty(values.size, np.float64)
    begin = 0
    for i in range(values.size):
        if i + 1 == values.size or values[order[i + 1]] != values[order[begin]]:
            for j in range(begin, i + 1):
                out[order[j]] = 0.5 * (begin + i) + 1
            begin = i + 1
    return out


@njit(cache=True, nogil=True)
def _correlation(x: Any, y: Any) -> Any:
    """Return Pearson's r and Li's intensity correlation quotient; NaN where a channel is constant."""
    if x.size < 2 or x.min() == x.max() or y.min() == y.max():
        return np.nan, np.nan
    x_mean, y_mean = x.mean(), y.mean()
    xx = yy = xy = 0.0
    together = 0
    for i in range(x.size):
        dx, dy = x[i] - x_mean, y[i] - y_mean
        xx, yy, xy = xx + dx * dx, yy + dy * dy, xy + dx * dy
        together += dx * dy > 0
    return max(-1.0, min(1.0, xy / np.sqrt(xx) / np.sqrt(yy))), together / x.size - 0.5


@njit(cache=True, nogil=True)
def _overlap(x: Any, y: Any) -> Any:
    """Return Manders' overlap coefficient, k1 and k2; NaN where a channel is 0 throughout."""
    xx, yy, xy = (x * x).sum(), (y * y).sum(), (x * y).sum()
    k1 = xy / xx if xx > 0 else np.nan
    k2 = xy / yy if yy > 0 else np.nan
    return xy / np.sqrt(xx) / np.sqrt(yy) if xx > 0 and yy > 0 else np.nan, k1, k2


@njit(cache=True, nogil=True)
def _shares(x: Any, y: Any, own: Any, other: Any) -> Any:
    """Return which share of the signal, and of the pixels, of `x` above `own` lies where `y` is above `other`."""
    total = shared = 0.0
    pixels = both = 0
    if np.isnan(other):
        return np.nan, np.nan
    for i in range(x.size):
        if x[i] > own:
            total += x[i]
            pixels += 1
            if y[i] > other:
                shared += x[i]
                both += 1
    return shared / total if total > 0 else np.nan, both / pixels if pixels > 0 else np.nan


@njit(cache=True, nogil=True)
def _thresholds(x: Any, y: Any, way: int, given: Any) -> Any:
    if way == _OTSU:
        return otsu_threshold(x), otsu_threshold(y)
    if way == _COSTES:
        return costes_thresholds(x, y)
    return given[0], given[1]


@njit(cache=True, nogil=True)
def _statistics(values: Any, runs: Any, largest: int, rule: Any) -> Any:
    """Return per object the pixels used and left out, one row each, and the columns of `STATISTICS`."""
    way, given, spearman = rule
    count = runs[0].size - 1
    counts = np.zeros((count, 3), np.int64)
    out = np.full((count, 12), np.nan)
    pixels = np.empty((2, largest), np.float64)
    for k in range(count):
        counts[k] = _gather(values, runs, k, pixels)
        x, y = pixels[0, : counts[k, 0]], pixels[1, : counts[k, 0]]
        out[k, 0], out[k, 2] = _correlation(x, y)
        if spearman:
            out[k, 1] = _correlation(_ranks(x), _ranks(y))[0]
        out[k, 3:6] = _overlap(x, y)
        first, second = _thresholds(x, y, way, given)
        out[k, 6], out[k, 7] = first, second
        out[k, 8], out[k, 10] = _shares(x, y, first, second)
        out[k, 9], out[k, 11] = _shares(y, x, second, first)
    return counts, out


def pair_statistics(block: Block, values: PairValues, rule: PairRule) -> dict[str, NDArray[Any]]:
    """Return the columns of `COUNTS` and `STATISTICS` of each object; without ``spearman`` where not asked for."""
    way = {None: _GIVEN, "otsu": _OTSU, "costes": _COSTES}[rule.own]
    chosen = (way, (float(rule.first), float(rule.second)), rule.spearman)
    largest = int(max(1, block.areas.max(initial=0)))
    counts, found = _statistics(tuple(values), tuple(block.runs), largest, chosen)
    out = dict(zip((*COUNTS, *STATISTICS), (*counts.T, *found.T), strict=True))
    if not rule.spearman:
        del out["spearman"]
    return out
