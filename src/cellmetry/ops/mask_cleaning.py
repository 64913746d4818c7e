"""Cleaning of masks: small parts go, and thin ones, each cell's by itself even where cells touch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeVar

import cc3d
import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["drop_and_open", "drop_small_parts", "open_with_cross"]

Mask = TypeVar("Mask", "NDArray[np.uint32]", "NDArray[np.bool_]")
"""A mask of one plane: the id of the cell to which each pixel counts, or only whether it counts."""


def drop_small_parts(mask: Mask, least_px: float, *, connectivity: Literal[4, 8] = 4) -> Mask:
    """Return the mask without connected parts of fewer than `least_px` pixels; different ids never connect.

    Parameters
    ----------
    connectivity
        4: pixels that share a side are connected; 8: those that share a corner, too.
    """
    if not mask.size:
        return mask
    parts = cc3d.connected_components(np.ascontiguousarray(mask), connectivity=connectivity)
    keep = np.bincount(parts.ravel()) >= least_px
    keep[0] = False
    out: Mask = np.where(keep[parts], mask, mask.dtype.type(0))
    return out


@njit(cache=True, nogil=True)
def _eroded(mask: Any) -> Any:
    height, width = mask.shape
    out = np.zeros_like(mask)
    for y in range(height):
        for x in range(width):
            own = mask[y, x]
            if own == 0:
                continue
            stays = y == 0 or mask[y - 1, x] == own
            stays &= y == height - 1 or mask[y + 1, x] == own
            stays &= x == 0 or mask[y, x - 1] == own
            stays &= x == width - 1 or mask[y, x + 1] == own
            if stays:
                out[y, x] = own
    return out


@njit(cache=True, nogil=True)
def _dilated_within(eroded: Any, mask: Any) -> Any:
    height, width = mask.shape
    out = np.zeros_like(mask)
    for y in range(height):
        for x in range(width):
            own = mask[y, x]
            if own == 0:
                continue
            reached = eroded[y, x] == own
            reached |= y > 0 and eroded[y - 1, x] == own
            reached |= y < height - 1 and eroded[y + 1, x] == own
            reached |= x > 0 and eroded[y, x - 1] == own
            reached |= x < width - 1 and eroded[y, x + 1] == own
            if reached:
                out[y, x] = own
    return out


def open_with_cross(mask: Mask) -> Mask:
    """Return the binary opening of each id by itself with the plus of five pixels.

    What lies outside the plane neither takes part in the erosion nor in the dilation, as in scikit-image: a mask that
    reaches the border is not worn away there.
    """
    plane = np.ascontiguousarray(mask)
    out: Mask = _dilated_within(_eroded(plane), plane)
    return out


def drop_and_open(mask: Mask, least_px: float) -> Mask:
    """Return the mask without small parts, then opened; as it is where `least_px` is 0."""
    return open_with_cross(drop_small_parts(mask, least_px)) if least_px > 0 else mask
