"""Profiles: mean and spread of pixels in windows along a coordinate (depth in the cell, say), for all cells at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numba import njit

from cellmetry.errors import ParameterError
from cellmetry.ops.pixel_groups import ids_in
from cellmetry.ops.quotient import quotient

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["Profiles", "Windows", "accumulate_profiles", "merge_profiles", "pool_profiles", "sliding_windows"]

_SLACK = 1e-9  # of a window or step, so that 3 × 0.1 reaches 0.3


class Windows(NamedTuple):
    """Stretches of a coordinate, which may overlap; neither starts nor ends may fall from one to the next.

    Parameters
    ----------
    starts, ends
        In the coordinate's unit. A pixel exactly at the start belongs to the window.
    closed
        Whether a pixel exactly at the end belongs to it, too.
    """

    starts: NDArray[np.float64]
    ends: NDArray[np.float64]
    closed: bool = True

    @property
    def centres(self) -> NDArray[np.float64]:
        """The middle of each window."""
        return np.asarray((self.starts + self.ends) / 2)


@dataclass(frozen=True)
class Profiles:
    """What lies in each window of each owner; axes (owner, window), and (channel, owner, window) for values.

    Parameters
    ----------
    ids
        The owners, in rising order.
    pixels
        Pixels in the window.
    counts
        Those of them whose value is finite.
    means
        Mean of the finite values; NaN if there is none.
    squares
        Sum of their squared deviations from the mean.
    """

    ids: NDArray[np.uint32]
    pixels: NDArray[np.int64]
    counts: NDArray[np.int64]
    means: NDArray[np.float64]
    squares: NDArray[np.float64]

    @property
    def std(self) -> NDArray[np.float64]:
        """Standard deviation, divided by n - 1; NaN for fewer than two values."""
        return np.sqrt(quotient(self.squares, self.counts - 1))

    @property
    def sem(self) -> NDArray[np.float64]:
        """Standard error of the mean, taking pixels as independent; NaN for fewer than two values."""
        return quotient(self.std, np.sqrt(self.counts))


def sliding_windows(first: float, last: float, size: float, step: float) -> Windows:
    """Return windows of `size` that begin at `first`, `first` + `step`, … and end at `last` at the latest.

    Raises
    ------
    ParameterError
        If none fits.
    """
    if not (size > 0 and step > 0 and last - first - size >= -_SLACK * size):
        raise ParameterError(
            f"No window of {size:g} with step {step:g} lies between {first:g} and {last:g}; "
            f"sizes and steps are above 0, and the first window must fit."
        )
    places = np.arange(int((last - first - size) / step + _SLACK) + 1, dtype=np.float64)
    starts: NDArray[np.float64] = first + step * places
    return Windows(starts, np.asarray(starts + size))


@njit(cache=True, nogil=True)
def _sums(place: Any, values: Any, ids: Any, windows: Any) -> Any:
    """Return per owner and window the pixels, those with a finite value, and the sum of these."""
    owner, position = place
    starts, ends, closed = windows
    shape = (ids.size, starts.size)
    pixels, counts, sums = np.zeros(shape, np.int64), np.zeros(shape, np.int64), np.zeros(shape, np.float64)
    last, k = owner.dtype.type(0), -1
    for i in range(owner.size):
        label = owner[i]
        if label == 0 or np.isnan(position[i]):
            continue
        if label != last:
            last, k = label, np.searchsorted(ids, label)
            k = k if k < ids.size and ids[k] == label else -1
        if k < 0:
            continue
        first = np.searchsorted(ends, position[i]) if closed else np.searchsorted(ends, position[i], side="right")
        for w in range(first, np.searchsorted(starts, position[i], side="right")):
            pixels[k, w] += 1
            if np.isfinite(values[i]):
                counts[k, w] += 1
                sums[k, w] += values[i]
    return pixels, counts, sums


@njit(cache=True, nogil=True)
def _squares(place: Any, values: Any, ids: Any, windows: Any, means: Any) -> Any:
    """Return per owner and window the sum of squared deviations from its mean."""
    owner, position = place
    starts, ends, closed = windows
    squares = np.zeros((ids.size, starts.size), np.float64)
    last, k = owner.dtype.type(0), -1
    for i in range(owner.size):
        label = owner[i]
        if label == 0 or np.isnan(position[i]) or not np.isfinite(values[i]):
            continue
        if label != last:
            last, k = label, np.searchsorted(ids, label)
            k = k if k < ids.size and ids[k] == label else -1
        if k < 0:
            continue
        first = np.searchsorted(ends, position[i]) if closed else np.searchsorted(ends, position[i], side="right")
        for w in range(first, np.searchsorted(starts, position[i], side="right")):
            squares[k, w] += (values[i] - means[k, w]) ** 2
    return squares


def accumulate_profiles(
    owner: NDArray[np.uint32],
    position: NDArray[Any],
    windows: Windows,
    channels: Sequence[NDArray[Any]],
    *,
    ids: NDArray[np.uint32] | None = None,
) -> Profiles:
    """Return the profile of every owner in every channel; each pixel adds to all windows that hold it.

    Sums are of float64, squares are taken about each window's own mean in a second pass.

    Parameters
    ----------
    owner
        The id to which each pixel counts; 0 for none.
    position
        The coordinate of each pixel, float32 or float64, of the same shape; NaN: in no window. It is compared with
        the windows' ends in its own type.
    channels
        Values of each pixel (a channel, a ratio, …); what is not finite is left out.
    ids
        The owners wanted, in rising order, where not all that occur.
    """
    if (np.diff(windows.starts) < 0).any() or (np.diff(windows.ends) < 0).any():
        raise ParameterError("Windows of a profile must come in order: neither starts nor ends may fall.")
    ids = ids_in(owner) if ids is None else ids
    place = np.ascontiguousarray(owner).ravel(), np.ascontiguousarray(position).ravel()
    bounds = windows.starts.astype(position.dtype), windows.ends.astype(position.dtype), bool(windows.closed)
    parts = [_channel(place, np.ascontiguousarray(values).ravel(), ids, bounds) for values in channels]
    pixels = parts[0][0]
    counts, means, squares = (np.stack([part[n] for part in parts]) for n in (1, 2, 3))
    return Profiles(ids, pixels, counts, means, squares)


def _channel(place: Any, values: NDArray[Any], ids: NDArray[np.uint32], bounds: Any) -> tuple[NDArray[Any], ...]:
    pixels, counts, sums = _sums(place, values, ids, bounds)
    means = quotient(sums, counts)
    return pixels, counts, means, _squares(place, values, ids, bounds, means)


def merge_profiles(first: Profiles, second: Profiles) -> Profiles:
    """Return the profile of the pixels of both together; the two have the same owners, windows and channels.

    By Chan, Golub & LeVeque (1983).
    """
    counts = first.counts + second.counts
    sums = np.nan_to_num(first.means) * first.counts + np.nan_to_num(second.means) * second.counts
    apart = np.nan_to_num(first.means) - np.nan_to_num(second.means)
    weight = quotient(first.counts * second.counts, counts)
    squares = first.squares + second.squares + np.nan_to_num(weight) * apart**2
    means = quotient(sums, counts)
    return Profiles(first.ids, first.pixels + second.pixels, counts, means, squares)


def pool_profiles(profiles: Profiles) -> Profiles:
    """Return one profile of the pixels of all owners together, under the id 0."""
    counts = profiles.counts.sum(axis=1, keepdims=True)
    sums = (np.nan_to_num(profiles.means) * profiles.counts).sum(axis=1, keepdims=True)
    means = quotient(sums, counts)
    apart = np.where(profiles.counts > 0, profiles.means - means, 0.0)
    squares = (profiles.squares + profiles.counts * apart**2).sum(axis=1, keepdims=True)
    return Profiles(np.zeros(1, np.uint32), profiles.pixels.sum(axis=0, keepdims=True), counts, means, squares)
