"""Filling: the holes of an object, and the background between objects."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scipy import ndimage

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["flooded", "holes_of"]


def holes_of(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the pixels that an object surrounds; a way out over a corner is none."""
    filled: NDArray[np.bool_] = ndimage.binary_fill_holes(mask)
    return filled & ~mask


def flooded(free: NDArray[np.bool_], y: int, x: int) -> NDArray[np.bool_]:
    """Return the pixels of `free` that are joined with the one in row y and column x, side by side."""
    parts, _ = ndimage.label(free)
    found: NDArray[np.bool_] = (parts == parts[y, x]) & free
    return found
