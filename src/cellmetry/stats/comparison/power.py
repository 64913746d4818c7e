"""How many replicates next time, and what those that there are could have found."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import optimize
from statsmodels.stats.power import TTestIndPower, TTestPower

from cellmetry.stats.comparison.options import WORTH_POINTS, WORTH_SHARE
from cellmetry.stats.comparison.result import POWER_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from cellmetry.core.columns import Column
    from cellmetry.stats.comparison.options import CompareOptions
    from cellmetry.stats.comparison.plan import Plan
    from cellmetry.stats.comparison.replicates import Units

    Floats = NDArray[np.float64]

__all__ = ["MOST_REPLICATES", "power_notes", "power_table"]

MOST_REPLICATES = 10_000
"""More replicates than this are given as missing."""

_ONE_SIDED = 5.0
"""Effect in standard errors from which a result of the wrong sign has a chance below 1e-6 and is left out: the far tail
of the non-central t cannot be computed there."""


def power_table(units: Units, plan: Plan, options: CompareOptions, *, fraction: bool) -> pd.DataFrame:
    """Return one row for each contrast, as `POWER_COLUMNS` describes them.

    A t-test of one contrast without correction for several, two-sided at 1 - confidence; missing for ranks, whose power
    is another (none with three replicates against three). On log scale ``sd`` is that of logarithms, and effects are
    ratios.

    Parameters
    ----------
    fraction
        Whether fractions are compared.
    """
    effect = worth_finding(units, options, fraction=fraction)
    rows = [_row(units, plan, place, effect, options) for place in range(len(plan.pairs))]
    table = pd.DataFrame(rows, columns=[column.name for column in POWER_COLUMNS])
    table.attrs["columns"] = tuple(_described(column, options, fraction=fraction) for column in POWER_COLUMNS)
    return table


def power_notes(options: CompareOptions) -> tuple[str, ...]:
    """Return why no power is given; nothing where it is."""
    if options.method != "rank":
        return ()
    return (
        "No power and no number of replicates is given for tests of ranks: that of a t-test, which could be given, is "
        "not theirs.",
    )


def _row(units: Units, plan: Plan, place: int, effect: float, options: CompareOptions) -> list[object]:
    pair = plan.pairs[place]
    one, other = units.wide()[:, list(pair)].T
    sd, counts = _spread(one, other, paired=plan.paired)
    names = [units.conditions[each] for each in pair]
    if not (np.isfinite(sd) and sd > 0) or options.method == "rank":
        return [*names, sd, _shown(effect, options), np.nan, np.nan, np.nan]
    chance = _power_function(sd, counts, paired=plan.paired, alpha=1 - options.confidence)
    now = chance(effect, *counts) if effect > 0 else np.nan
    detectable = _detectable(chance, sd, counts, options.power)
    needed = _needed(chance, effect, options.power) if effect > 0 else np.nan
    return [*names, sd, _shown(effect, options), needed, now, _shown(detectable, options)]


def worth_finding(units: Units, options: CompareOptions, *, fraction: bool) -> float:
    """Return the difference that is to be found, on the scale of the test; NaN if a fifth of the mean is 0.

    If none is named it is `WORTH_SHARE` of the control's (or the smallest) mean, of fractions `WORTH_POINTS`: a share
    of a rare fraction would be less than any experiment finds or any reader minds.
    """
    means = units.rows.groupby("condition")["x"].mean()
    values = np.abs(np.exp(means) if options.scale == "log" else means)
    base = float(values.min() if options.control is None else values[units.conditions.index(options.control)])
    usual = WORTH_POINTS if fraction else WORTH_SHARE * base
    effect = usual if options.detect is None else options.detect
    if not effect > 0 or (options.scale == "log" and not base > 0):
        return np.nan
    return float(np.log1p(effect / base)) if options.scale == "log" else float(effect)


def _spread(one: Floats, other: Floats, *, paired: bool) -> tuple[float, tuple[int, int]]:
    """Return the SD of pair differences or the pooled one, and the numbers of replicates; NaN with too few."""
    if paired:
        differences = (one - other)[np.isfinite(one - other)]
        n = len(differences)
        return (float(differences.std(ddof=1)) if n > 1 else np.nan), (n, n)
    sides = [side[np.isfinite(side)] for side in (one, other)]
    n, m = (len(side) for side in sides)
    if min(n, m) < 2:
        return np.nan, (n, m)
    squares = sum(float(side.var(ddof=1)) * (len(side) - 1) for side in sides)
    return float(np.sqrt(squares / (n + m - 2))), (n, m)


def _power_function(
    sd: float, counts: tuple[int, int], *, paired: bool, alpha: float
) -> Callable[[float, int, int], float]:
    """Return the function (effect, replicates of one, of the other) → power."""

    def chance(effect: float, n: int, m: int) -> float:
        root = np.sqrt(n) if paired else np.sqrt(n * m / (n + m))
        sides = "larger" if effect / sd * root > _ONE_SIDED else "two-sided"
        chance = alpha / 2 if sides == "larger" else alpha
        if paired:
            return float(TTestPower().power(effect / sd, n, chance, alternative=sides))
        return float(TTestIndPower().power(effect / sd, n, chance, ratio=m / n, alternative=sides))

    return chance


def _needed(chance: Callable[[float, int, int], float], effect: float, power: float) -> float:
    """Return the fewest replicates that reach the power, by halving; NaN if `MOST_REPLICATES` do not."""
    low, high = 1, 2
    while chance(effect, high, high) < power:
        low, high = high, high * 2
        if high > MOST_REPLICATES:
            return np.nan
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if chance(effect, middle, middle) >= power else (middle, high)
    return float(high)


def _detectable(chance: Callable[[float, int, int], float], sd: float, counts: tuple[int, int], power: float) -> float:
    """Return the smallest difference that is found with the power."""
    high = sd
    while chance(high, *counts) < power:
        high *= 2
    return float(optimize.brentq(lambda effect: chance(effect, *counts) - power, 1e-6 * sd, high))


def _shown(effect: float, options: CompareOptions) -> float:
    return float(np.exp(effect)) if options.scale == "log" else effect


def _described(column: Column, options: CompareOptions, *, fraction: bool) -> Column:
    words = {
        "sd": "Standard deviation of the logarithms of replicates (of pair differences where paired).",
        "effect": "Ratio that is to be found.",
        "detectable_now": "Smallest ratio above 1 that it finds with the present replicates with the power asked for.",
    }
    if options.scale == "log" and column.name in words:
        column = column._replace(definition=words[column.name], unit="1")
    usual = options.worth(fraction=fraction)
    if column.name == "effect" and usual:
        column = column._replace(definition=f"{column.definition[:-1]}: {usual}, as none was named.")
    return column
