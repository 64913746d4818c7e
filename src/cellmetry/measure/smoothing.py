"""Smoothing of profiles by local polynomials."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.signal import savgol_filter

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["check_smoothing", "smooth_profiles"]

_SMALLEST = 3


def check_smoothing(window: int, order: int) -> None:
    """Raise a ValueError if smoothing by this window and order would not do what is asked for.

    A window of 0 is no smoothing. Others are odd, and of at least two points more than the order: a polynomial of
    order n goes through n + 1 points as they are.
    """
    if window and (window < _SMALLEST or window % 2 == 0):
        raise ValueError(f"smoothing takes an odd number of windows together, 3 or more, or 0 for none, not {window}")
    if window and order > window - 2:
        raise ValueError(
            f"smoothing {window} windows by order {order} changes nothing; the order is at most {window - 2} there"
        )


def smooth_profiles(profiles: NDArray[np.float64], window: int, order: int) -> NDArray[np.float64]:
    """Return profiles smoothed along their last axis by the filter of Savitzky & Golay (1964).

    Gaps (NaN) are filled by linear interpolation, at the ends by the nearest value; a profile of fewer than two
    finite points stays as it is. At the ends the polynomial of the last whole window is taken.

    Parameters
    ----------
    window
        Points of the window; an even one is made smaller by 1, one longer than the profile is cut to it; below 3
        nothing is smoothed.
    order
        Of the polynomial; at most the window less 1.
    """
    length = profiles.shape[-1]
    width = min(window, length)
    width -= 1 - width % 2
    if width < _SMALLEST:
        return profiles
    flat = profiles.reshape(-1, length)
    usable = np.isfinite(flat).sum(axis=1) > 1
    out = flat.copy()
    if usable.any():
        filled = np.stack([_fill_gaps(row) for row in flat[usable]])
        out[usable] = savgol_filter(filled, width, min(order, width - 1), mode="interp")
    return out.reshape(profiles.shape)


def _fill_gaps(row: NDArray[np.float64]) -> NDArray[np.float64]:
    known = np.isfinite(row)
    places = np.arange(row.size)
    return row if known.all() else np.interp(places, places[known], row[known])
