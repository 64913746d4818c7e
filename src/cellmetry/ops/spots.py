"""Spots: a filter that answers to them with their height, how round they are, and which of several near ones stays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numba import njit
from scipy import ndimage as ndi
from scipy.spatial import cKDTree

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["SpotMethod", "filter_margin", "filter_spots", "local_maxima", "shift_to_top", "spot_roundness", "thin_out"]

SpotMethod = Literal["log", "dog"]

_TRUNCATE = 4.0
_DOG_RATIO = 1.6


def filter_spots(pixels: NDArray[Any], sigmas: Sequence[float], method: SpotMethod = "log") -> NDArray[np.float64]:
    """Return the filtered plane: a Gaussian spot of these `sigmas` answers with its height, a flat area with 0.

    ``log`` is the scale-normalised negative Laplacian of a Gaussian (Lindeberg 1998, doi:10.1023/A:1008045108935),
    ``dog`` the difference of two Gaussians whose sigmas are in the ratio 1.6 (Marr & Hildreth 1980,
    doi:10.1098/rspb.1980.0020) and have the geometric mean `sigmas`.
    """
    values = pixels.astype(np.float64)
    if method == "log":
        return -2 * (_smooth(values, sigmas, 0, 0) + _smooth(values, sigmas, 1, 1))
    root = np.sqrt(_DOG_RATIO)
    narrow, wide = (_smooth(values, [sigma * factor for sigma in sigmas]) for factor in (1 / root, root))
    return (narrow - wide) * (_DOG_RATIO + 1) / (_DOG_RATIO - 1)


def _smooth(values: NDArray[np.float64], sigmas: Sequence[float], *derived: int) -> NDArray[np.float64]:
    """Return the smoothed plane, or its derivative along the axes `derived`, times the sigma of each of them."""
    for axis, sigma in enumerate(sigmas):
        order = derived.count(axis)
        values = ndi.correlate1d(values, _kernel(sigma, order) * sigma**order, axis=axis)
    return values


def _kernel(sigma: float, order: int) -> NDArray[np.float64]:
    """Return scipy's Gaussian kernel or its derivative; the second one such that a flat area answers with exactly 0."""
    reach = int(np.ceil(_TRUNCATE * sigma)) + 1
    point = np.zeros(2 * reach + 1)
    point[reach] = 1
    kernel: NDArray[np.float64] = ndi.gaussian_filter1d(point, sigma, order=order, truncate=_TRUNCATE)
    return kernel - kernel.sum() * _kernel(sigma, 0) if order == 2 else kernel


def filter_margin(sigmas: Sequence[float]) -> int:
    """Return how many pixels around a part of a plane are needed so that its filtered pixels are those of the whole."""
    return int(np.ceil(_TRUNCATE * max(sigmas) * np.sqrt(_DOG_RATIO))) + 2


def spot_roundness(pixels: NDArray[Any], sigmas: Sequence[float]) -> NDArray[np.float64]:
    """Return twice the weaker curvature of the smoothed plane over the sum of both: 1 where round, 0 on a line or edge.

    Without such a limit the bright side of every edge is taken for spots (Lowe 2004,
    doi:10.1023/B:VISI.0000029664.99615.94, section 4.1). NaN where the plane does not curve downwards.
    """
    values = pixels.astype(np.float64)
    yy, xx, yx = (_smooth(values, sigmas, *axes) for axes in ((0, 0), (1, 1), (0, 1)))
    half = (yy + xx) / 2
    weaker = half + np.hypot((yy - xx) / 2, yx)
    out = np.full(values.shape, np.nan)
    np.divide(weaker, half, out=out, where=half < 0)
    return out


def local_maxima(response: NDArray[np.float64], allowed: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the rows and columns of the allowed pixels that none of their eight neighbours exceeds, shape (n, 2)."""
    safe = np.where(np.isfinite(response), response, -np.inf)
    return np.argwhere(allowed & (safe == ndi.maximum_filter(safe, size=3, mode="nearest")))


def shift_to_top(response: NDArray[np.float64], places: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return how far the top of the parabola through three pixels along each axis lies from the middle one, in pixels.

    At most half a pixel; 0 beside the border of the plane.
    """
    out = np.zeros(places.shape)
    top = response[tuple(places.T)]
    for axis in range(2):
        inside = (places[:, axis] > 0) & (places[:, axis] < response.shape[axis] - 1)
        step = np.where(inside, 1, 0)[:, None] * np.eye(2, dtype=np.int64)[axis]
        before, after = response[tuple((places - step).T)], response[tuple((places + step).T)]
        bend = before - 2 * top + after
        np.divide(before - after, 2 * bend, out=out[:, axis], where=bend < 0)
    return np.clip(out, -0.5, 0.5)


@njit(cache=True, nogil=True)
def _suppress(better: Any, worse: Any, count: int) -> Any:
    kept = np.ones(count, np.bool_)
    for i in range(better.size):
        if kept[better[i]]:
            kept[worse[i]] = False
    return kept


def thin_out(places: NDArray[np.float64], heights: NDArray[np.float64], distance: float) -> NDArray[np.int64]:
    """Return the indices, ascending, of the places that stay when a higher one removes all nearer than `distance`.

    The highest is taken first; of equal ones the upper, then the left one.
    """
    order = np.lexsort((places[:, 1], places[:, 0], -heights))
    pairs = cKDTree(places[order]).query_pairs(distance, output_type="ndarray")
    pairs = pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]
    return np.sort(order[_suppress(pairs[:, 0], pairs[:, 1], len(order))])
