"""Radial profiles of a population: the mean over cells of each cell's mean, with its error over cells."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cellmetry.core.columns import Column
from cellmetry.errors import ParameterError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["average_profiles", "describe_means"]


def average_profiles(profiles: pd.DataFrame, series: Mapping[str, str], unit: str) -> pd.DataFrame:
    """Return one row per window, in order: in each series, how many cells have a mean there, their mean and its SEM.

    Every cell counts once, whatever its number of pixels; SEM = SD over cells (n - 1) / √n, NaN for a single cell.

    Parameters
    ----------
    profiles
        One row per cell and window, with ``center_UNIT`` and the columns of `series`.
    series
        Name → column of the cells' means: of each channel, or of a ratio.
    unit
        ``pct``, ``um`` or ``px``.

    Raises
    ------
    ParameterError
        If a column is missing.
    """
    center = f"center_{unit}"
    missing = [name for name in (center, *series.values()) if name not in profiles]
    if missing:
        there = ", ".join(map(str, profiles))
        raise ParameterError(f"The table of profiles has no column {missing[0]!r}; it has {there}.")
    windows = profiles.groupby(center, sort=True)
    columns: dict[str, pd.Series] = {}
    for one, column in series.items():
        found = windows[column].agg(["count", "mean", "sem"])
        columns |= {
            f"n_cells_{one}": found["count"].astype(np.int64),
            f"mean_of_cells_{one}": found["mean"],
            f"sem_over_cells_{one}": found["sem"],
        }
    table = pd.DataFrame(columns, index=windows[center].first().index).reset_index()
    table.attrs["columns"] = _described(series, center, unit)
    return table


def describe_means(series: str, column: str) -> tuple[Column, Column]:
    """Return what ``mean_of_cells_SERIES`` and ``sem_over_cells_SERIES`` of a column of cells' means are."""
    unit = "intensity" if column == f"mean_{series}" else "1"
    return (
        Column(f"mean_of_cells_{series}", unit, f"Mean over cells of their {column}.", "Cellmetry"),
        Column(f"sem_over_cells_{series}", unit, "SD of the cells' means (n - 1) / √n of cells.", "Cellmetry"),
    )


def _described(series: Mapping[str, str], center: str, unit: str) -> tuple[Column, ...]:
    described = [Column(center, unit, "Middle of the window.", "Cellmetry")]
    for one, column in series.items():
        count = Column(f"n_cells_{one}", "1", f"Cells that have {column} in the window.", "Cellmetry")
        described += [count, *describe_means(one, column)]
    return tuple(described)
