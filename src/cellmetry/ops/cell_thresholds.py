"""Thresholds of every cell by itself, of all cells at once, and of a whole plane by the same methods."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from numba import njit

from cellmetry.ops.pixel_groups import group_pixels
from cellmetry.ops.threshold import METHODS

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["CellThresholds", "ThresholdMethod", "cell_thresholds", "pixels_reaching", "plane_threshold"]

ThresholdMethod = Literal["percentile", "otsu", "triangle", "li", "mean_sd"]
"""How a threshold is found; the methods of Otsu (1979), Zack, Rogers & Latt (1977) and Li & Lee (1993) by
scikit-image."""


class CellThresholds(NamedTuple):
    """Ids in rising order with the threshold of each; NaN where a cell has no valid pixel."""

    ids: NDArray[np.uint32]
    thresholds: NDArray[np.float64]


def plane_threshold(values: NDArray[Any], method: ThresholdMethod, parameter: float = 0.0) -> float:
    """Return the threshold of some values; NaN if there are none.

    Where all values are equal, every method gives that value.

    Parameters
    ----------
    values
        Finite, one axis.
    method
        ``percentile``: with linear interpolation; ``mean_sd``: mean + k standard deviations (divided by n);
        ``otsu`` (256 bins between the extremes), ``triangle``, ``li``: as scikit-image finds them.
    parameter
        The percentile (0–100) or k; the other methods have none and do not look at it.
    """
    if not values.size:
        return float("nan")
    if values.min() == values.max():
        return float(values[0])
    if method == "percentile":
        return float(np.percentile(values, parameter))
    if method == "mean_sd":
        return float(values.mean(dtype=np.float64) + parameter * values.std(dtype=np.float64))
    return float(METHODS[method](values))


def cell_thresholds(
    values: NDArray[Any],
    regions: NDArray[np.uint32],
    valid: NDArray[np.bool_],
    method: ThresholdMethod,
    parameter: float = 0.0,
) -> CellThresholds:
    """Return the threshold of each region, found from its valid and finite pixels alone; see `plane_threshold`.

    Parameters
    ----------
    values, regions, valid
        Of one shape. `regions` holds ids, 0 where there is none.
    """
    groups = group_pixels(values, regions, valid)
    found = [plane_threshold(group, method, parameter) for group in groups.each()]
    return CellThresholds(groups.ids, np.array(found, np.float64))


@njit(cache=True, nogil=True)
def _reaching(values: Any, regions: Any, valid: Any, ids: Any, thresholds: Any) -> Any:
    out = np.zeros(values.size, np.uint32)
    last, k = regions.dtype.type(0), 0
    for i in range(values.size):
        label = regions[i]
        if label == 0 or not valid[i]:
            continue
        if label != last:
            last, k = label, np.searchsorted(ids, label)
        if values[i] >= thresholds[k]:
            out[i] = label
    return out


def pixels_reaching(
    values: NDArray[Any], regions: NDArray[np.uint32], valid: NDArray[np.bool_], limits: CellThresholds
) -> NDArray[np.uint32]:
    """Return the regions without the pixels that are not valid or lie below their region's threshold.

    `limits` names every id of `regions`, as `cell_thresholds` of the same regions does.
    """
    flat = (np.ascontiguousarray(values).ravel(), np.ascontiguousarray(regions).ravel(), np.ravel(valid))
    out: NDArray[np.uint32] = _reaching(*flat, limits.ids, limits.thresholds)
    return out.reshape(regions.shape)
