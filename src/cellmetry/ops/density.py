"""Density maps from labels or points: per cell a Gaussian that sums to 1 inside the image, so a map sums to the count.

The width follows the cell: variance = 0.1 · area, and the part that would lie outside the image is put back inside
(Lempitsky and Zisserman, *Learning to count objects in images*, NIPS 2010, with widths that follow the area).
"""

from __future__ import annotations

from functools import lru_cache
from math import erf, sqrt
from typing import TYPE_CHECKING, Any

import fastremap
import numpy as np
from numba import njit
from scipy import sparse

from cellmetry.errors import LabelsError, ParameterError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from cellmetry.core.image import Box

__all__ = ["density_from_labels", "density_from_points", "point_mass_in_blocks", "spread_density"]

_REACH = 4.0
"""Standard deviations beyond which a Gaussian is left out (0.03 % of it), before it is made to sum to 1."""


def density_from_labels(labels: NDArray[Any], *, variance_per_area: float = 0.1) -> NDArray[np.float32]:
    """Return the density of cells, shape (Y, X), cells per pixel: it sums to the number of ids in `labels`.

    Each id, touching the image's edge or not, is a Gaussian round its centroid with a variance (px²) of
    `variance_per_area` times its area, cut off at 4 standard deviations and at the image's edges, and then made to
    sum to 1.

    Raises
    ------
    LabelsError
        If `labels` is not a plane of whole numbers.
    """
    if labels.ndim != 2 or labels.dtype.kind not in "uib":
        raise LabelsError(f"A density needs labels of one plane in whole numbers, not {labels.dtype} {labels.shape}.")
    if variance_per_area <= 0:
        raise ParameterError(f"The variance of a cell must be above 0 times its area, not {variance_per_area:g}.")
    positive = labels.astype(np.uint8) if labels.dtype.kind == "b" else np.where(labels > 0, labels, 0)
    numbered, _ = fastremap.renumber(np.ascontiguousarray(positive), preserve_zero=True)
    y, x = np.nonzero(numbered)
    ids = numbered[y, x].astype(np.int64) - 1
    area = np.bincount(ids)
    centres = np.stack([np.bincount(ids, weights=y), np.bincount(ids, weights=x)], axis=1) / area[:, None]
    return _density(centres, np.sqrt(variance_per_area * area), labels.shape)


def density_from_points(points_yx: ArrayLike, shape: tuple[int, int], *, sigma_px: ArrayLike) -> NDArray[np.float32]:
    """Return the density of points, shape `shape`, points per pixel: it sums to the number of points.

    Parameters
    ----------
    points_yx
        Rows and columns in pixels, shape (n, 2); 0, 0 is the middle of the first pixel.
    shape
        Height and width.
    sigma_px
        Standard deviation of the Gaussian, one for all or one for each point; cut off at 4 of it and at the image's
        edges, the rest made to sum to 1.

    Raises
    ------
    ParameterError
        If a point lies outside the image or a width is not above 0.
    """
    points = np.asarray(points_yx, np.float64).reshape(-1, 2)
    outside = ~((points >= -0.5) & (points <= np.asarray(shape) - 0.5)).all(axis=1)
    if outside.any():
        y, x = points[outside][0]
        raise ParameterError(f"The point y {y:g}, x {x:g} lies outside the image of {shape[0]} × {shape[1]} pixels.")
    sigmas = np.broadcast_to(np.asarray(sigma_px, np.float64), len(points))
    if not (sigmas > 0).all():
        raise ParameterError(f"The width sigma_px of a point must be above 0, not {sigmas.min():g}.")
    return _density(points, sigmas, shape)


def spread_density(
    density: NDArray[np.float32],
    start: tuple[int, int],
    box: Box,
    shapes: tuple[tuple[int, int], tuple[int, int]],
    scale: float,
) -> NDArray[np.float32]:
    """Return the density of the pixels in `box` of a plane, from one at another scale, so that the sum stays.

    What lies in a pixel of the source is shared out to the pixels that it covers, by area; all of it, whatever the
    boxes are.

    Parameters
    ----------
    density
        A part of the source that reaches at least a pixel beyond `box`, where the source goes on.
    start
        Row and column of the first of its pixels in the source.
    shapes
        Height and width of the whole plane, and of the whole source.
    scale
        Pixels of the source per pixel of the plane.
    """
    sides = []
    for axis, (first, last) in enumerate(((box.y0, box.y1), (box.x0, box.x1))):
        weights = _shares(first, last, (shapes[0][axis], shapes[1][axis]), scale)
        sides.append(weights[:, start[axis] : start[axis] + density.shape[axis]])
    return np.asarray((sides[1] @ (sides[0] @ density).T).T, dtype=np.float32)


@lru_cache(maxsize=32)
def _shares(start: int, stop: int, sizes: tuple[int, int], scale: float) -> sparse.csr_array:
    """Return which share of each source pixel (column) falls to the pixels `start` to `stop` (rows) of a line.

    The last source pixel is taken to end where the line does, so that none of it is lost.
    """
    size, source = sizes
    edges = np.minimum(np.arange(source + 1) / scale, size)
    edges[-1] = size
    low, high = edges[:-1], edges[1:]
    width = int(np.ceil(np.max(high - low))) + 1
    pixel = np.floor(low).astype(np.int64)[:, None] + np.arange(width)
    overlap = np.minimum(high[:, None], pixel + 1) - np.maximum(low[:, None], pixel)
    share = np.clip(overlap, 0, None) / (high - low)[:, None]
    keep = (share > 0) & (pixel >= start) & (pixel < stop)
    column = np.broadcast_to(np.arange(source)[:, None], pixel.shape)[keep]
    values = (share[keep], (pixel[keep] - start, column))
    return sparse.coo_array(values, shape=(stop - start, source)).tocsr()


def point_mass_in_blocks(
    centres: NDArray[np.float64], sigmas: NDArray[np.float64], shape: tuple[int, int], side: int
) -> NDArray[np.float64]:
    """Return how much of the Gaussians round `centres` lies in each block of `side` × `side` pixels of a plane.

    Each is counted 1 inside the plane. The integral is exact and needs no map of the plane.
    """
    blocks = np.zeros((-(-shape[0] // side), -(-shape[1] // side)))
    _add_to_blocks(blocks, (np.ascontiguousarray(centres), np.ascontiguousarray(sigmas)), shape, side)
    return blocks


def _density(centres: Any, sigmas: Any, shape: tuple[int, ...]) -> NDArray[np.float32]:
    out = np.zeros(shape, np.float64)
    _add_gaussians(out, np.ascontiguousarray(centres), np.ascontiguousarray(sigmas), _REACH)
    return out.astype(np.float32)


@njit(cache=True, nogil=True)
def _window(centre: float, sigma: float, size: int, reach: float) -> Any:
    """Return the first pixel of a Gaussian's line inside the image, and its values, which sum to 1."""
    far = max(reach * sigma, 1.0)
    start, stop = max(0, int(np.ceil(centre - far))), min(size, int(np.floor(centre + far)) + 1)
    line = np.exp(-0.5 * ((np.arange(start, stop) - centre) / sigma) ** 2)
    if line.sum() == 0:
        line[:] = 1.0
    return start, line / line.sum()


@njit(cache=True, nogil=True)
def _add_gaussians(out: Any, centres: Any, sigmas: Any, reach: float) -> None:
    """Add to `out` for each centre a Gaussian that sums to 1 (the product of two lines, each summing to 1)."""
    for cell in range(len(sigmas)):
        y0, down = _window(centres[cell, 0], sigmas[cell], out.shape[0], reach)
        x0, across = _window(centres[cell, 1], sigmas[cell], out.shape[1], reach)
        for row in range(len(down)):
            for column in range(len(across)):
                out[y0 + row, x0 + column] += down[row] * across[column]


@njit(cache=True, nogil=True)
def _mass_along(centre: float, sigma: float, size: int, side: int) -> Any:
    """Return the first block that a Gaussian's line reaches, and its share in each block from there, of sum 1."""
    reach = _REACH * max(sigma, 0.25)
    first = max(0, int((centre + 0.5 - reach) // side))
    last = min((size - 1) // side, int((centre + 0.5 + reach) // side))
    edges = np.empty(last - first + 2)
    for place in range(len(edges)):
        edge = min((first + place) * side, size) - 0.5
        edges[place] = erf((edge - centre) / (sigma * sqrt(2.0)))
    mass = edges[1:] - edges[:-1]
    return first, mass / mass.sum()


@njit(cache=True, nogil=True)
def _add_to_blocks(blocks: Any, points: Any, shape: Any, side: int) -> None:
    centres, sigmas = points
    for point in range(len(sigmas)):
        y0, down = _mass_along(centres[point, 0], sigmas[point], shape[0], side)
        x0, across = _mass_along(centres[point, 1], sigmas[point], shape[1], side)
        for row in range(len(down)):
            for column in range(len(across)):
                blocks[y0 + row, x0 + column] += down[row] * across[column]
