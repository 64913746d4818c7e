"""Thresholds: one for a whole plane, and one for each object's own edge."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from skimage.filters import threshold_li, threshold_otsu, threshold_triangle

from cellmetry.ops.spread import SD_OF_MAD

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "METHODS",
    "Method",
    "background_level",
    "global_threshold",
    "object_brightness",
    "own_edges",
    "weighted_median",
]

Method = Callable[["NDArray[np.float32]"], float]

METHODS: dict[str, Method] = {
    "li": threshold_li,
    "otsu": threshold_otsu,
    "triangle": threshold_triangle,
}
"""Otsu (1979), Li & Lee (1993) and Zack, Rogers & Latt (1977), by scikit-image."""


def background_level(values: NDArray[np.float32]) -> tuple[float, float]:
    """Return the level and the standard deviation of the background, the most frequent values.

    The level is the half-sample mode (Robertson & Cryer 1974); the deviation comes from the values below it
    alone, which objects brighter than the background do not reach.
    """
    ordered = np.sort(values)
    start, stop = 0, ordered.size
    while stop - start > 3:
        half = (stop - start + 1) // 2
        widths = ordered[start + half - 1 : stop] - ordered[start : stop - half + 1]
        start += int(np.argmin(widths))
        stop = start + half
    level = float(ordered[start:stop].mean())
    below = ordered[: np.searchsorted(ordered, level)]
    if not below.size:
        return level, 0.0
    return level, float((level - np.median(below)) * SD_OF_MAD)


def global_threshold(
    values: NDArray[np.float32], method: Method, *, least_contrast: float, quantum: float = 0.0
) -> float:
    """Return the threshold of `values`; infinity where all are equal, so that nothing lies above it.

    The method works on the inverse hyperbolic sine of the values in units of the background's deviation, so
    that few very bright objects do not hide the others. The result is never nearer to the background than
    `least_contrast` of its deviations: an empty field stays empty.

    Parameters
    ----------
    quantum
        Step between stored values; the deviation counts as half of it at least.
    """
    if values.size == 0 or values.min() == values.max():
        return float("inf")
    level, deviation = background_level(values)
    deviation = max(deviation, quantum / 2)
    unit = max(deviation, 1e-6 * float(values.max() - values.min()))
    found = level + unit * float(np.sinh(method(np.arcsinh((values - level) / unit))))
    return max(found, level + least_contrast * deviation)


def object_brightness(labels: NDArray[np.int32], brightness: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the brightness of each id (index): the mean of its pixels above half of its maximum.

    Single hot pixels and blurred edges hardly move it. 0 for the background and ids without pixels.
    """
    count = int(labels.max(initial=0)) + 1
    top = np.zeros(count, np.float32)
    np.maximum.at(top, labels.ravel(), brightness.ravel())
    upper = brightness > 0.5 * top[labels]
    ids = labels[upper]
    total = np.bincount(ids, brightness[upper], minlength=count)
    out = total / np.maximum(np.bincount(ids, minlength=count), 1)
    out[0] = 0
    return np.asarray(out)


def own_edges(labels: NDArray[np.int32], brightness: NDArray[np.float32], share: float) -> NDArray[np.int32]:
    """Return labels cut where an object falls below `share` of its own brightness."""
    reference = object_brightness(labels, brightness)
    return np.where(brightness >= share * reference[labels], labels, 0).astype(np.int32)


def weighted_median(values: NDArray[Any], weights: NDArray[Any]) -> float:
    """Return the value at which half of the weight is reached."""
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(weights[order])
    return float(values[order[np.searchsorted(reached, reached[-1] / 2)]])
