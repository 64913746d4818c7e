"""The linear mixed model of cells, fitted to what is sufficient for it: number, mean and spread of each replicate."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.linalg import cho_factor, cho_solve
from scipy.optimize import minimize

from cellmetry.errors import ParameterError
from cellmetry.stats.comparison.inference import Joint, contrast_matrix, f_test, t_tests

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from cellmetry.stats.comparison.cells import Cells
    from cellmetry.stats.comparison.inference import Pair, Tests

    Floats = NDArray[np.float64]

__all__ = ["MixedFit", "Sums", "cell_sums", "fit_mixed", "mixed_tests"]

_MOST = 2000
"""Most groups of cells (condition × replicate × plate): their covariance is a dense matrix."""

_FLOOR = 1e-9
"""Least variance, as a share of that of the groups' means; nearer to 0 the likelihood is flat."""


@dataclass(frozen=True)
class Sums:
    """Cells summed over groups that the model cannot tell apart; a row for each condition × replicate × plate.

    Parameters
    ----------
    n, mean
        Number and mean of the cells of each group.
    squares
        Sum of squares of all cells about the means of their groups.
    condition, replicate, plate
        Codes; plate is None if it has no effect of its own.
    paired
        Whether a replicate is the same day in each condition: its effect and, beside it, an own one in each condition
        (the random slope) are modelled.
    """

    n: Floats
    mean: Floats
    squares: float
    condition: NDArray[np.int64]
    replicate: NDArray[np.int64]
    plate: NDArray[np.int64] | None
    paired: bool

    @property
    def within(self) -> float:
        """Return the degrees of freedom of cells within groups."""
        return float(self.n.sum()) - len(self.n)

    @cached_property
    def largest(self) -> float:
        """Return the largest number of cells of a replicate in one condition."""
        own = np.stack([self.condition, self.replicate], 1)
        return float(np.bincount(np.unique(own, axis=0, return_inverse=True)[1].ravel(), self.n).max())

    @cached_property
    def kernels(self) -> list[Floats]:
        """Return which groups share an effect: replicate in a condition, replicate (if paired), plate (if any)."""
        own = np.stack([self.condition, self.replicate], 1)
        keys = [np.unique(own, axis=0, return_inverse=True)[1].ravel()]
        keys += [self.replicate] if self.paired else []
        keys += [] if self.plate is None else [self.plate]
        return [(key[:, None] == key[None, :]).astype(float) for key in keys]


@dataclass(frozen=True)
class MixedFit:
    """Estimates by restricted maximum likelihood.

    Parameters
    ----------
    means, covariance
        Of the conditions, shapes (conditions,) and (conditions, conditions).
    residual
        Variance of the cells of a group.
    variances
        Of the effects in the order of `Sums.kernels`.
    """

    means: Floats
    covariance: Floats
    residual: float
    variances: Floats


def cell_sums(cells: Cells, tested: Sequence[int], plate: str | None, *, paired: bool) -> tuple[Sums, tuple[str, ...]]:
    """Return the sums of the tested conditions' cells, with a note if plates cannot have an effect of their own.

    Raises
    ------
    ParameterError
        If each condition has a plate of its own, or there are too many groups.
    """
    rows = cells.rows[cells.rows["condition"].isin(list(tested))]
    keys = ["condition", "replicate", *([f"level_{plate}"] if plate else [])]
    groups = rows.groupby(keys)["x"].agg(["count", "mean", "var"]).reset_index()
    if len(groups) > _MOST:
        raise ParameterError(
            f"The mixed model takes at most {_MOST} replicates and plates, and there are {len(groups)}; compare "
            f"replicate means by t (the default)."
        )
    condition = np.searchsorted(np.array(tested), groups["condition"])
    plates, notes = _plates(groups, plate)
    sums = Sums(
        n=groups["count"].to_numpy(np.float64),
        mean=groups["mean"].to_numpy(),
        squares=float((groups["var"].fillna(0.0) * (groups["count"] - 1)).sum()),
        condition=condition,
        replicate=groups["replicate"].to_numpy(),
        plate=plates,
        paired=paired,
    )
    return sums, notes


def _plates(groups: pd.DataFrame, plate: str | None) -> tuple[NDArray[np.int64] | None, tuple[str, ...]]:
    """Return the plates' codes; None with a note if they are the same as replicates."""
    if plate is None:
        return None, ()
    column = groups[f"level_{plate}"]
    if _one_to_one(column, groups["condition"]):
        raise ParameterError(
            f"Each condition has its own {plate}, so that an effect of the condition cannot be told from one of the "
            f"{plate}; leave --plate out only if you can rule the latter out."
        )
    own = groups.groupby(["condition", "replicate"]).ngroup()
    if _one_to_one(column, groups["replicate"]) or _one_to_one(column, own):
        return None, (f"Each replicate has one {plate} of its own: one effect stands for both.",)
    return column.to_numpy(np.int64), ()


def _one_to_one(one: pd.Series, other: pd.Series) -> bool:
    pairs = pd.DataFrame({"one": one, "other": other}).drop_duplicates()
    return len(pairs) == pairs["one"].nunique() == pairs["other"].nunique()


def fit_mixed(sums: Sums) -> MixedFit:
    """Return the linear mixed model of all cells: condition fixed; replicate, replicate in condition, plate random.

    Groups of cells with the same effects enter the normal likelihood only by number, mean and sum of squares, so that
    this is the fit of all cells (as statsmodels' ``MixedLM`` finds it), at the cost of the groups alone. The variance
    of replicates that are pairs may be negative as long as the whole covariance is one: cut off at 0, the error of a
    difference would be too small where pairs happen to differ (Stroup & Littell 2002).
    """
    scale = float(sums.mean.var()) or 1.0
    limits = (np.log(_FLOOR * scale), np.log(1e4 * scale))
    start = [np.log(scale)] * len(sums.kernels)
    bounds = [limits] * len(sums.kernels)
    if sums.within > 0:
        residual = float(np.log(max(sums.squares / sums.within, _FLOOR * scale)))
        bounds.append((max(residual - 5, limits[0]), residual + 5))
    else:
        residual = start[0]
        bounds.append(limits)
    found = minimize(
        _deviance, [*start, residual], args=(sums,), method="L-BFGS-B", bounds=bounds, options={"ftol": 1e-13}
    )
    return _solved(found.x, sums)[0]


def _variances(theta: Floats, sums: Sums) -> tuple[Floats, float]:
    """Return the effects' variances and that of cells; a paired replicate's may be below 0 by a part of the others."""
    *variances, residual = np.exp(theta)
    if sums.paired:
        variances[1] -= (variances[0] + residual / sums.largest) / (int(sums.condition.max()) + 1)
    return np.array(variances), float(residual)


def _deviance(theta: Floats, sums: Sums) -> float:
    return _solved(theta, sums)[1]


def _solved(theta: Floats, sums: Sums) -> tuple[MixedFit, float]:
    """Return the fit with these variances, and -2 log of its restricted likelihood but for a constant."""
    variances, residual = _variances(theta, sums)
    parts = [each * kernel for each, kernel in zip(variances, sums.kernels, strict=True)]
    factor = cho_factor(np.diag(residual / sums.n) + np.sum(parts, axis=0), lower=True)
    design = np.eye(int(sums.condition.max()) + 1)[sums.condition]
    weighted = cho_solve(factor, design)
    information = design.T @ weighted
    means = np.linalg.solve(information, weighted.T @ sums.mean)
    left = sums.mean - design @ means
    deviance = 2 * np.log(np.diag(factor[0])).sum() + np.linalg.slogdet(information)[1] + left @ cho_solve(factor, left)
    if sums.within > 0:
        deviance += sums.within * np.log(residual) + sums.squares / residual
    return MixedFit(means, np.linalg.inv(information), residual, variances), float(deviance)


def mixed_tests(sums: Sums, pairs: Sequence[Pair], what: str, *, size: float) -> Tests:
    """Return contrasts of the mixed model, with t of as many degrees of freedom as replicates leave.

    statsmodels gives z for them, which with a handful of replicates finds far too much: the error of a difference is
    known no better than the variance of replicates is. Degrees of freedom are those of the linear model of replicate
    means: replicates less conditions, in blocks less blocks too.

    Parameters
    ----------
    what
        What cells are called in words.
    size
        As in `t_tests`.
    """
    fit = fit_mixed(sums)
    k = len(fit.means)
    df = float(_freedom(sums))
    contrasts = contrast_matrix(pairs, k)
    covariance = contrasts @ fit.covariance @ contrasts.T
    errors = np.where(sums.mean.var() > 0, np.sqrt(np.diag(covariance)), 0.0)
    effects = "replicate and replicate × condition" if sums.paired else "replicate"
    method = f"linear mixed model of {what} (random: {effects}{'' if sums.plate is None else ', plate'}; REML, t)"
    tests = t_tests(contrasts @ fit.means, errors, np.full(len(pairs), df), size, method)
    omnibus = f_test(fit.means, fit.covariance, df, size, "Wald test of the mixed model")
    return replace(tests, joint=Joint(covariance, df, k), omnibus=omnibus)


def _freedom(sums: Sums) -> int:
    units = np.unique(np.stack([sums.condition, sums.replicate], 1), axis=0)
    design = np.eye(units[:, 0].max() + 1)[units[:, 0]]
    if sums.paired:
        place = np.unique(units[:, 1], return_inverse=True)[1]
        design = np.hstack([design, np.eye(place.max() + 1)[place]])
    return len(units) - int(np.linalg.matrix_rank(design))
