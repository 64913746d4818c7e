"""Fractions of cells by generalised estimating equations, clustered by replicate."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from statsmodels.genmod.cov_struct import Independence
from statsmodels.genmod.families import Gaussian
from statsmodels.genmod.generalized_estimating_equations import GEE

from cellmetry.stats.comparison.inference import contrast_matrix, f_test, hotelling_test, t_tests

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from cellmetry.stats.comparison.inference import Pair, Tests

    Floats = NDArray[np.float64]

__all__ = ["FEWEST_CLUSTERS", "LEAST_SHARE", "few_clusters", "gee_tests"]

FEWEST_CLUSTERS = 3
"""Fewest replicates of each condition."""
LEAST_SHARE = 0.6
"""Least effective number of replicates, (Σ n)² / Σ n² of their cells, as a share of their number."""


def few_clusters(rows: pd.DataFrame, condition: int, name: str) -> str:
    """Return why estimating equations cannot be trusted with a condition's replicates; empty if they can.

    Cells weigh the same in them, so that one replicate of many cells outweighs the others: simulated false positives
    stay near or below 5 % for three replicates and more of 50 to 500 cells (benchmarks/comparing.py --fractions), and
    pass 5 % for sizes that differ a hundredfold.
    """
    n = rows.loc[rows["condition"] == condition, "cells"].to_numpy(np.float64)
    if len(n) < FEWEST_CLUSTERS:
        return f"estimating equations need {FEWEST_CLUSTERS} replicates, and {name!r} has {len(n)}"
    effective = float(n.sum() ** 2 / (n**2).sum())
    if effective < LEAST_SHARE * len(n):
        return (
            f"what is counted of {name!r} lies mostly in few of its replicates ({len(n)} count like {effective:.1f}), "
            f"for which estimating equations find too much; compare by t"
        )
    return ""


def gee_tests(rows: pd.DataFrame, pairs: Sequence[Pair], what: str, *, paired: bool, log: bool) -> Tests:
    """Return contrasts of the binomial GEE with independence as working correlation, clustered by replicate.

    Conditions are the only terms, so that the estimates are the fractions of all cells of each condition, whatever the
    link. Sums over a replicate's cells then say all: they enter as one row, scaled by the square root of their number,
    of a Gaussian GEE, whose equations, sandwich and bias correction (Mancl & DeRouen 2001) are the binomial one's of
    all cells. t has replicates less conditions as degrees of freedom, of pairs replicates less 1.
    The test of all conditions at once is Hotelling's (1931) of pairs, whose covariance has as little freedom.

    Parameters
    ----------
    rows
        Replicates: ``condition`` (codes from 0), ``replicate``, ``cells``, ``positive``.
    what
        What cells are called in words.
    log
        Whether ratios of fractions are estimated in place of differences.
    """
    n, hits = rows["cells"].to_numpy(np.float64), rows["positive"].to_numpy(np.float64)
    design = np.eye(int(rows["condition"].max()) + 1)[rows["condition"]]
    clusters = rows["replicate"].to_numpy() if paired else np.arange(len(rows))
    root = np.sqrt(n)
    model = GEE(hits / root, design * root[:, None], clusters, family=Gaussian(), cov_struct=Independence())
    fit = model.fit(cov_type="bias_reduced")
    shares, covariance = np.asarray(fit.params), np.asarray(fit.cov_params())
    if log:
        slope = np.diag(1 / shares)
        shares, covariance = np.log(shares), slope @ covariance @ slope
    df = float(len(np.unique(clusters)) - (1 if paired else len(shares)))
    contrasts = contrast_matrix(pairs, len(shares))
    errors = np.sqrt(np.diag(contrasts @ covariance @ contrasts.T))
    method = f"binomial GEE of {what} clustered by replicate (bias-reduced covariance, t)"
    tests = t_tests(contrasts @ shares, errors, np.full(len(pairs), df), 1.0, method)
    words = "Wald test of the GEE"
    if paired:
        whole = int((np.bincount(clusters, minlength=1) == len(shares)).sum())
        return replace(tests, omnibus=hotelling_test(shares, covariance, whole, 1.0, words))
    return replace(tests, omnibus=f_test(shares, covariance, df, 1.0, words))
