"""Changes of label windows: what edits do to arrays of ids."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from skimage.draw import polygon2mask

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["polygon_mask", "without_ids"]


def polygon_mask(points: ArrayLike, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Return which pixels of a window have their centre inside a polygon.

    Parameters
    ----------
    points
        Corners, shape (N, 2), as (y, x); the last is joined to the first.
    shape
        Height and width of the window.
    """
    inside: NDArray[np.bool_] = polygon2mask(shape, np.asarray(points, float))  # type: ignore[no-untyped-call]
    return inside


def without_ids(window: NDArray[np.uint32], ids: ArrayLike) -> NDArray[np.uint32]:
    """Return a window in which some objects have become background."""
    return np.where(np.isin(window, np.asarray(ids, np.uint32)), np.uint32(0), window)
