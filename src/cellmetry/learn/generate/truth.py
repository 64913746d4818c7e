"""The truth of a generated field: which pixels show which cell, and numbers per cell looked up for its pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import edt
import numpy as np

from cellmetry.ops.cleanup import areas, drop, fill_holes, keep_largest_parts

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["consecutive", "depth_px", "settle", "spread_over"]


def settle(owner: NDArray[np.int32], *, least_px: float) -> NDArray[np.int32]:
    """Return `owner` in which each cell is one connected region without holes of at least `least_px` pixels.

    Ids are kept; what is cut off or too small becomes background.
    """
    whole = keep_largest_parts(owner)
    return fill_holes(drop(whole, areas(whole) >= max(1.0, least_px)))


def consecutive(owner: NDArray[np.int32]) -> NDArray[np.int32]:
    """Return `owner` with ids 1 … n in the order of the old ones."""
    there = areas(owner) > 0
    there[0] = False
    table = np.where(there, np.cumsum(there), 0).astype(np.int32)
    return table[owner]


def depth_px(owner: NDArray[np.int32]) -> NDArray[np.float32]:
    """Return the distance of each pixel of a cell to the cell's edge, in pixels; 0 outside.

    The border of the image is no edge: cells go on beyond it. At most the longer side of the image.
    """
    depth = edt.edt(np.ascontiguousarray(owner), black_border=False, parallel=1)
    return np.asarray(np.minimum(depth, max(owner.shape)), dtype=np.float32)


def spread_over(
    owner: NDArray[np.int32], values: NDArray[np.floating[Any]], *, outside: float = 0.0
) -> NDArray[np.float32]:
    """Return for each pixel the number of the cell to which it belongs; `values` has one entry a cell."""
    return np.concatenate([[outside], values]).astype(np.float32)[owner]
