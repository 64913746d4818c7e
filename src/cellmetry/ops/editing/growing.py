"""Growing and shrinking objects by a number of pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cc3d
import numpy as np
from scipy import ndimage

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["grown", "shrunk"]


def grown(window: NDArray[np.uint32], ids: ArrayLike, distance: float) -> NDArray[np.uint32]:
    """Return a window in which objects took the background within a distance of them, in pixels between centres.

    What two of them reach goes to the nearer. None grows into another object or past one.
    """
    chosen = np.isin(window, np.asarray(ids, np.uint32))
    away, places = ndimage.distance_transform_edt(~chosen, return_indices=True)
    taken = (window == 0) & (away <= distance)
    after = np.where(taken, window[tuple(places)], window)
    parts: NDArray[np.uint32] = cc3d.connected_components(  # type: ignore[assignment]
        after, connectivity=8, out_dtype=np.uint32
    )
    rooted = np.zeros(int(parts.max(initial=0)) + 1, bool)
    rooted[parts[window > 0]] = True
    return np.where(taken & ~rooted[parts], np.uint32(0), after)


def shrunk(mask: NDArray[np.bool_], distance: float, *, beyond: tuple[bool, bool, bool, bool]) -> NDArray[np.bool_]:
    """Return the pixels of an object that are more than a distance from its outside, in pixels between centres.

    Parameters
    ----------
    beyond
        Whether the object may go on beyond the window's upper, lower, left and right side, as at the edge of an image;
        elsewhere what is beyond is outside.
    """
    top, bottom, left, right = (0 if more else 1 for more in beyond)
    padded = np.pad(mask, ((top, bottom), (left, right)))
    if padded.all():
        return mask.copy()
    away: NDArray[np.float64] = ndimage.distance_transform_edt(padded)
    kept: NDArray[np.bool_] = away[top : top + mask.shape[0], left : left + mask.shape[1]] > distance
    return kept
