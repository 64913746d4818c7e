"""Thresholds that tell signal from background in two channels: Otsu's, Costes' and one above the background."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numba import njit

from cellmetry.ops.spread import SD_OF_MAD

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["background_threshold", "costes_thresholds", "otsu_threshold"]

_ROUNDING = 1e-12


@njit(cache=True, nogil=True)
def otsu_threshold(values: Any) -> Any:
    """Return the value above which the upper class lies, by Otsu (1979), looking at every cut and not at bins.

    NaN where all values are equal. For whole numbers it is scikit-image's `threshold_otsu`.
    """
    ordered = np.sort(values)
    found = np.nan
    if ordered.size == 0 or ordered[0] == ordered[-1]:
        return found
    centre = ordered.astype(np.float64).mean()
    below, best = 0.0, -1.0
    for i in range(ordered.size - 1):
        below += ordered[i] - centre
        if ordered[i + 1] == ordered[i]:
            continue
        apart = below * below / (float(i + 1) * (ordered.size - i - 1))
        if apart > best:
            best, found = apart, np.float64(ordered[i])
    return found


@njit(cache=True, nogil=True)
def costes_thresholds(first: Any, second: Any) -> Any:
    """Return the thresholds of both channels by Costes et al. (2004), doi:10.1529/biophysj.103.038422.

    Both lie on the orthogonal regression line of the pixels, as high as possible such that the pixels that are not
    above both have a correlation of 0 or less. All pixels are looked at in the order in which a falling threshold
    reaches them, so the answer is exact and does not depend on a step. NaN where the correlation of all pixels is not
    above 0, or there are fewer than 3.
    """
    x, y = first.astype(np.float64), second.astype(np.float64)
    if x.size < 3:
        return np.nan, np.nan
    x_mean, y_mean = x.mean(), y.mean()
    x_dev, y_dev = x - x_mean, y - y_mean
    xx, yy, xy = (x_dev * x_dev).sum(), (y_dev * y_dev).sum(), (x_dev * y_dev).sum()
    limit = _ROUNDING * np.sqrt(xx * yy)
    if xy <= limit:
        return np.nan, np.nan
    slope = (yy - xx + np.sqrt((yy - xx) ** 2 + 4 * xy * xy)) / (2 * xy)
    level = np.minimum(x_dev, y_dev / slope)
    order = np.argsort(level, kind="mergesort")
    at = order[0]
    sx = sy = sxy = 0.0
    for i in range(order.size):
        j = order[i]
        sx, sy, sxy = sx + x_dev[j], sy + y_dev[j], sxy + x_dev[j] * y_dev[j]
        last = i + 1 == order.size or level[order[i + 1]] > level[j]
        if last and sxy - sx * sy / (i + 1) <= limit:
            at = j
    if x_dev[at] == level[at]:
        return x[at], y_mean + slope * level[at]
    return x_mean + level[at], y[at]


def background_threshold(values: NDArray[Any], deviations: float) -> float:
    """Return the median of the background's pixels plus `deviations` of their robust SD (1.4826 MAD); NaN of none."""
    if not values.size:
        return float("nan")
    middle = float(np.median(values))
    spread = SD_OF_MAD * float(np.median(np.abs(values.astype(np.float64) - middle)))
    return middle + deviations * spread
