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


NONE = Effect(np.nan, np.nan, np.nan)


def hedges_g(one: Floats, other: Floats, *, paired: bool, confidence: float, size: float) -> Effect:
    """Return the difference of means in standard deviations of replicates, corrected for few of them (Hedges 1981).

    The standard deviation is the pooled one; of pairs the root of the mean variance, so that both designs speak the
    same unit. Where one condition is constant (a control divided by itself) it is the other's. The interval inverts the
    non-central t (Hedges & Olkin 1985), of pairs that of their differences (Goulet-Pelletier & Cousineau 2018).

    Parameters
    ----------
    one, other
        Replicates, shapes (n,) and (m,); of pairs in the same order.
    size
        As in `t_tests`.
    """
    n, m = len(one), len(other)
    if min(n, m) < 2:
        return NONE
    flat = [is_constant(side, size) for side in (one, other)]
    if all(flat) or (paired and is_constant(one - other, size)):
        return NONE
    variances = np.array([one.var(ddof=1), other.var(ddof=1)])
    freedom = np.array([n - 1.0, m - 1.0])
    if any(flat):
        spread, df = float(np.sqrt(variances[int(flat[0])])), float(freedom[int(flat[0])])
        error = spread / np.sqrt(len((one, other)[int(flat[0])]))
    elif paired:
        spread, df = float(np.sqrt(variances.mean())), n - 1.0
        error = float((one - other).std(ddof=1)) / np.sqrt(n)
    else:
        spread, df = float(np.sqrt(freedom @ variances / freedom.sum())), float(freedom.sum())
        error = spread * np.sqrt(1 / n + 1 / m)
    if df < 2:
        return NONE
    difference = float(one.mean() - other.mean())
    factor = _small_sample(df) * error / spread
    chances = np.array([(1 + confidence) / 2, (1 - confidence) / 2])
    low, high = special.nctdtrinc(df, chances, difference / error)
    return Effect(_small_sample(df) * difference / spread, float(low * factor), float(high * factor))


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
