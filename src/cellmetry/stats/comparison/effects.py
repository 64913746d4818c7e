"""Effect sizes that have no unit: Hedges' g and Cliff's delta, of replicates and of cells."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import special, stats

from cellmetry.stats.comparison.inference import is_constant

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["Effect", "cliffs_delta", "delta_of_sorted", "hedges_g"]


class Effect(NamedTuple):
    """An effect size with its interval; NaN where the replicates allow none."""

    value: float
    low: float
    high: float


class _Unit(NamedTuple):
    """Standard deviation that is the unit, error of the difference, and the degrees of freedom of each."""

    spread: float
    spread_df: float
    error: float
    df: float


NONE = Effect(np.nan, np.nan, np.nan)

_FAR = 1e3
"""Difference in standard errors from which the interval is missing: SciPy's inverse of the non-central t takes minutes
there, and no study is that sure."""


def hedges_g(one: Floats, other: Floats, *, paired: bool, confidence: float, size: float) -> Effect:
    """Return the difference of means in standard deviations of replicates, corrected for few of them (Hedges 1981).

    The standard deviation is the pooled one; of pairs the root of the mean variance, so that both designs speak the
    same unit, with 2 (n - 1) / (1 + r²) degrees of freedom (Cousineau 2020). Where one condition is constant (a control
    divided by itself) it is the other's. The interval inverts the non-central t (Hedges & Olkin 1985), of pairs that of
    their differences (Goulet-Pelletier & Cousineau 2018); it is one of the true effect and needs no correction.

    Parameters
    ----------
    one, other
        Replicates, shapes (n,) and (m,); of pairs in the same order.
    size
        As in `t_tests`.
    """
    unit = _unit(one, other, paired=paired, size=size)
    if unit is None or unit.df < 2:
        return NONE
    difference = float(one.mean() - other.mean())
    value = _small_sample(unit.spread_df) * difference / unit.spread
    t = difference / unit.error
    if abs(t) > _FAR:
        return Effect(value, np.nan, np.nan)
    chances = np.array([(1 + confidence) / 2, (1 - confidence) / 2])
    low, high = special.nctdtrinc(unit.df, chances, t) * unit.error / unit.spread
    return Effect(value, float(low), float(high))


def _unit(one: Floats, other: Floats, *, paired: bool, size: float) -> _Unit | None:
    """Return what a difference is divided by; None where replicates are too few or do not differ."""
    n, m = len(one), len(other)
    if min(n, m) < 2:
        return None
    flat = [is_constant(side, size) for side in (one, other)]
    if all(flat) or (paired and is_constant(one - other, size)):
        return None
    first, second = float(one.var(ddof=1)), float(other.var(ddof=1))
    if any(flat):
        spread, df = np.sqrt(second if flat[0] else first), (m if flat[0] else n) - 1.0
        return _Unit(spread, df, spread / np.sqrt(df + 1), df)
    if paired:
        mean, own = (first + second) / 2, float((one - other).var(ddof=1))
        likeness = 1 - own / (2 * mean)
        return _Unit(np.sqrt(mean), 2 * (n - 1) / (1 + likeness**2), np.sqrt(own / n), n - 1.0)
    df = n + m - 2.0
    spread = np.sqrt(((n - 1) * first + (m - 1) * second) / df)
    return _Unit(spread, df, spread * np.sqrt(1 / n + 1 / m), df)


def _small_sample(df: float) -> float:
    """Return Hedges' correction Γ(df/2) / (√(df/2) Γ((df - 1)/2))."""
    return float(np.exp(special.gammaln(df / 2) - special.gammaln((df - 1) / 2)) / np.sqrt(df / 2))


def cliffs_delta(one: Floats, other: Floats, *, paired: bool, confidence: float) -> Effect:
    """Return the share of pairs of replicates in which `one` is higher less that in which it is lower (Cliff 1993).

    Independent replicates: all pairs, with the asymmetric interval of Feng & Cliff (2004), by Student's t; paired ones:
    the matched pairs. Where all pairs agree, and for matched ones, the interval is Wilson's, of the smaller number.
    """
    n, m = len(one), len(other)
    if min(n, m) < 2:
        return NONE
    if paired:
        value = float(np.sign(one - other).mean())
        return Effect(value, *_wilson(value, n, confidence))
    signs = np.sign(one[:, None] - other[None, :])
    value = float(signs.mean())
    if abs(value) == 1:
        return Effect(value, *_wilson(value, min(n, m), confidence))
    rows, columns = signs.mean(1) - value, signs.mean(0) - value
    cells = float(((signs - value) ** 2).sum())
    square = (m**2 * rows @ rows + n**2 * columns @ columns - cells) / (n * m * (n - 1) * (m - 1))
    square = max(square, (1 - value**2) / (n * m - 1))
    t = float(stats.t.ppf((1 + confidence) / 2, n + m - 2))
    half = t * np.sqrt(square * ((1 - value**2) ** 2 + t**2 * square))
    ends = (value - value**3 + np.array([-half, half])) / (1 - value**2 + t**2 * square)
    low, high = np.clip(ends, -1, 1)
    return Effect(value, float(low), float(high))


def _wilson(value: float, n: int, confidence: float) -> tuple[float, float]:
    """Return Wilson's score interval (1927) of the share (value + 1) / 2 of n, as a delta."""
    z2 = float(special.ndtri((1 + confidence) / 2)) ** 2
    half = float(np.sqrt(z2 / n * (1 - value**2) + (z2 / n) ** 2))
    return max(-1.0, (value - half) / (1 + z2 / n)), min(1.0, (value + half) / (1 + z2 / n))


def delta_of_sorted(one: Floats, other: Floats) -> float:
    """Return Cliff's delta of two sorted arrays, by the places of one in the other: n log m steps."""
    below = np.searchsorted(other, one, side="left").sum(dtype=np.float64)
    above = (len(other) - np.searchsorted(other, one, side="right")).sum(dtype=np.float64)
    return float((below - above) / (len(one) * len(other)))
