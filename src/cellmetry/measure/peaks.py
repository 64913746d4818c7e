"""Peaks of profiles: where a profile is highest, how far two peaks lie apart, and whether one can be trusted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from pydantic import Field

from cellmetry.core.step import Parameters
from cellmetry.measure.smoothing import smooth_profiles
from cellmetry.ops.quotient import quotient

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

__all__ = ["PeakOptions", "PeakQuality", "find_peaks", "peak_quality"]

_TINY = 1e-12
_FEWEST = 3


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
    out = np.full(len(profiles), -1, np.int64)
    for rows, points in _alike(profiles):
        if points.size:
            found = _peaks(centres[points], profiles[np.ix_(rows, points)], options)
            out[rows] = points[found]
    return out


def _alike(profiles: NDArray[np.float64]) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Yield profiles that are finite at the same points together: their rows, and these points."""
    patterns, groups = np.unique(np.isfinite(profiles), axis=0, return_inverse=True)
    for number, known in enumerate(patterns):
        yield np.flatnonzero(groups.ravel() == number), np.flatnonzero(known)


def _peaks(centres: NDArray[np.float64], values: NDArray[np.float64], options: PeakOptions) -> NDArray[np.int64]:
    """Return the index of each row's peak; all values are finite."""
    length = centres.size
    if options.algorithm == "global_max" or length < _FEWEST:
        return np.asarray(values.argmax(axis=1))
    window = options.window if options.window <= length else min(options.window, _FEWEST)
    smooth = smooth_profiles(values, window, options.order)
    slopes, least = _slopes(centres, smooth, options.slope)
    floor = smooth.min(axis=1, keepdims=True) + options.least_rise * _heights(smooth)
    turns = np.zeros(values.shape, bool)
    inner = slice(2, length - 1)
    turns[:, inner] = (smooth[:, inner] >= floor) & (slopes[:, 1 : length - 2] >= least) & (slopes[:, inner] <= -least)
    outermost = length - 1 - turns[:, ::-1].argmax(axis=1)
    return np.asarray(np.where(turns.any(axis=1), outermost, smooth.argmax(axis=1)))


def _heights(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return largest less smallest value of each row, never quite 0, as a column."""
    return np.asarray(np.maximum(_TINY, np.ptp(values, axis=1, keepdims=True)))


def _slopes(
    centres: NDArray[np.float64], values: NDArray[np.float64], share: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the slope at each point, and of each row (a column) from where on a slope counts as one."""
    mean_slopes = _heights(values) / max(_TINY, float(np.ptp(centres)))
    return np.gradient(values, centres, axis=1), 2 * share * mean_slopes


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
    count = len(profiles)
    ranges, noises, runs = np.full(count, np.nan), np.full(count, np.nan), np.zeros(count, np.int64)
    for rows, points in _alike(profiles):
        if points.size >= _FEWEST:
            values = profiles[np.ix_(rows, points)]
            height = np.ptp(values, axis=1)
            ranges[rows], noises[rows] = quotient(height, values.max(axis=1)), quotient(_noise(values), height)
            slopes, least = _slopes(centres[points], values, options.slope)
            runs[rows] = _run(slopes <= -least, np.searchsorted(points, peaks[rows]))
    limit = np.inf if options.highest is None else options.highest
    near = (peaks >= 0) & (np.append(centres, np.inf)[peaks] <= limit)
    steady = (ranges >= options.least_range) & (noises <= options.most_noise) & (runs >= options.least_run)
    return PeakQuality(ranges, noises, runs, steady & near)


def _noise(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the median absolute deviation of the steps from point to point in each row."""
    steps = np.diff(values, axis=1)
    return np.asarray(np.median(np.abs(steps - np.median(steps, axis=1, keepdims=True)), axis=1))


def _run(flags: NDArray[np.bool_], start: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return how many flags of each row are set from its start on without a break."""
    length = flags.shape[1]
    broken = ~flags & (np.arange(length) >= start[:, None])
    ends = np.where(broken.any(axis=1), broken.argmax(axis=1), length)
    return np.asarray(ends - start)
