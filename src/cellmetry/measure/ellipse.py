"""Ellipses with the second moments of an object's pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cellmetry.measure.blocks import Block

__all__ = ["Spread", "axes_of", "imagej_axes", "spread_of"]


class Spread(NamedTuple):
    """Variances and covariance of the pixel centres of each object, in px² (or µm² after `scaled`)."""

    yy: NDArray[np.float64]
    xx: NDArray[np.float64]
    xy: NDArray[np.float64]

    def scaled(self, size_y: float, size_x: float) -> Spread:
        """Return the spread with the given pixel sizes."""
        return Spread(self.yy * size_y**2, self.xx * size_x**2, self.xy * size_y * size_x)


@njit(cache=True, nogil=True)
def _spread(runs: Any, corners: Any) -> Any:
    """Return per object the variances of y and x and their covariance.

    Sums are exact integers, taken about the pixel nearest to the centroid so that little cancels in the end.
    """
    start, _, y, x0, x1 = runs
    out = np.empty((start.size - 1, 3), np.float64)
    for k in range(start.size - 1):
        n, sum_y, sum_x = np.int64(0), np.int64(0), np.int64(0)
        for i in range(start[k], start[k + 1]):
            length = np.int64(x1[i]) - x0[i]
            n += length
            sum_y += length * (y[i] - corners[k, 1])
            sum_x += length * (x0[i] + x1[i] - 1 - 2 * corners[k, 2])
        middle_y, middle_x = corners[k, 1] + sum_y // n, corners[k, 2] + sum_x // (2 * n)
        sums = np.zeros(5, np.int64)
        for i in range(start[k], start[k + 1]):
            row, a, b = y[i] - middle_y, x0[i] - middle_x, x1[i] - middle_x
            along = (a + b - 1) * (b - a) // 2
            sums[0] += row * (b - a)
            sums[1] += along
            sums[2] += row * row * (b - a)
            sums[3] += ((b - 1) * b * (2 * b - 1) - (a - 1) * a * (2 * a - 1)) // 6
            sums[4] += row * along
        mean_y, mean_x = sums[0] / n, sums[1] / n
        out[k, 0] = sums[2] / n - mean_y * mean_y
        out[k, 1] = sums[3] / n - mean_x * mean_x
        out[k, 2] = sums[4] / n - mean_y * mean_x
    return out


def spread_of(block: Block) -> Spread:
    """Return variances and covariance of the pixel centres of each object of a plane."""
    return Spread(*_spread(block.runs, block.corners).T)


def _eigenvalues(spread: Spread) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the larger and the smaller variance along the axes of the ellipse."""
    large = (spread.yy + spread.xx) / 2 + np.hypot((spread.yy - spread.xx) / 2, spread.xy)
    determinant = np.maximum(spread.yy * spread.xx - spread.xy**2, 0)
    small = np.divide(determinant, large, out=np.zeros_like(large), where=large > 0)
    return large, small


class Axes(NamedTuple):
    """Full axes of an ellipse, and the direction of the major one from the Y axis towards X, in radians."""

    major: NDArray[np.float64]
    minor: NDArray[np.float64]
    orientation: NDArray[np.float64]


def axes_of(spread: Spread) -> Axes:
    """Return the ellipse with the same second moments, as scikit-image's `regionprops`."""
    large, small = _eigenvalues(spread)
    even = np.where(spread.xy > 0, np.pi / 4, -np.pi / 4)
    slope = np.arctan2(2 * spread.xy + 0.0, spread.yy - spread.xx) / 2
    return Axes(4 * np.sqrt(large), 4 * np.sqrt(small), np.where(spread.yy == spread.xx, even, slope))


def imagej_axes(spread: Spread, area: NDArray[np.float64], pixel: tuple[float, float]) -> Axes:
    """Return ImageJ's ellipse: the shape of the second moments of pixel squares, the object's own area.

    Each pixel counts as a square of sides `pixel` (y, x), which adds a twelfth to the variances.
    """
    squares = Spread(spread.yy + pixel[0] ** 2 / 12, spread.xx + pixel[1] ** 2 / 12, spread.xy)
    large, small = _eigenvalues(squares)
    ratio = np.sqrt(large / small)
    round_diameter = np.sqrt(4 * area / np.pi)
    return Axes(round_diameter * np.sqrt(ratio), round_diameter / np.sqrt(ratio), axes_of(squares).orientation)
