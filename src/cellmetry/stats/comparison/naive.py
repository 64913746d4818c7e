"""What a test would say that takes each cell as a replicate, and why it misleads."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import stats
from statsmodels.stats.proportion import proportions_ztest

from cellmetry.stats.p_values import p_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from cellmetry.stats.comparison.inference import Pair
    from cellmetry.stats.comparison.replicates import Units

    Floats = NDArray[np.float64]

__all__ = ["Likeness", "Naive", "likeness", "naive_note", "naive_tests"]

_LEAST = float(np.finfo(float).tiny)
"""Smaller p-values are not told in numbers: some of them could not be held by one."""
_MOST = 1e6
"""Larger factors between p-values are not told in numbers: they say no more than this one."""


class Naive(NamedTuple):
    """p-values of the contrasts, and the test in words."""

    p_value: Floats
    method: str


class Likeness(NamedTuple):
    """How alike cells of one replicate are: intraclass correlation, design effect 1 + (n - 1) ICC, and cells' worth."""

    icc: float
    design_effect: float
    worth: float


def naive_tests(units: Units, pairs: Sequence[Pair], *, fraction: bool, what: str = "cells") -> Naive:
    """Return Welch's t-test of cells, of fractions the z-test of two proportions (χ² of the 2 × 2 table).

    A p-value below the smallest floating-point number is given as that (2.2e-308). NaN without spread.

    Parameters
    ----------
    what
        What cells are called in words.
    """
    rows = units.rows
    if fraction:
        sums = rows.groupby("condition")[["positive", "cells"]].sum()
        return Naive(np.array([_proportions(sums, pair) for pair in pairs]), f"two-proportion z-test of {what}")
    found = [_moments(rows, place) for place in range(len(units.conditions))]
    return Naive(np.array([_welch(found[one], found[other]) for one, other in pairs]), f"Welch's t-test of {what}")


def _moments(rows: pd.DataFrame, place: int) -> tuple[float, float, float]:
    """Return mean, standard deviation (n - 1) and number of all cells of a condition."""
    mine = rows[rows["condition"] == place]
    n, means = mine["cells"].to_numpy(np.float64), mine["cell_mean"].to_numpy()
    mean = float(n @ means / n.sum())
    squares = float(mine["cell_ss"].sum() + n @ (means - mean) ** 2)
    return mean, float(np.sqrt(squares / (n.sum() - 1))) if n.sum() > 1 else np.nan, float(n.sum())


def _welch(one: tuple[float, float, float], other: tuple[float, float, float]) -> float:
    if not (one[1] > 0 or other[1] > 0) or np.isnan(one[1] + other[1]):
        return np.nan
    return max(float(stats.ttest_ind_from_stats(*one, *other, equal_var=False).pvalue), _LEAST)


def _proportions(sums: pd.DataFrame, pair: Pair) -> float:
    hits, cells = (sums.loc[list(pair), name].to_numpy(np.float64) for name in ("positive", "cells"))
    if hits.sum() in (0, cells.sum()):
        return np.nan
    return max(float(proportions_ztest(hits, cells)[1]), _LEAST)


def likeness(units: Units) -> Likeness | None:
    """Return how alike cells of one replicate are, by analysis of variance; None without a second replicate or cell.

    Intraclass correlation of Donner (1986): (between - within) / (between + (n0 - 1) within) mean squares of replicates
    within conditions, cut off at 0; design effect of Kish (1965) with the mean number of cells of a replicate.
    """
    rows = units.rows
    n = rows["cells"].to_numpy(np.float64)
    totals = rows.groupby("condition")["cells"].transform("sum").to_numpy(np.float64)
    middle = (rows["cells"] * rows["cell_mean"]).groupby(rows["condition"]).transform("sum").to_numpy() / totals
    spare = len(rows) - rows["condition"].nunique()
    if spare < 1 or n.sum() <= len(n):
        return None
    between = float(n @ (rows["cell_mean"].to_numpy() - middle) ** 2) / spare
    within = float(rows["cell_ss"].sum()) / (n.sum() - len(n))
    usual = float(n.sum() - (n**2 / totals).sum()) / spare
    below = between + (usual - 1) * within
    icc = max(0.0, (between - within) / below) if below > 0 else 0.0
    effect = 1 + (n.mean() - 1) * icc
    return Likeness(icc, float(effect), float(n.sum() / effect))


def naive_note(
    units: Units, pairs: Sequence[Pair], p_value: Floats, naive: Naive, what: str = "cells"
) -> tuple[str, ...]:
    """Return how far the test of cells is off, for the contrast in which it is most so; empty without p-values.

    Parameters
    ----------
    what
        What cells are called in words.
    """
    alike = likeness(units)
    times = p_value / naive.p_value
    if alike is None or not (np.nan_to_num(times) > 1).any():
        return ()
    worst = int(np.nanargmax(times))
    one, other = (units.conditions[each] for each in pairs[worst])
    return (
        f"A test that takes {what} as replicates gives {p_text(naive.p_value[worst])} for {one} – {other}, "
        f"{_factor(times[worst])} times smaller than that of the replicates ({p_text(p_value[worst])}). In one "
        f"replicate {what} are alike (intraclass correlation {alike.icc:.2g}): {units.rows['cells'].sum():,.0f} {what} "
        f"tell as much as about {alike.worth:,.0f} independent ones (design effect {alike.design_effect:.3g}). That "
        f"p-value speaks of these very replicates, not of a repeat of the experiment.",
    )


def _factor(times: float) -> str:
    if times > _MOST:
        return "more than a million"
    return f"{times:.2g}" if times < 10 else f"{float(f'{times:.2g}'):,.0f}"
