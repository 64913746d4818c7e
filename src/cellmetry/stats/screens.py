"""How well an assay tells its positive from its negative controls: Z′, robust Z′, SSMD and signal window.

With the means μ and standard deviations σ (divided by n - 1) of the positive (p) and the negative (n) control wells:

* ``z_prime`` = 1 - 3 (σp + σn) / |μp - μn| (Zhang et al. 1999),
* ``robust_z_prime``: the same with medians and 1.4826 · MAD in place of means and SDs,
* ``ssmd`` = (μp - μn) / √(σp² + σn²) (Zhang 2007),
* ``signal_window`` = (|μp - μn| - 3 (σp + σn)) / σp (Sittampalam et al. 1997).

Each value is of a whole unit (a well), never of a single cell. Where the centres of both controls are the same there is
no Z′: nothing is told apart. SSMD is 0 there, whatever the spread.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from pydantic import Field

from cellmetry.core.columns import Column
from cellmetry.core.step import Parameters
from cellmetry.ops.quotient import quotient
from cellmetry.ops.spread import SD_OF_MAD

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]
    Measure = Callable[[Floats, Floats], Floats]

__all__ = [
    "SCREEN_COLUMNS",
    "SCREEN_MEASURES",
    "ScreenOptions",
    "robust_z_prime",
    "screen_quality",
    "signal_window",
    "ssmd",
    "z_prime",
]

_FEWEST = 2
_ROUNDING = 8 * np.finfo(np.float64).eps
"""Share of the larger centre below which a gap is the rounding of means of equal wells."""
_UNDEFINED = {
    "z_prime": "the means of both controls are the same",
    "robust_z_prime": "the medians of both controls are the same",
    "signal_window": "the positive control has no spread, and the means are just 3 (σp + σn) apart",
}
"""Why a measure has no value although there are units enough."""

SCREEN_COLUMNS = (
    Column("measure", "", "z_prime, robust_z_prime, ssmd or signal_window, as the guide says.", "Cellmetry"),
    Column("value", "1", "The measure.", "Zhang 1999, Zhang 2007, Sittampalam 1997"),
    Column("low", "1", "Lower end of its interval: percentiles of resampled wells of each control.", "Efron 1979"),
    Column("high", "1", "Upper end of that interval.", "Efron 1979"),
    Column("confidence", "1", "Coverage of the interval.", "Cellmetry"),
    Column("n_positive", "1", "Units of the positive control with a value.", "Cellmetry"),
    Column("n_negative", "1", "Units of the negative control with a value.", "Cellmetry"),
    Column("reason", "", "Why there is no value; empty if there is one.", "Cellmetry"),
)


class ScreenOptions(Parameters):
    """How the intervals of a screen's quality are made."""

    confidence: float = Field(default=0.95, gt=0, lt=1)
    """Coverage of the intervals."""
    resamples: int = Field(default=5000, ge=100)
    """Bootstrap samples: wells are drawn within each control."""
    seed: int = Field(default=0, ge=0)
    """Start of the random numbers."""


def z_prime(positive: Floats, negative: Floats) -> Floats:
    """Return Z′ along the last axis (Zhang et al. 1999): 1 is perfect, above 0.5 excellent, below 0 they overlap.

    NaN where both means are the same.
    """
    gap = np.abs(_gap(positive.mean(-1), negative.mean(-1)))
    return 1 - quotient(3 * (_sd(positive) + _sd(negative)), gap)


def robust_z_prime(positive: Floats, negative: Floats) -> Floats:
    """Return Z′ with medians and 1.4826 · MAD, along the last axis: one odd well changes it little.

    NaN where both medians are the same.
    """
    gap = np.abs(_gap(np.median(positive, -1), np.median(negative, -1)))
    return 1 - quotient(3 * (_mad(positive) + _mad(negative)), gap)


def ssmd(positive: Floats, negative: Floats) -> Floats:
    """Return the strictly standardised mean difference along the last axis (Zhang 2007).

    0 where both means are the same, ±∞ where they differ and no control has a spread.
    """
    gap = _gap(positive.mean(-1), negative.mean(-1))
    spread = np.sqrt(_sd(positive) ** 2 + _sd(negative) ** 2)
    return np.where(gap == 0, 0.0, _over(gap, spread))


def signal_window(positive: Floats, negative: Floats) -> Floats:
    """Return the signal window along the last axis, in SDs of the positive control (Sittampalam et al. 1997).

    Without a spread of the positive control ±∞, and NaN where the means are just 3 (σp + σn) apart.
    """
    gap = np.abs(_gap(positive.mean(-1), negative.mean(-1)))
    return _over(gap - 3 * (_sd(positive) + _sd(negative)), _sd(positive))


SCREEN_MEASURES: dict[str, Measure] = {
    "z_prime": z_prime,
    "robust_z_prime": robust_z_prime,
    "ssmd": ssmd,
    "signal_window": signal_window,
}
"""All measures by name."""


def screen_quality(positive: ArrayLike, negative: ArrayLike, options: ScreenOptions | None = None) -> pd.DataFrame:
    """Return one row a measure with its bootstrap interval; columns as `SCREEN_COLUMNS`.

    Parameters
    ----------
    positive, negative
        One value for each control unit (well); those not finite are left out. Two of each are the least.

    Notes
    -----
    A bootstrap sample in which a measure is not defined (both means the same, for Z′) counts as -∞, the worst, in the
    interval; a sample without any spread counts as perfect, as the formulas say. A measure that the units themselves do
    not define is NaN, has no interval, and ``reason`` says why.
    """
    options = options or ScreenOptions()
    first, second = (values[np.isfinite(values)] for values in (_floats(positive), _floats(negative)))
    reason = _too_few(first, second)
    rows = dict.fromkeys(SCREEN_MEASURES, (np.nan, np.nan, np.nan, reason))
    if not reason:
        random = np.random.default_rng(options.seed)
        drawn = tuple(random.choice(values, (options.resamples, len(values))) for values in (first, second))
        rows = {name: _row(name, (first, second), drawn, options) for name in SCREEN_MEASURES}
    table = pd.DataFrame(
        [(name, *numbers, options.confidence, len(first), len(second), why) for name, (*numbers, why) in rows.items()],
        columns=[column.name for column in SCREEN_COLUMNS],
    )
    table.attrs["columns"] = SCREEN_COLUMNS
    return table


def _floats(values: ArrayLike) -> Floats:
    return np.asarray(values, np.float64).ravel()


def _too_few(positive: Floats, negative: Floats) -> str:
    if min(len(positive), len(negative)) < _FEWEST:
        counts = f"{len(positive)} positive and {len(negative)} negative"
        return f"{counts} control units have a value; at least {_FEWEST} of each are needed"
    return ""


def _row(
    name: str, wells: tuple[Floats, Floats], drawn: tuple[Floats, ...], options: ScreenOptions
) -> tuple[float, float, float, str]:
    """Return value, ends of the interval, and why there is no value; samples without a value count as -∞."""
    measure, tail = SCREEN_MEASURES[name], (1 - options.confidence) / 2
    value = float(measure(*wells))
    if np.isnan(value):
        return np.nan, np.nan, np.nan, _UNDEFINED[name]
    samples = measure(*drawn)
    ranked = np.where(np.isnan(samples), -np.inf, samples)
    low, high = np.quantile(ranked, (tail, 1 - tail), method="inverted_cdf")
    return value, float(low), float(high), ""


def _gap(first: Floats, second: Floats) -> Floats:
    """Return the difference of two centres, 0 where it is nothing but rounding."""
    gap = np.asarray(first - second, np.float64)
    return np.where(np.abs(gap) <= _ROUNDING * np.maximum(np.abs(first), np.abs(second)), 0.0, gap)


def _sd(values: Floats) -> Floats:
    return np.asarray(np.std(values, axis=-1, ddof=1), np.float64)


def _mad(values: Floats) -> Floats:
    middle = np.median(values, axis=-1, keepdims=True)
    return np.asarray(SD_OF_MAD * np.median(np.abs(values - middle), axis=-1), np.float64)


def _over(above: Floats, below: Floats) -> Floats:
    """Return the quotient; ±∞ over 0, and NaN for 0 over 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(above, np.float64) / np.asarray(below)
