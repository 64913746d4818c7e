"""The table of counts: one row for each plane and each region of it, and what its columns mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
import pandas as pd

from cellmetry.core.columns import Column
from cellmetry.counting.combine import Counts, disagreement, interval, joint_count, nearest_whole

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from cellmetry.counting.regions import CountedPlane, RegionCounts
    from cellmetry.models.count_calibration import CountCalibration, Counters

__all__ = ["COUNT_COLUMNS", "Number", "count_table", "counters_of", "outside"]

Number: TypeAlias = Literal["joint", "objects"]
"""What the count is: both counters joined, or the labelled objects, beside which the density is only a check."""

_OURS = "Cellmetry"
_CONFORMAL = "Lei et al. 2018"

COUNT_COLUMNS: tuple[Column, ...] = (
    Column("t", "1", "Frame, from 0.", _OURS),
    Column("z", "1", "Z plane, from 0.", _OURS),
    Column("region", "", "Name of the region; empty for the whole plane.", _OURS),
    Column("area_px", "px", "Pixels of the region.", _OURS),
    Column("area_um2", "um2", "Area of the region; only where the pixel size is known.", _OURS),
    Column("n_instances", "1", "Labelled objects; in a region, those with their centroid in it.", _OURS),
    Column("n_density", "1", "Sum of the density map over the region.", "Lempitsky and Zisserman 2010"),
    Column(
        "n",
        "1",
        "Joint count in whole cells; the only one where one is missing; of given labels, their objects.",
        _OURS,
    ),
    Column("n_low", "1", "Lower end of the interval of the joint count; missing where none holds.", _CONFORMAL),
    Column("n_high", "1", "Upper end of the interval of the joint count; missing where none holds.", _CONFORMAL),
    Column("coverage", "1", "Share of images like those of the calibration whose interval is right.", _CONFORMAL),
    Column("disagreement", "1", "|n_instances - n_density| / √(1 + their mean); above 2 deserves a look.", _OURS),
)


def counters_of(plane: CountedPlane) -> Counters:
    """Return by what a plane is counted."""
    if plane.objects is None:
        return "density"
    return "instances" if plane.density is None else "both"


def count_table(
    rows: Sequence[tuple[CountedPlane, RegionCounts]],
    axes: str,
    calibration: CountCalibration | None,
    *,
    holds: bool = True,
    number: Number = "joint",
    pixel_um2: float | None = None,
) -> pd.DataFrame:
    """Return the table of counts; its columns are described in ``attrs["columns"]``.

    Parameters
    ----------
    rows
        Each region with the plane that it lies in.
    axes
        Axes of the image.
    calibration
        Of the counters in `rows`; None if there is none, then no row has an interval. Only whole planes have one.
    holds
        Whether the calibration gives intervals for this image; it joins the counts in any case.
    number
        With ``objects`` the labelled objects are the count wherever there are labels.
    pixel_um2
        Area of a pixel; without it, there is no area in µm².
    """
    found = [counts for _, counts in rows]
    one = {name: np.array([getattr(counts, name) for counts in found], float) for name in ("instances", "density")}
    first, second = one["instances"], one["density"]
    both = Counts(np.where(np.isnan(first), second, first), np.where(np.isnan(second), first, second))
    known = ~(np.isnan(first) | np.isnan(second))
    given = np.array([holds and not counts.region for counts in found], bool)
    low, high = _limits(both, given, calibration)
    coverage = np.nan if calibration is None else calibration.coverage
    joint = joint_count(both, calibration)
    n = np.where(np.isnan(first), joint, first) if number == "objects" else joint
    places = {axis.lower(): [getattr(plane, axis.lower()) for plane, _ in rows] for axis in "TZ" if axis in axes}
    table = pd.DataFrame(
        {
            **places,
            "region": [counts.region for counts in found],
            "area_px": np.array([counts.area_px for counts in found], np.int64),
            **_areas_um2(found, pixel_um2),
            "n_instances": pd.array(first, "Float64").astype("Int64"),
            "n_density": pd.array(second, "Float64"),
            "n": nearest_whole(n),
            "n_low": low,
            "n_high": high,
            "coverage": pd.array(np.where(low.isna(), np.nan, coverage), "Float64"),
            "disagreement": pd.array(np.where(known, disagreement(both), np.nan), "Float64"),
        }
    )
    table.attrs["columns"] = tuple(column for column in COUNT_COLUMNS if column.name in table)
    return table


def _areas_um2(found: Sequence[RegionCounts], pixel_um2: float | None) -> dict[str, NDArray[np.float64]]:
    return {} if pixel_um2 is None else {"area_um2": np.array([each.area_px * pixel_um2 for each in found], float)}


def outside(counts: Counts, calibration: CountCalibration) -> NDArray[np.bool_]:
    """Return which images lie beyond the calibration images, where nothing is known about errors."""
    more = np.maximum(counts.instances, counts.density) > calibration.largest_count
    return np.asarray(more | (disagreement(counts) > calibration.largest_disagreement))


def _limits(
    counts: Counts, wanted: NDArray[np.bool_], calibration: CountCalibration | None
) -> tuple[pd.Series, pd.Series]:
    """Return the ends of the intervals; missing where none is wanted or none holds."""
    if calibration is None:
        none = pd.Series(pd.array([None] * len(wanted), "Int64"))
        return none, none
    given = wanted & ~outside(counts, calibration)
    ends = interval(counts, calibration)
    low, high = (pd.Series(pd.array(end, "Int64")).where(given) for end in ends)
    return low, high
