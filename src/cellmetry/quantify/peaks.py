"""The step `peaks`: where the profiles of cells are highest, how far apart, and which of these peaks are sound."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple

import numpy as np
import pandas as pd
from pydantic import Field

from cellmetry.core.columns import Column
from cellmetry.core.progress import SILENT
from cellmetry.core.step import Step
from cellmetry.errors import ParameterError
from cellmetry.measure.peaks import PeakOptions, PeakQuality, find_peaks, missing_peaks, peak_quality
from cellmetry.quantify.profiles import SUFFIX

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from cellmetry.core.progress import Progress
    from cellmetry.core.sample import Sample

__all__ = ["Peaks", "profile_peaks"]

_OURS, _OLD = "Cellmetry", "DualCellQuant"
_HIGHEST = {"pct": 98.0, "px": 0.0, "um": 0.0}
"""Where an accepted peak lies at most if nothing else is said, by unit."""


def profile_peaks(
    profiles: pd.DataFrame, channels: Sequence[str], limits: tuple[float, float], options: PeakOptions
) -> pd.DataFrame:
    """Return where each cell's profile peaks in each channel, and of two channels how far the two places lie apart.

    Parameters
    ----------
    profiles
        Table of cells of `profile_cells`.
    channels
        One channel, or two: the first's peak less the second's is the difference.
    limits
        Centres of windows between which peaks are looked for, both included.

    Raises
    ------
    ParameterError
        If the table has no profile of a channel, or no window between the limits, or channels are none or many.
    """
    unit = _unit_of(profiles, channels)
    centre = f"center_{unit}"
    inside = profiles[profiles[centre].between(*limits)]
    if profiles.size and not inside.size:
        raise ParameterError(f"No window of the profile is centred between {limits[0]:g} and {limits[1]:g} {unit}.")
    if options.highest == "auto":
        options = options.model_copy(update={"highest": _HIGHEST[unit]})
    keys = [name for name in ("label", "t", "z") if name in profiles]
    centres = np.sort(inside[centre].unique())
    rows = inside[keys].drop_duplicates().reset_index(drop=True)
    shape = (len(rows), len(centres))
    found = {name: _peaks_of(name, inside, centres, shape, options) for name in channels}
    return _peak_table(rows, found, unit)


def _unit_of(profiles: pd.DataFrame, channels: Sequence[str]) -> str:
    """Return the unit of a table's windows, if it has the profiles that are needed."""
    if len(channels) not in (1, 2) or len(set(channels)) < len(channels):
        raise ParameterError(f"Peaks are those of one channel or of two different ones, not of {', '.join(channels)}.")
    unit = next((unit for unit in SUFFIX.values() if f"center_{unit}" in profiles), None)
    missing = [name for name in channels if f"mean_{name}" not in profiles]
    if unit is None or missing:
        raise ParameterError(f"The table has no profile of the channel {missing[0] if missing else channels[0]!r}.")
    unsure = [name for name in channels if f"sem_{name}" not in profiles]
    if unsure:
        raise ParameterError(f"The table has no standard errors of {unsure[0]}: the column sem_{unsure[0]} is missing.")
    return unit


class _Found(NamedTuple):
    """The peaks of one channel, of every cell: places and heights NaN where there is none."""

    places: NDArray[np.float64]
    heights: NDArray[np.float64]
    reasons: list[str]
    quality: PeakQuality


def _peaks_of(
    name: str, inside: pd.DataFrame, centres: NDArray[np.float64], shape: tuple[int, int], options: PeakOptions
) -> _Found:
    values, errors = (inside[f"{kind}_{name}"].to_numpy(np.float64).reshape(shape) for kind in ("mean", "sem"))
    peaks = find_peaks(centres, values, options)
    quality = peak_quality(centres, values, peaks, options, errors=errors)
    heights = np.append(values, np.full((len(values), 1), np.nan), axis=1)[np.arange(len(values)), peaks]
    return _Found(np.append(centres, np.nan)[peaks], heights, missing_peaks(values, peaks, options), quality)


def _peak_table(rows: pd.DataFrame, found: Mapping[str, _Found], unit: str) -> pd.DataFrame:
    table = rows.copy()
    for name, peaks in found.items():
        table[f"peak_{name}_{unit}"], table[f"peak_mean_{name}"] = peaks.places, peaks.heights
        table[f"reason_{name}"] = np.array(peaks.reasons, dtype=object)
    if len(found) == 2:
        first, second = (peaks.places for peaks in found.values())
        table[f"difference_{unit}"] = first - second
    for name, (_, _, _, quality) in found.items():
        table[f"range_{name}"], table[f"noise_{name}"] = quality.range_rel, quality.noise_rel
        table[f"prominence_{name}"], table[f"prominence_error_{name}"] = quality.prominence, quality.prominence_error
        table[f"falling_{name}"] = _where(quality.falling_run, np.isfinite(quality.prominence), "Int64")
        table[f"accepted_{name}"] = _where(quality.accepted, quality.judged, "boolean")
    described = {column.name: column for column in _describe(tuple(found), unit)}
    table.attrs["columns"] = tuple(described[str(name)] for name in table.columns)
    return table


def _where(values: NDArray[Any], known: NDArray[np.bool_], dtype: Literal["Int64", "boolean"]) -> pd.Series:
    """Return values that are missing where they are not known."""
    return pd.Series(values, dtype=dtype).where(known)


def _describe(channels: tuple[str, ...], unit: str) -> list[Column]:
    columns = [
        Column("label", "1", "Id of the cell.", _OURS),
        Column("t", "1", "Frame, from 0.", _OURS),
        Column("z", "1", "Z plane, from 0.", _OURS),
        Column(f"difference_{unit}", unit, f"Peak of {channels[0]} less peak of {channels[-1]}.", _OURS),
    ]
    for name in channels:
        columns += [
            Column(f"peak_{name}_{unit}", unit, f"Centre of the window in which {name} peaks.", _OURS),
            Column(f"peak_mean_{name}", "intensity", f"Mean of {name} in that window, not smoothed.", _OURS),
            Column(f"reason_{name}", "", f"Why there is no peak of {name}; empty where there is one.", _OURS),
            Column(f"range_{name}", "1", f"Largest less smallest mean of {name}, over the largest.", _OLD),
            Column(f"noise_{name}", "1", "Median absolute deviation of steps between windows, over the range.", _OLD),
            Column(
                f"prominence_{name}",
                "intensity",
                "Height of the peak over the higher of its two feet, the lowest windows on either side before the "
                "profile is higher than the peak; of the smoothed profile for first_local_top.",
                _OURS,
            ),
            Column(
                f"prominence_error_{name}",
                "intensity",
                "Standard error of the prominence: √(SEM² of the window of the peak + SEM² of that foot's).",
                _OURS,
            ),
            Column(
                f"falling_{name}",
                "1",
                "Steps from window to window, from the peak on, in which the profile falls before it rises again; of "
                "the smoothed profile for first_local_top.",
                _OURS,
            ),
            Column(
                f"accepted_{name}",
                "",
                "Whether range, noise, fall, prominence and place pass the limits; missing where there is no peak or "
                "one of these is unknown.",
                _OURS,
            ),
        ]
    return columns


class Peaks(PeakOptions, Step):
    """Find where the profiles of one or two channels peak in each cell, how far apart, and which peaks are sound."""

    name: ClassVar[str] = "peaks"

    profiles: str = Field("radial_profile_cells", description="Name of the table of profiles.")
    first: str = Field(description="Channel whose peak counts positive.")
    second: str | None = Field(None, description="Channel whose peak is subtracted; if left out, there is no other.")
    lowest: float = Field(60.0, description="Least centre of a window that is looked at, in the profile's unit.")
    uppermost: float = Field(100.0, description="Largest centre of a window that is looked at.")
    table: str = Field("peaks", description="Name of the table that is made.")

    def __call__(self, sample: Sample, progress: Progress = SILENT) -> Sample:
        """Return the sample with the table added."""
        channels = (self.first,) if self.second is None else (self.first, self.second)
        made = profile_peaks(sample.need_table(self.profiles), channels, (self.lowest, self.uppermost), self)
        return sample.with_table(self.table, made)
