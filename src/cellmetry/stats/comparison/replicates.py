"""From cells to independent replicates: one number each, which is what every test by default is made of."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cellmetry.errors import ParameterError
from cellmetry.stats.comparison.cells import FIELD
from cellmetry.stats.comparison.result import REPLICATE_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from cellmetry.core.columns import Column
    from cellmetry.stats.comparison.cells import Cells
    from cellmetry.stats.comparison.options import CompareOptions

    Floats = NDArray[np.float64]

__all__ = ["Units", "back", "counted_fields", "level_values", "make_units", "named_values", "summarise"]

_KEYS = ["condition", "replicate"]


@dataclass(frozen=True)
class Units:
    """The replicates of each condition.

    Parameters
    ----------
    rows
        One row for each replicate of a condition, sorted by both codes: ``condition``, ``replicate`` (codes), ``x``
        (what enters the test, on its scale), ``cells``, ``cell_mean`` and ``cell_ss`` (mean of the cells' x, and sum
        of squares about it), ``value`` (as `x`, in the unit of the value), ``n_fields``, ``positive``, ``sd``.
    conditions, replicates
        Names in the order of their codes.
    """

    rows: pd.DataFrame
    conditions: tuple[str, ...]
    replicates: tuple[str, ...]

    def wide(self) -> Floats:
        """Return what enters the test as (replicates, conditions), NaN where a condition lacks a replicate."""
        out = np.full((len(self.replicates), len(self.conditions)), np.nan)
        out[self.rows["replicate"], self.rows["condition"]] = self.rows["x"]
        return out

    def counts(self) -> tuple[int, ...]:
        """Return the number of replicates of each condition."""
        return tuple(np.bincount(self.rows["condition"], minlength=len(self.conditions)).tolist())

    def table(self, options: CompareOptions) -> pd.DataFrame:
        """Return the replicates with their names, as `REPLICATE_COLUMNS` describes them."""
        rows = self.rows
        table = pd.DataFrame(
            {
                "condition": np.array(self.conditions, object)[rows["condition"]],
                "replicate": np.array(self.replicates, object)[rows["replicate"]],
                "n_cells": rows["cells"].astype(np.int64),
                "n_fields": rows["n_fields"],
                "n_positive": rows["positive"],
                "value": rows["value"],
                "sd_of_cells": rows["sd"],
            }
        )
        table.attrs["columns"] = tuple(_described(column, options) for column in REPLICATE_COLUMNS)
        return table


def _described(column: Column, options: CompareOptions) -> Column:
    if column.name != "value" or options.scale == "linear":
        return column
    what = "Geometric mean" if options.summary == "mean" else "Median"
    return column._replace(definition=f"{what} of the replicate's cells, or fraction; its logarithm enters the test.")


def make_units(cells: Cells, options: CompareOptions) -> Units:
    """Return the replicates of each condition, whose `x` is as `level_values` makes it.

    Raises
    ------
    ParameterError
        If a replicate's fraction is 0 on log scale.
    """
    rows = _cell_sums(cells)
    rows["x"] = level_values(cells, _KEYS, options)
    rows = rows.reset_index()
    rows["value"] = back(rows["x"].to_numpy(), options)
    rows["n_fields"] = counted_fields(cells, _KEYS)
    return Units(rows, cells.conditions, cells.replicates)


def named_values(cells: Cells, options: CompareOptions, level: str | None = None) -> pd.Series:
    """Return what enters the test of each replicate, or of each unit of a level in it (image), by their names.

    Returns
    -------
    pandas.Series
        With levels ``condition``, ``replicate`` and, if asked for, that of `level`; as `level_values` makes it.
    """
    keys = [*_KEYS, *([] if level is None else [f"level_{level}"])]
    named = cells if level is None else replace(cells, rows=cells.rows[cells.rows[keys[-1]] >= 0])
    found = level_values(named, keys, options)
    names = [cells.conditions, cells.replicates, *([] if level is None else [cells.levels[level]])]
    codes: list[Any] = [found.index.get_level_values(key) for key in keys]
    return found.set_axis(pd.MultiIndex(names, codes, names=[*_KEYS, *([] if level is None else [level])]))


def level_values(cells: Cells, keys: Sequence[str], options: CompareOptions) -> pd.Series:
    """Return what enters a test, on its scale, of each group: one number for each that has cells.

    Each cell of a group weighs the same; with nested levels each unit of a level does: cells are summarised in the
    innermost unit, and units averaged from there outwards. On log scale logarithms are averaged, so that the value is
    a geometric mean; of a fraction, the logarithm of the group's fraction is taken.

    Raises
    ------
    ParameterError
        If a group's fraction is 0 on log scale.
    """
    nested = [f"level_{name}" for name in options.nested if f"level_{name}" not in keys]
    found = summarise(cells, keys, options, nested)
    if cells.kind == "fraction" and options.scale == "log":
        return _log_fractions(found, f"{keys[-1].removeprefix('level_')}s", options)
    return found


def summarise(cells: Cells, keys: Sequence[str], options: CompareOptions, levels: Sequence[str] = ()) -> pd.Series:
    """Return mean or median of the cells of each group, on the scale of the test; of a fraction, the share.

    Parameters
    ----------
    keys
        Columns of the cells' rows; each combination is a group.
    levels
        Columns of units within a group, outermost first: the innermost ones are summarised, and averaged outwards.
    """
    rows, within = cells.rows, [*keys, *levels]
    if cells.kind == "fraction":
        hits = pd.DataFrame({"hits": rows["number"] * rows["cells"], "cells": rows["cells"]})
        sums = hits.groupby([rows[key] for key in within]).sum()
        found = sums["hits"] / sums["cells"]
    else:
        found = rows.groupby(within)["x"].agg(options.summary)
    for depth in range(len(levels) - 1, -1, -1):
        found = found.groupby([*keys, *levels[:depth]]).mean()
    return found


def back(x: Floats, options: CompareOptions) -> Floats:
    """Return values in their own unit: those on log scale are raised to a power again."""
    return np.exp(x) if options.scale == "log" else x


def counted_fields(cells: Cells, keys: Sequence[str]) -> NDArray[np.float64] | pd.Series:
    """Return the number of images in each group, in the order of its keys; NaN where the table names none."""
    groups = cells.rows.groupby(list(keys))
    if FIELD not in cells.levels:
        return np.full(groups.ngroups, np.nan)
    named = cells.rows[f"level_{FIELD}"]
    seen = named.where(named >= 0).groupby([cells.rows[key] for key in keys]).nunique()
    return seen.where(seen > 0).reset_index(drop=True)


def _cell_sums(cells: Cells) -> pd.DataFrame:
    """Return number, mean, sum of squares and standard deviation of the cells of each replicate of a condition."""
    rows = cells.rows
    if cells.kind == "amount":
        groups = rows.groupby(_KEYS)
        out = pd.DataFrame(groups["x"].agg(cells="count", cell_mean="mean", variance="var"))
        out["cell_ss"] = (out.pop("variance") * (out["cells"] - 1)).fillna(0.0)
        return out.assign(positive=np.nan, sd=groups["number"].std())
    hits = rows["number"] * rows["cells"]
    out = pd.DataFrame({"cells": rows["cells"], "positive": hits}).groupby([rows[key] for key in _KEYS]).sum()
    share = out["positive"] / out["cells"]
    squares = out["cells"] * share * (1 - share)
    sd = np.sqrt(squares / (out["cells"] - 1).where(out["cells"] > 1))
    return out.assign(cell_mean=share, cell_ss=squares, sd=sd, positive=out["positive"].round())


def _log_fractions(share: pd.Series, groups: str, options: CompareOptions) -> pd.Series:
    none = int((share <= 0).sum())
    if none:
        raise ParameterError(
            f"{none} of {len(share)} {groups} have no positive {options.rows}, and a fraction of 0 has no logarithm; "
            f"compare on the linear scale."
        )
    logs: pd.Series = np.log(share)
    return logs
