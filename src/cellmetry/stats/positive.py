"""The share of cells that are positive: thresholds by a value, by control wells or by two populations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
import pandas as pd
from pydantic import Field
from scipy.special import ndtri

from cellmetry.core.columns import Column
from cellmetry.core.step import Parameters
from cellmetry.errors import ParameterError
from cellmetry.stats.mixture import Mixture, MixtureOptions, mixture_threshold

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

__all__ = [
    "POSITIVE_COLUMNS",
    "ControlRule",
    "Threshold",
    "control_threshold",
    "count_positive",
    "fixed_threshold",
    "population_threshold",
    "wilson_interval",
]

_FEWEST = 2

POSITIVE_COLUMNS = (
    Column("n", "1", "Cells with a value.", "Cellmetry"),
    Column("n_missing", "1", "Cells without a finite value, which are not counted.", "Cellmetry"),
    Column("n_positive", "1", "Cells whose value is above the threshold.", "Cellmetry"),
    Column("fraction", "1", "n_positive / n; missing where there is no cell.", "Cellmetry"),
    Column("low", "1", "Lower end of the interval of the fraction, for the cells of this group alone.", "Wilson 1927"),
    Column("high", "1", "Upper end of that interval.", "Wilson 1927"),
    Column("confidence", "1", "Coverage of the interval.", "Wilson 1927"),
    Column("threshold", "as the value", "A cell above this is positive.", "Cellmetry"),
)


class Threshold(NamedTuple):
    """A value above which a cell is positive, the words that say where it comes from, and the mixture if it is one."""

    value: float
    source: str
    mixture: Mixture | None = None


class ControlRule(Parameters):
    """How a threshold is made from the cells of the negative control."""

    rule: Literal["percentile", "mean_sd"] = "percentile"
    """percentile, or mean + k standard deviations."""
    percentile: float = Field(default=99.0, gt=0, le=100)
    """Percentile of the control's cells."""
    k: float = Field(default=3.0, gt=0)
    """Standard deviations above the mean."""


def fixed_threshold(value: float) -> Threshold:
    """Return a threshold that was given."""
    if not np.isfinite(value):
        raise ParameterError(f"A threshold is a number, not {value}.")
    return Threshold(float(value), f"given: {value:g}")


def control_threshold(control: ArrayLike, rule: ControlRule | None = None) -> Threshold:
    """Return the threshold that the cells of the negative control give.

    Raises
    ------
    ParameterError
        If fewer than two cells of the control have a value.
    """
    rule = rule or ControlRule()
    cells = np.asarray(control, np.float64).ravel()
    cells = cells[np.isfinite(cells)]
    if len(cells) < _FEWEST:
        raise ParameterError(f"{len(cells)} cells of the control have a value; {_FEWEST} are the least.")
    if rule.rule == "percentile":
        value, words = np.percentile(cells, rule.percentile), f"percentile {rule.percentile:g}"
    else:
        value, words = cells.mean() + rule.k * cells.std(ddof=1), f"mean + {rule.k:g} SD"
    return Threshold(float(value), f"{words} of {len(cells)} cells of the negative control")


def population_threshold(values: ArrayLike, options: MixtureOptions | None = None) -> Threshold:
    """Return the threshold between two populations of cells; see `mixture_threshold`, also for what it refuses."""
    value, mixture = mixture_threshold(values, options)
    shares = " and ".join(f"{weight:.1%}" for weight in mixture.weights)
    return Threshold(value, f"between two populations of {shares} of the cells", mixture)


def wilson_interval(positive: ArrayLike, count: ArrayLike, confidence: float = 0.95) -> tuple[Floats, Floats]:
    """Return the ends of Wilson's score interval (1927) of each fraction ``positive / count``; NaN for no cells."""
    hits, total = np.asarray(positive, np.float64), np.asarray(count, np.float64)
    z2 = float(ndtri((1 + confidence) / 2)) ** 2
    n = np.where(total > 0, total, np.nan)
    share = hits / n
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = np.sqrt(z2 * (share * (1 - share) / n + z2 / (4 * n**2))) / (1 + z2 / n)
    low, high = np.clip(middle - half, 0, 1), np.clip(middle + half, 0, 1)
    return np.where(hits == 0, 0 * n, low), np.where(hits == total, 0 * n + 1, high)


def count_positive(
    table: pd.DataFrame, value: str, threshold: Threshold, *, by: Sequence[str] = (), confidence: float = 0.95
) -> pd.DataFrame:
    """Return one row for each group of `by` (one for all without) with counts, fraction and Wilson's interval.

    Cells whose value is missing or not finite are counted in ``n_missing`` and nowhere else. Intervals speak of the
    cells of the group only: cells of one well are no replicates.

    Raises
    ------
    ParameterError
        If no cell has a value, or a column of `by` has a name that the result needs.
    """
    taken = [name for name in by if name in {column.name for column in POSITIVE_COLUMNS}]
    if taken:
        raise ParameterError(f"Results have a column {taken[0]!r} of their own; rename the one of the table.")
    values = table[value].to_numpy(np.float64, na_value=np.nan)
    known = np.isfinite(values)
    if not known.any():
        raise ParameterError(f"No cell has a value in the column {value!r}, so there is nothing to count.")
    marked = pd.DataFrame(
        {"n": known, "n_missing": ~known, "n_positive": known & (values > threshold.value)}, index=table.index
    ).astype(np.int64)
    if by:
        counts = marked.groupby([table[name] for name in by], sort=True, dropna=False).sum().reset_index()
    else:
        counts = marked.sum().to_frame().T
    low, high = wilson_interval(counts["n_positive"], counts["n"], confidence)
    fraction = counts["n_positive"] / counts["n"].where(counts["n"] > 0)
    out = counts.assign(fraction=fraction, low=low, high=high, confidence=confidence, threshold=threshold.value)
    out.attrs["columns"] = POSITIVE_COLUMNS
    return out
