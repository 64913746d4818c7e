"""Peaks of profiles: where a profile is highest, how far two peaks lie apart, and whether one can be trusted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from pydantic import Field, model_validator

from cellmetry.core.step import Parameters
from cellmetry.errors import ParameterError
from cellmetry.measure.smoothing import check_smoothing, smooth_profiles

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

__all__ = ["PeakOptions", "PeakQuality", "find_peaks", "missing_peaks", "peak_quality"]

_TINY = 1e-12
_FEWEST = 3


class PeakOptions(Parameters):
    """How the peak of a profile is found and when it is accepted."""

    algorithm: Literal["first_local_top", "global_max"] = "first_local_top"
    """first_local_top: of the smoothed profile, the outermost place where it turns from rising to falling;
    global_max: the highest of the profile as it is."""
    rules: Literal["cellmetry", "dualcellquant"] = "cellmetry"
    """cellmetry: a peak lies inside the range, with lower windows on both sides, or there is none; dualcellquant: as
    in that program, every profile has one, at an end of the range if need be, and smoothing is not checked."""
    window: int = Field(default=5, ge=0)
    """Points that Savitzky-Golay smoothing takes together before first_local_top looks, an odd number; 0: no
    smoothing."""
    order: int = Field(default=2, ge=0)
    """Order of the polynomial of that smoothing, at most window - 2."""
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
    """Accepted: from the peak on, the profile falls in at least this many steps from point to point before it rises."""
    least_prominence: float = Field(default=4.0, ge=0)
    """Accepted: the peak's prominence is at least this many of its standard errors; 0: it is not asked for."""
    highest: float | Literal["auto", "anywhere"] = "auto"
    """Accepted: the peak lies at this position at most, in the unit of the profile; auto: 98 in per cent, the
    boundary (0) in px and µm."""

    @model_validator(mode="after")
    def _smoothing_does_something(self) -> PeakOptions:
        if self.rules == "cellmetry":
            check_smoothing(self.window, self.order)
        return self


class PeakQuality(NamedTuple):
    """What speaks for each profile's peak, and whether it passes the limits, where all that they need is known."""

    range_rel: NDArray[np.float64]
    """Largest less smallest value, over the largest."""
    noise_rel: NDArray[np.float64]
    """Median absolute deviation of the steps from point to point, over largest less smallest."""
    falling_run: NDArray[np.int64]
    """Steps from point to point, from the peak on, in which the profile falls before it rises again."""
    prominence: NDArray[np.float64]
    """Height of the peak over the higher of its two feet; see `peak_quality`."""
    prominence_error: NDArray[np.float64]
    """Standard error of that difference."""
    accepted: NDArray[np.bool_]
    judged: NDArray[np.bool_]
    """Where `accepted` means something: there is a peak, and no value that a limit is set for is missing."""


def find_peaks(centres: NDArray[np.float64], profiles: NDArray[np.float64], options: PeakOptions) -> NDArray[np.int64]:
    """Return the index of each profile's peak; -1 for a profile without one, see `missing_peaks`.

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
            out[rows] = np.where(found >= 0, points[found], -1)
    return out


def missing_peaks(profiles: NDArray[np.float64], peaks: NDArray[np.int64], options: PeakOptions) -> list[str]:
    """Return in words why each profile has no peak; empty where it has one.

    Parameters
    ----------
    profiles, peaks
        What `find_peaks` was given, and what it returned.
    """
    known = np.isfinite(profiles).sum(axis=1)
    turns = "no turn in the range" if options.algorithm == "first_local_top" else "highest at an end of the range"
    cases = [peaks >= 0, known == 0, known < _fewest(options), _flat(profiles)]
    words = ["", "no pixels in the range", "too few windows in the range", "the same everywhere in the range"]
    return [str(word) for word in np.select(cases, words, turns)]


def _fewest(options: PeakOptions) -> int:
    """Return how many points a profile has at least for its peak to be looked for."""
    return max(_FEWEST, options.window if options.algorithm == "first_local_top" else 0)


def _flat(profiles: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which profiles are the same everywhere but for rounding."""
    high = np.where(np.isfinite(profiles), profiles, -np.inf).max(axis=1, initial=-np.inf)
    low = np.where(np.isfinite(profiles), profiles, np.inf).min(axis=1, initial=np.inf)
    return np.asarray(high - low <= _TINY * np.maximum(np.abs(high), np.abs(low)))


def _alike(profiles: NDArray[np.float64]) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Yield profiles that are finite at the same points together: their rows, and these points."""
    patterns, groups = np.unique(np.isfinite(profiles), axis=0, return_inverse=True)
    for number, known in enumerate(patterns):
        yield np.flatnonzero(groups.ravel() == number), np.flatnonzero(known)


def _peaks(centres: NDArray[np.float64], values: NDArray[np.float64], options: PeakOptions) -> NDArray[np.int64]:
    """Return the index of each row's peak, -1 for none; all values are finite."""
    if options.rules == "dualcellquant":
        return _peaks_anywhere(centres, values, options)
    if centres.size < _fewest(options):
        return np.full(len(values), -1)
    if options.algorithm == "first_local_top":
        found = _outermost_turns(centres, smooth_profiles(values, options.window, options.order), options)
    else:
        found = values.argmax(axis=1)
    inside = (found > 0) & (found < centres.size - 1)
    return np.asarray(np.where(inside & ~_flat(values), found, -1))


def _outermost_turns(
    centres: NDArray[np.float64], smooth: NDArray[np.float64], options: PeakOptions
) -> NDArray[np.int64]:
    """Return of each row the highest point between its last rise and the fall after it; -1 where it nowhere turns."""
    slopes, least = _slopes(centres, smooth, options.slope)
    places = np.arange(centres.size)
    rising, falling = slopes >= least, slopes <= -least
    steep = np.maximum.accumulate(np.where(rising | falling, places, -1), axis=1)
    before = np.pad(steep[:, :-1], ((0, 0), (1, 0)), constant_values=-1)
    risen = (before >= 0) & np.take_along_axis(rising, np.maximum(before, 0), axis=1)
    tops = np.maximum(smooth, np.take_along_axis(smooth, np.maximum(before, 0), axis=1))
    high = tops >= smooth.min(axis=1, keepdims=True) + options.least_rise * _heights(smooth)
    turns = falling & risen & high
    falls = centres.size - 1 - turns[:, ::-1].argmax(axis=1)[:, None]
    between = (places >= np.take_along_axis(before, falls, axis=1)) & (places <= falls)
    return np.asarray(np.where(turns.any(axis=1), np.where(between, smooth, -np.inf).argmax(axis=1), -1))


def _peaks_anywhere(
    centres: NDArray[np.float64], values: NDArray[np.float64], options: PeakOptions
) -> NDArray[np.int64]:
    """Return the index of each row's peak by the rules of DualCellQuant, in which every row has one."""
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
    centres: NDArray[np.float64],
    profiles: NDArray[np.float64],
    peaks: NDArray[np.int64],
    options: PeakOptions,
    *,
    errors: NDArray[np.float64] | None = None,
) -> PeakQuality:
    """Return what speaks for the peaks of profiles, and which pass all of the limits.

    The prominence of a peak is how far one has to come down from it on the way to anything higher, or to the end of
    the profile, on the side where that is less: its height over the higher of its two feet, the lowest points on
    either side. It and the fall after the peak are those of the profile in which the peak was found (smoothed for
    first_local_top); all else is judged on the profile as it is. The error of the prominence is √(e₁² + e₂²), of the
    errors of the profile at the peak and at that foot.

    Parameters
    ----------
    centres, profiles
        As in `find_peaks`.
    peaks
        What it returned.
    errors
        Standard errors of the points of the profiles.

    Raises
    ------
    ParameterError
        If the prominence is asked for without errors, or the place without a number.
    """
    limit = _limit(options)
    if errors is None and options.least_prominence > 0:
        raise ParameterError("A prominence is judged by the profile's standard errors; give them, or ask for 0.")
    errors = np.full(profiles.shape, np.nan) if errors is None else errors
    count = len(profiles)
    ranges, noises, heights, unsure = (np.full(count, np.nan) for _ in range(4))
    runs = np.zeros(count, np.int64)
    for rows, points in _alike(profiles):
        if points.size >= _FEWEST:
            values, of_values = profiles[np.ix_(rows, points)], errors[np.ix_(rows, points)]
            height = np.ptp(values, axis=1)
            ranges[rows], noises[rows] = _share(height, values.max(axis=1)), _share(_noise(values), height)
            at, looked = np.searchsorted(points, peaks[rows]), _looked_at(values, options)
            runs[rows] = _falling_run(centres[points], values, looked, at, options)
            heights[rows], unsure[rows] = _prominence(looked, of_values, at)
    there = peaks >= 0
    heights[~there] = unsure[~there] = np.nan
    steady = (ranges >= options.least_range) & (noises <= options.most_noise) & (runs >= options.least_run)
    near = there & (np.append(centres, np.inf)[peaks] <= limit)
    asked = options.least_prominence > 0
    clear = (heights >= options.least_prominence * unsure) | (not asked)
    judged = there & np.isfinite(ranges) & np.isfinite(noises) & (np.isfinite(unsure) | (not asked))
    return PeakQuality(ranges, noises, runs, heights, unsure, steady & near & clear, judged)


def _limit(options: PeakOptions) -> float:
    if options.highest == "auto":
        raise ParameterError("Where a peak may lie depends on the unit of the profile; give `highest` as a number.")
    return np.inf if options.highest == "anywhere" else options.highest


def _looked_at(values: NDArray[np.float64], options: PeakOptions) -> NDArray[np.float64]:
    """Return the profiles in which peaks are looked for."""
    if options.algorithm == "global_max":
        return values
    return smooth_profiles(values, options.window, options.order)


def _falling_run(
    centres: NDArray[np.float64],
    values: NDArray[np.float64],
    looked: NDArray[np.float64],
    peaks: NDArray[np.int64],
    options: PeakOptions,
) -> NDArray[np.int64]:
    """Return how many steps of each row fall from the peak on before one rises.

    DualCellQuant counts points where the profile as it is has a falling slope, by central differences, without a break.
    """
    if options.rules == "dualcellquant":
        slopes, least = _slopes(centres, values, options.slope)
        return _run(slopes <= -least, peaks)
    slopes, least = np.diff(looked, axis=1) / np.diff(centres), _slopes(centres, looked, options.slope)[1]
    places = np.arange(centres.size - 1)
    after = _run((slopes < least) | (slopes <= 0), peaks)
    counted = (places >= peaks[:, None]) & (places < (peaks + after)[:, None])
    return np.asarray((counted & (slopes <= -least) & (slopes < 0)).sum(axis=1))


def _prominence(
    values: NDArray[np.float64], errors: NDArray[np.float64], peaks: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the height of each row's peak over the higher of its two feet, and the standard error of that."""
    places, at = np.arange(values.shape[1]), peaks[:, None]
    top, error = np.take_along_axis(values, at, axis=1), np.take_along_axis(errors, at, axis=1)
    higher = values > top
    start = np.where(higher & (places < at), places, -1).max(axis=1, keepdims=True)
    stop = np.where(higher & (places > at), places, values.shape[1]).min(axis=1, keepdims=True)
    inner = np.where((places > start) & (places <= at), values, np.inf).argmin(axis=1)[:, None]
    outer = np.where((places >= at) & (places < stop), values, np.inf).argmin(axis=1)[:, None]
    feet = np.concatenate([inner, outer], axis=1)
    which = np.take_along_axis(values, feet, axis=1).argmax(axis=1)[:, None]
    foot = np.take_along_axis(feet, which, axis=1)
    height = top - np.take_along_axis(values, foot, axis=1)
    return height[:, 0], np.hypot(error, np.take_along_axis(errors, foot, axis=1))[:, 0]


def _noise(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the median absolute deviation of the steps from point to point in each row."""
    steps = np.diff(values, axis=1)
    return np.asarray(np.median(np.abs(steps - np.median(steps, axis=1, keepdims=True)), axis=1))


def _share(above: NDArray[np.float64], below: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return above / below, NaN where that is not above 0."""
    out = np.full(above.shape, np.nan)
    np.divide(above, below, out=out, where=below > 0)
    return out


def _run(flags: NDArray[np.bool_], start: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return how many flags of each row are set from its start on without a break."""
    length = flags.shape[1]
    broken = ~flags & (np.arange(length) >= start[:, None])
    ends = np.where(broken.any(axis=1), broken.argmax(axis=1), length)
    return np.asarray(ends - start)
