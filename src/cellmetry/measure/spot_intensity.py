"""Intensity of spots: the pixels of a disc less the ground, the median of a ring around, within the spot's cell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numba import njit

from cellmetry.ops.quotient import quotient

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["SpotShape", "spot_intensity"]


class SpotShape(NamedTuple):
    """Size of a spot and of the ring around it.

    Parameters
    ----------
    radii
        Half height and half width of the spot's disc in pixels; they differ where pixels are not square.
    ring
        Inner and outer radius of the ring, in radii of the spot.
    """

    radii: tuple[float, float]
    ring: tuple[float, float]

    @property
    def reach(self) -> int:
        """How many pixels from its centre a spot is looked at, at most."""
        return int(np.ceil(self.ring[1] * max(self.radii)))

    def offsets(self, inner: float, outer: float) -> NDArray[np.int64]:
        """Return the offsets (row, column) of the pixels beyond `inner` and up to `outer` radii."""
        size = self.reach
        around = np.mgrid[-size : size + 1, -size : size + 1].reshape(2, -1)
        distance = np.hypot(around[0] / self.radii[0], around[1] / self.radii[1])
        chosen: NDArray[np.int64] = around[:, (distance > inner) & (distance <= outer)].T.astype(np.int64)
        return chosen


@njit(cache=True, nogil=True)
def _around(pixels: Any, labels: Any, place: Any, offsets: Any, values: Any) -> int:
    """Write the finite pixels at `offsets` in the same cell into `values` and return their number."""
    height, width = labels.shape
    own = labels[place[0], place[1]]
    n = 0
    for i in range(offsets.shape[0]):
        y, x = place[0] + offsets[i, 0], place[1] + offsets[i, 1]
        if 0 <= y < height and 0 <= x < width and labels[y, x] == own and np.isfinite(pixels[y, x]):
            values[n] = pixels[y, x]
            n += 1
    return n


@njit(cache=True, nogil=True)
def _intensities(pixels: Any, labels: Any, places: Any, disc: Any, ring: Any) -> Any:
    """Return for each place: pixels of the disc, their mean, and the median of the ring."""
    out = np.full((places.shape[0], 3), np.nan)
    values = np.empty(max(disc.shape[0], ring.shape[0]), np.float64)
    for i in range(places.shape[0]):
        n = _around(pixels, labels, places[i], disc, values)
        out[i, 0] = n
        if n:
            out[i, 1] = values[:n].mean()
        n = _around(pixels, labels, places[i], ring, values)
        if n:
            out[i, 2] = np.median(values[:n])
    return out


def spot_intensity(
    pixels: NDArray[Any], labels: NDArray[np.uint32], places: NDArray[np.int64], shape: SpotShape
) -> dict[str, NDArray[Any]]:
    """Return the columns of the intensity of spots at `places` (row, column) of a plane.

    Only pixels of the cell in which a spot lies count, for its disc and for its ring.
    """
    disc, ring = shape.offsets(-1, 1), shape.offsets(*shape.ring)
    disc_px, mean, ground = _intensities(pixels, labels, places, disc, ring).T
    above = mean - ground
    total = mean + ground
    return {
        "disc_px": disc_px.astype(np.int64),
        "background": ground,
        "mean_intensity": above,
        "sum_intensity": above * disc_px,
        "contrast": quotient(above, total),
    }
