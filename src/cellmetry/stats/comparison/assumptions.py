"""What the tests take for granted, checked where replicates allow it, in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

from cellmetry.stats.comparison.linear import lay_out
from cellmetry.stats.comparison.plan import tested_conditions
from cellmetry.stats.p_values import p_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from cellmetry.stats.comparison.cells import Cells
    from cellmetry.stats.comparison.linear import Layout
    from cellmetry.stats.comparison.options import CompareOptions
    from cellmetry.stats.comparison.plan import Plan
    from cellmetry.stats.comparison.replicates import Units

    Floats = NDArray[np.float64]

__all__ = ["design_notes", "model_notes", "spread_notes", "value_notes"]

_ALPHA = 0.05
_ENOUGH = 8
"""Fewest residuals of which Shapiro and Wilk's test can tell anything."""
_FIELDS = 6
"""Replicates of a condition from which one image each makes them look like fields."""
_UNLIKE = 3
"""Times that the largest standard deviation is above the smallest from which one variance for all misleads."""
_TELLING = 6
"""Fewest replicates of each condition with which conditions that scatter alike seldom seem that unlike."""
_TECHNICAL = ("well", "image", "field", "label", "cell")


def design_notes(cells: Cells, units: Units, options: CompareOptions) -> tuple[str, ...]:
    """Return what is doubtful about the replicates themselves: fields or wells in their place, unequal numbers."""
    notes = []
    counts = np.array(units.counts())
    fields = units.rows.groupby("condition")["n_fields"].sum().to_numpy()
    if options.replicate.lower() in _TECHNICAL:
        notes.append(
            f"Replicates are taken from the column {options.replicate!r}: wells, fields and cells of one culture are "
            f"no independent replicates, and p-values would speak of this culture only."
        )
    elif ((counts == fields) & (counts > _FIELDS)).any():
        notes.append(
            f"Each replicate has exactly one image, and there are {int(counts.max())} of them: if they are fields or "
            f"wells of one culture, they are no independent replicates, and p-values mislead."
        )
    if counts.max() >= 2 * counts.min():
        said = ", ".join(f"{name} {count}" for name, count in zip(units.conditions, counts, strict=True))
        notes.append(f"The numbers of replicates are unbalanced ({said}); equal numbers find most.")
    most, least = units.rows["cells"].max(), units.rows["cells"].min()
    if most >= 10 * least and options.method not in ("mixed", "gee"):
        notes.append(
            f"Replicates hold from {least:.0f} to {most:.0f} {options.rows} and weigh the same; those of few "
            f"are less certain."
        )
    return (*notes, *_fraction_notes(cells, units))


def _fraction_notes(cells: Cells, units: Units) -> tuple[str, ...]:
    if cells.kind != "fraction":
        return ()
    sums = units.rows.groupby("condition")[["positive", "cells"]].sum()
    shares = (sums["positive"] / sums["cells"]).to_numpy()
    near = [name for name, share in zip(units.conditions, shares, strict=True) if not 0.05 <= share <= 0.95]
    if not near:
        return ()
    return (
        f"Fractions near 0 or 1 ({', '.join(near)}) do not scatter evenly about their mean; intervals and p-values are "
        f"rough there.",
    )


def value_notes(cells: Cells, units: Units, options: CompareOptions) -> tuple[str, ...]:
    """Return the advice to take logarithms where cells scatter in proportion to their mean."""
    rows = units.rows
    if cells.kind == "fraction" or options.scale == "log" or len(rows) < _ENOUGH or not (rows["value"] > 0).all():
        return ()
    if rows["value"].max() < 1.5 * rows["value"].min() or rows["sd"].nunique() < _ENOUGH:
        return ()
    found = stats.spearmanr(rows["value"], rows["sd"])
    if found.statistic < 0.8 or found.pvalue > _ALPHA or not (cells.rows["number"] > 0).all():
        return ()
    return (
        f"Where their mean is higher {options.rows} scatter more, as values do that differ by factors: consider the "
        f"log scale, which estimates ratios.",
    )


def model_notes(units: Units, tested: Sequence[int], *, blocked: bool, variances_told: bool) -> tuple[str, ...]:
    """Return what residuals of the linear model of replicates say of normality, equal variances and odd replicates.

    Parameters
    ----------
    tested
        Codes of the conditions in the model.
    variances_told
        Whether nothing is to be said of equal variances: each contrast has its own, or it has been said.
    """
    wide = units.wide()[:, tested]
    layout = lay_out(wide, blocked=blocked)
    residuals, leverage = _residuals(layout)
    df = len(layout.y) - layout.design.shape[1]
    if not residuals @ residuals > 0 or df < 1:
        return ()
    pairs = blocked and wide.shape[1] == 2
    notes = _normality(residuals[layout.condition == 0] if pairs else residuals)
    if not (blocked or variances_told):
        notes += _variances(wide)
    place = _odd_one(residuals, leverage, df, n=len(residuals) // (2 if pairs else 1))
    if place is not None:
        of = "" if pairs else f" of {units.conditions[tested[layout.condition[place]]]}"
        notes += (
            f"Replicate {units.replicates[layout.replicate[place]]}{of} lies far from the others; look at its "
            f"images. It is not left out.",
        )
    return notes


def _residuals(layout: Layout) -> tuple[Floats, Floats]:
    """Return residuals and leverages of the least-squares fit."""
    hat = layout.design @ np.linalg.pinv(layout.design)
    return layout.y - hat @ layout.y, np.diag(hat)


def _normality(residuals: Floats) -> tuple[str, ...]:
    n = len(residuals)
    if n < _ENOUGH:
        return (
            f"Whether replicates scatter normally, as t-tests take for granted, cannot be checked with {n} of them; "
            f"means of many values usually do nearly.",
        )
    p_value = stats.shapiro(residuals).pvalue
    if p_value >= _ALPHA:
        return (
            f"Residuals of the {n} replicates do not contradict a normal distribution "
            f"(Shapiro–Wilk {p_text(p_value)}).",
        )
    return (
        f"Residuals of the {n} replicates are not normal (Shapiro–Wilk {p_text(p_value)}): consider the log scale, or "
        f"the method rank.",
    )


def _variances(wide: Floats) -> tuple[str, ...]:
    groups = [column[np.isfinite(column)] for column in wide.T]
    if min(len(group) for group in groups) < 4:
        return ("Whether conditions scatter alike cannot be checked with fewer than four replicates in each.",)
    p_value = stats.levene(*groups, center="median").pvalue
    if not p_value < _ALPHA:
        return ()
    return (f"Conditions do not scatter alike (Brown–Forsythe {p_text(p_value)}): consider the method welch.",)


def spread_notes(units: Units, plan: Plan, options: CompareOptions) -> tuple[str, ...]:
    """Return a warning where a model of one variance has conditions (in blocks, differences) of very unlike spread."""
    spreads = _differences(units, plan) if plan.paired else _replicates(units, plan)
    if len(spreads) < 2:
        return ()
    most, least = max(spreads, key=lambda name: spreads[name]), min(spreads, key=lambda name: spreads[name])
    if not spreads[most] > _UNLIKE * spreads[least]:
        return ()
    what = "differences" if plan.paired else "replicates"
    unit = " (of logarithms)" if options.scale == "log" else ""
    chance = "; with so few replicates that may be chance" if min(units.counts()) < _TELLING else ""
    welch = "makes a paired t-test of each contrast" if plan.paired else "gives each contrast a spread of its own"
    log = "" if options.scale == "log" else ", and --scale log helps where values differ by factors"
    return (
        f"Conditions do not scatter alike: {what} of {most} have a standard deviation of {spreads[most]:.3g}{unit}, "
        f"those of {least} of {spreads[least]:.3g}{chance}. Intervals and p-values use an average spread, which is too "
        f"small for {most} and too large for {least}: --method welch {welch}{log}.",
    )


def _replicates(units: Units, plan: Plan) -> dict[str, float]:
    """Return the standard deviation of the replicates of each tested condition."""
    wide = units.wide()
    return {units.conditions[each]: float(np.nanstd(wide[:, each], ddof=1)) for each in tested_conditions(plan)}


def _differences(units: Units, plan: Plan) -> dict[str, float]:
    """Return the standard deviation of the pair differences of each tested contrast that has two of them."""
    wide, names = units.wide(), units.conditions
    pairs = [pair for pair, why in zip(plan.pairs, plan.reasons, strict=True) if not why]
    by_pair = {f"{names[one]} less {names[other]}": wide[:, one] - wide[:, other] for one, other in pairs}
    return {name: float(np.nanstd(each, ddof=1)) for name, each in by_pair.items() if np.isfinite(each).sum() > 1}


def _odd_one(residuals: Floats, leverage: Floats, df: int, n: int) -> int | None:
    """Return the place of a residual too large for `n` normal ones (externally studentised, Bonferroni); else None."""
    if df < 3:
        return None
    left = float(residuals @ residuals) * (1 - leverage) - residuals**2
    worst = int(np.argmax(np.abs(residuals) / np.sqrt(1 - leverage)))
    if not left[worst] > 0:
        return worst
    t = abs(residuals[worst]) * np.sqrt((df - 1) / left[worst])
    return worst if n * 2 * stats.t.sf(t, df - 1) < _ALPHA else None
