"""What each condition holds: cells, fields, replicates, and the spread of both cells and replicates."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import stats

from cellmetry.stats.comparison.replicates import back, counted_fields
from cellmetry.stats.comparison.result import GROUP_COLUMNS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cellmetry.core.columns import Column
    from cellmetry.stats.comparison.cells import Cells
    from cellmetry.stats.comparison.options import CompareOptions
    from cellmetry.stats.comparison.replicates import Units

    Floats = NDArray[np.float64]

__all__ = ["summarise_groups"]

_LOG = {
    "mean": "Geometric mean of the replicates.",
    "ci_low": "Lower end of the interval of the geometric mean: Student's t of the replicates' logarithms.",
}
_LOG_MEANS = {
    "mean": "Geometric mean of the replicates, each the geometric mean of its cells.",
    "sd": "Standard deviation among the replicates' geometric means (n - 1); missing with one.",
    "median": "Median of the replicates' geometric means.",
    "mad": "Median distance of the replicates' geometric means from their median, unscaled.",
}
"""Where replicates are means of logarithms, and not medians or fractions."""


def summarise_groups(cells: Cells, units: Units, options: CompareOptions) -> pd.DataFrame:
    """Return one row for each condition, as `GROUP_COLUMNS` describes them.

    On log scale mean and interval are geometric; ``sd`` and ``se`` stay those of the values.
    """
    places = range(len(cells.conditions))
    table = pd.DataFrame([_of_replicates(units, place, options) for place in places])
    table = pd.concat([table, _of_cells(cells)], axis=1)
    table = table.assign(
        condition=list(cells.conditions),
        n_missing=cells.missing,
        n_fields=counted_fields(cells, ["condition"]),
        n_replicates=units.counts(),
        confidence=options.confidence,
    )
    if cells.kind == "fraction":
        table[["ci_low", "ci_high"]] = table[["ci_low", "ci_high"]].clip(0, 1)
    table = table[[column.name for column in GROUP_COLUMNS]]
    table.attrs["columns"] = _described(options, cells.kind)
    return table


def _of_replicates(units: Units, place: int, options: CompareOptions) -> dict[str, float]:
    x = units.rows["x"].to_numpy()[units.rows["condition"] == place]
    values = back(x, options)
    n = len(x)
    sd = float(values.std(ddof=1)) if n > 1 else np.nan
    half = float(stats.t.ppf((1 + options.confidence) / 2, n - 1) * x.std(ddof=1) / np.sqrt(n)) if n > 1 else np.nan
    low, mean, high = back(x.mean() + half * np.array([-1.0, 0.0, 1.0]), options)
    middle = float(np.median(values))
    return {
        "mean": float(back(x.mean(), options)) if n == 1 else float(mean),
        "sd": sd,
        "se": sd / float(np.sqrt(n)),
        "ci_low": float(low),
        "ci_high": float(high),
        "median": middle,
        "mad": float(np.median(np.abs(values - middle))),
    }


def _of_cells(cells: Cells) -> pd.DataFrame:
    """Return number, mean, SD, median and MAD of all cells of each condition, whatever their replicate."""
    rows = cells.rows
    if cells.kind == "fraction":
        hits = rows["number"] * rows["cells"]
        sums = pd.DataFrame({"hits": hits, "n": rows["cells"]}).groupby(rows["condition"]).sum().reset_index(drop=True)
        mean = sums["hits"] / sums["n"]
        sd = (mean * (1 - mean) * sums["n"] / (sums["n"] - 1).where(sums["n"] > 1)) ** 0.5
        middle = np.where(mean == 0.5, 0.5, (mean > 0.5).astype(float))
        return _named(sums["n"], mean, sd, middle, np.where(mean == 0.5, 0.5, 0.0))
    groups = rows.groupby("condition")["number"]
    found = groups.agg(["count", "mean", "std", "median"]).reset_index(drop=True)
    away = (rows["number"] - found["median"].to_numpy()[rows["condition"]]).abs()
    mad = away.groupby(rows["condition"]).median().reset_index(drop=True)
    return _named(found["count"], found["mean"], found["std"], found["median"], mad)


def _named(
    n: pd.Series, mean: pd.Series, sd: pd.Series, median: Floats | pd.Series, mad: Floats | pd.Series
) -> pd.DataFrame:
    named = {"n_cells": n.astype(np.int64), "mean_of_cells": mean, "sd_of_cells": sd}
    return pd.DataFrame({**named, "median_of_cells": median, "mad_of_cells": mad})


def _described(options: CompareOptions, kind: str) -> tuple[Column, ...]:
    if options.scale == "linear":
        return GROUP_COLUMNS
    words = _LOG | (_LOG_MEANS if kind == "amount" and options.summary == "mean" else {})
    return tuple(column._replace(definition=words.get(column.name, column.definition)) for column in GROUP_COLUMNS)
