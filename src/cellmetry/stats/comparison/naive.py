"""What a test would say that takes each cell as a replicate, and why it misleads."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import stats
from statsmodels.stats.proportion import proportions_ztest

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from cellmetry.stats.comparison.inference import Pair
    from cellmetry.stats.comparison.replicates import Units

    Floats = NDArray[np.float64]

__all__ = ["Likeness", "Naive", "likeness", "naive_note", "naive_tests"]

_LEAST = float(np.finfo(float).tiny)


class Naive(NamedTuple):
    """p-values of the contrasts, and the test in words."""

    p_value: Floats
    method: str


class Likeness(NamedTuple):
    """How alike cells of one replicate are: intraclass correlation, design effect 1 + (n - 1) ICC, and cells' worth."""

    icc: float
    design_effect: float
    worth: float


def naive_tests(units: Units, pairs: Sequence[Pair], *, fraction: bool) -> Naive:
    """Return Welch's t-test of cells, of fractions the z-test of two proportions (χ² of the 2 × 2 table).

    A p-value below the smallest floating-point number is given as that (2.2e-308). NaN without spread.
    """
    rows = units.rows
    if fraction:
        sums = rows.groupby("condition")[["positive", "cells"]].sum()
        return Naive(np.array([_proportions(sums, pair) for pair in pairs]), "two-proportion z-test of cells")
    found = [_moments(rows, place) for place in range(len(units.conditions))]
    return Naive(np.array([_welch(found[one], found[other]) for one, other in pairs]), "Welch's t-test of cells")


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


def naive_note(units: Units, pairs: Sequence[Pair], p_value: Floats, naive: Naive) -> tuple[str, ...]:
    """Return how far the test of cells is off, for the contrast in which it is most so; empty without p-values."""
    alike = likeness(units)
    with np.errstate(divide="ignore", over="ignore"):
        times = p_value / naive.p_value
    if alike is None or not np.isfinite(p_value).any() or not (np.nan_to_num(times) > 1).any():
        return ()
    worst = int(np.nanargmax(times))
    one, other = (units.conditions[each] for each in pairs[worst])
    cells = int(units.rows["cells"].sum())
    far = "more than 1e300" if np.isinf(times[worst]) else f"{times[worst]:.2g}"
    return (
        f"A test that takes each cell as a replicate gives p = {naive.p_value[worst]:.2g} for {one} – {other}, {far} "
        f"times smaller than the {p_value[worst]:.2g} of the replicates. Cells of one replicate are alike (intraclass "
        f"correlation {alike.icc:.2g}): {cells} cells tell as much as about {alike.worth:.0f} independent ones (design "
        f"effect {alike.design_effect:.3g}). That p-value speaks of these very replicates, not of a repeat of the "
        f"experiment.",
    )
