"""Percentiles of a whole plane, exact, from a plane that is only ever read in bands."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Bands", "percentiles_of"]

Bands = Callable[[], "Iterable[NDArray[Any]]"]
"""Returns the pixels in bands, from the first on each time that it is called."""

_BINS = 1 << 16


def percentiles_of(bands: Bands, percents: Sequence[float]) -> NDArray[np.float64]:
    """Return percentiles of all finite values, as numpy.percentile has them; NaN if there is no finite value.

    Values are taken as float32, whose bits are in the order of the numbers once those of negative ones are turned
    round. A histogram of the upper 16 bits tells in which bins the wanted ranks lie, one of the lower 16 bits in
    each of these bins tells the values: two runs over the bands, and never more than one band in memory.
    """
    coarse = np.zeros(_BINS, np.int64)
    for band in bands():
        coarse += np.bincount(_keys(band) >> 16, minlength=_BINS)
    total = int(coarse.sum())
    if total == 0:
        return np.full(len(percents), np.nan)
    position = np.asarray(percents, np.float64) / 100 * (total - 1)
    low = np.floor(position).astype(np.int64)
    ranks = np.unique([low, np.minimum(low + 1, total - 1)])
    values = _values_at(bands, coarse, ranks)
    below = values[np.searchsorted(ranks, low)]
    above = values[np.searchsorted(ranks, np.minimum(low + 1, total - 1))]
    return below + (position - low) * (above - below)


def _values_at(bands: Bands, coarse: NDArray[np.int64], ranks: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the values that stand at `ranks` in the sorted order, from 0."""
    ends = np.cumsum(coarse)
    bins = np.searchsorted(ends, ranks, side="right")
    wanted, place = np.unique(bins, return_inverse=True)
    fine = np.zeros((wanted.size, _BINS), np.int64)
    for band in bands():
        keys = _keys(band)
        for row, upper in enumerate(wanted):
            fine[row] += np.bincount(keys[keys >> 16 == upper] & (_BINS - 1), minlength=_BINS)
    left = ranks - (ends[bins] - coarse[bins])
    lower = [int(np.searchsorted(np.cumsum(fine[row]), k, side="right")) for row, k in zip(place, left, strict=True)]
    return _numbers((bins << 16) + np.asarray(lower))


def _keys(band: NDArray[Any]) -> NDArray[np.uint32]:
    """Return the finite values as unsigned numbers in the same order."""
    values = np.asarray(band, np.float32).ravel()
    if np.asarray(band).dtype.kind == "f":
        values = values[np.isfinite(values)]
    bits = values.view(np.uint32)
    return np.where(bits >> 31, ~bits, bits | np.uint32(1 << 31))


def _numbers(keys: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the values that keys stand for."""
    unsigned = keys.astype(np.uint32)
    bits = np.where(unsigned >> 31, unsigned & np.uint32((1 << 31) - 1), ~unsigned)
    return bits.view(np.float32).astype(np.float64)
