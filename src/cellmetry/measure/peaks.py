"""Peaks of profiles: where a profile is highest, how far two peaks lie apart, and whether one can be trusted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from pydantic import Field

from cellmetry.core.step import Parameters
from cellmetry.measure.smoothing import smooth_profiles

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

__all__ = ["PeakOptions", "PeakQuality", "find_peaks", "peak_quality"]

_TINY = 1e-12


class PeakOptions(Parameters):
    """How the peak of a profile is found and when it is accepted."""

    algorithm: Literal["first_local_top", "global_max"] = "first_local_top"
    """first_local_top: of the smoothed profile, the outermost place where it turns from rising to falling, or its
    highest where it nowhere does; global_max: the highest of the profile as it is."""
    window: int = Field(default=5, ge=0)
    """Points that Savitzky-Golay smoothing takes together before first_local_top looks; below 3: no smoothing."""
    order: int = Field(default=2, ge=0)
    """Order of the polynomial of that smoothing."""
    slope: float = Field(default=0.001, ge=0)
    """A slope counts as rising or falling from twice this share of the profile's mean slope (its height over its
    length)."""
    least_rise: float = Field(default=0.03, ge=0, le=1)
    """A local top lies at least this share of the profile's height above its lowest point."""
    least_range: float = Field(default=0.08, ge=0)
    """Accepted: the profile's height (largest less smallest), over its largest value, is at least this."""
    most_noise: float = Field(default=0.10, ge=0)
    """Accepted: the median absolute deviation of steps from point to point, over the height, is at most this."""
    least_run: int = Field(default=2, ge=0)
    """Accepted: from the peak on, the profile falls over at least this many points in succession."""
    highest: float | None = 98.0
    """Accepted: the peak lies at this position at most, in the unit of the profile; none: anywhere."""


class PeakQuality(NamedTuple):
    """What speaks for each profile's peak: relative height, relative noise, points in fall; and whether it passes."""

    range_rel: NDArray[np.float64]
    noise_rel: NDArray[np.float64]
    falling_run: NDArray[np.int64]
    accepted: NDArray[np.bool_]


def find_peaks(centres: NDArray[np.float64], profiles: NDArray[np.float64], options: PeakOptions) -> NDArray[np.int64]:
    """Return the index of each profile's peak; -1 for a profile without a finite point.

    Parameters
    ----------
    centres
        Position of each point, rising, shape (W,).
    profiles
        Shape (N, W); points that are NaN do not take part.
    """
    return np.array([_peak(centres, row, options) for row in profiles], np.int64).reshape(-1)


def _peak(centres: NDArray[np.float64], profile: NDArray[np.float64], options: PeakOptions) -> int:
    known = np.flatnonzero(np.isfinite(profile))
    if not known.size:
        return -1
    values = profile[known]
    if options.algorithm == "global_max" or known.size < 3:
        return int(known[np.argmax(values)])
    return int(known[_outermost_top(centres[known], values, options)])


def _outermost_top(centres: NDArray[np.float64], values: NDArray[np.float64], options: PeakOptions) -> int:
    """Return the index of the last point before which the smoothed values rise and at which they fall."""
    window = options.window if options.window <= values.size else min(options.window, 3)
    smooth = smooth_profiles(values, window, options.order)
    slopes, tolerance = _slopes(centres, smooth, options.slope)
    inner = np.arange(2, values.size - 1)
    height = max(_TINY, float(np.ptp(smooth)))
    high = smooth[inner] >= smooth.min() + options.least_rise * height
    turns = high & (slopes[inner - 1] >= tolerance) & (slopes[inner] <= -tolerance)
    return int(inner[turns][-1]) if turns.any() else int(np.argmax(smooth))


def _slopes(
    centres: NDArray[np.float64], values: NDArray[np.float64], share: float
) -> tuple[NDArray[np.float64], float]:
    """Return the slope at each point and from where on a slope counts as one."""
    mean_slope = max(_TINY, float(np.ptp(values))) / max(_TINY, float(np.ptp(centres)))
    return np.gradient(values, centres), 2 * share * mean_slope


def peak_quality(
    centres: NDArray[np.float64], profiles: NDArray[np.float64], peaks: NDArray[np.int64], options: PeakOptions
) -> PeakQuality:
    """Return what speaks for the peaks of profiles, judged on them as they are, and which pass all of the limits.

    Parameters
    ----------
    centres, profiles
        As in `find_peaks`.
    peaks
        What it returned.
    """
    rows = [_quality(centres, row, int(peak), options) for row, peak in zip(profiles, peaks, strict=True)]
    ranges, noises = (np.array([row[n] for row in rows], np.float64) for n in (0, 1))
    runs = np.array([row[2] for row in rows], np.int64)
    limit = np.inf if options.highest is None else options.highest
    near = np.where(peaks >= 0, centres[peaks], np.inf) <= limit if centres.size else np.zeros(peaks.size, bool)
    steady = (ranges >= options.least_range) & (noises <= options.most_noise) & (runs >= options.least_run)
    return PeakQuality(ranges, noises, runs, steady & near)


def _quality(
    centres: NDArray[np.float64], profile: NDArray[np.float64], peak: int, options: PeakOptions
) -> tuple[float, float, int]:
    """Return relative height, relative noise and length of the fall of one profile."""
    known = np.flatnonzero(np.isfinite(profile))
    if known.size < 3:
        return float("nan"), float("nan"), 0
    values = profile[known]
    height, top = float(np.ptp(values)), float(values.max())
    steps = np.diff(values)
    noise = float(np.median(np.abs(steps - np.median(steps))))
    slopes, tolerance = _slopes(centres[known], values, options.slope)
    falling = slopes[np.searchsorted(known, peak) :] <= -tolerance
    return _share(height, top), _share(noise, height), _leading(falling)


def _share(above: float, below: float) -> float:
    return above / below if below > 0 else float("nan")


def _leading(flags: Iterable[np.bool_]) -> int:
    """Return how many flags are set before the first that is not."""
    run = 0
    for flag in flags:
        if not flag:
            break
        run += 1
    return run
