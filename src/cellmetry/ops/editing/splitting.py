"""Splitting one object: by a line, or by seeds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage
from skimage.segmentation import watershed

from cellmetry.ops.editing.ids import parts_of_mask
from cellmetry.ops.editing.outlines import stroke_mask
from cellmetry.ops.split import split_by_summits

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["parts_by_line", "parts_by_seeds", "parts_by_summits"]

_THICK = 0.7072
"""Half width in pixels of a line that no two pixels touching at a corner can bridge."""


def parts_by_line(mask: NDArray[np.bool_], line: ArrayLike, *, smallest: int) -> NDArray[np.uint32]:
    """Return parts of an object, numbered from 1, into which a line cuts it; 1 everywhere if it cuts nothing.

    Only what the line goes through is cut: of parts that did not touch before, those that it spares and the largest
    piece of each other are part 1. Pixels of the line and pieces of less than `smallest` pixels go to the nearest
    piece.

    Parameters
    ----------
    mask
        The object, shape (Y, X).
    line
        Points (y, x), shape (N, 2).
    """
    wholes, sizes = parts_of_mask(mask)
    pieces, piece_sizes = parts_of_mask(mask & ~stroke_mask(line, _THICK, mask.shape))
    home = np.zeros(piece_sizes.size, np.uint32)
    home[pieces.ravel()] = wholes.ravel()
    home[0] = 0
    big = np.flatnonzero(piece_sizes >= smallest)
    cut = [whole for whole in range(1, sizes.size) if np.count_nonzero(home[big] == whole) > 1]
    parts = mask.astype(np.uint32)
    if not cut:
        return parts
    number = 1
    for whole in cut:
        inside = wholes == whole
        own = big[home[big] == whole]
        largest = own[piece_sizes[own].argmax()]
        numbered = np.zeros(mask.shape, np.uint32)
        for piece in own:
            if piece == largest:
                numbered[pieces == piece] = 1
                continue
            number += 1
            numbered[pieces == piece] = number
        parts[inside] = _nearest(numbered)[inside]
    return parts


def parts_by_seeds(mask: NDArray[np.bool_], seeds: NDArray[np.intp]) -> NDArray[np.uint32]:
    """Return parts of an object, numbered as the seeds from 1, that grow from seeds until they meet.

    They meet where the object is narrow: by watershed of the distance to its edge. Pixels that no seed reaches belong
    to part 1.

    Parameters
    ----------
    mask
        The object, shape (Y, X).
    seeds
        Rows and columns of pixels of it, shape (2, N).
    """
    markers = np.zeros(mask.shape, np.int32)
    markers[seeds[0], seeds[1]] = np.arange(1, seeds.shape[1] + 1)
    found = watershed(-_depth(mask), markers, connectivity=np.ones((3, 3), bool), mask=mask)  # type: ignore[no-untyped-call]
    return np.where(mask & (found == 0), 1, found).astype(np.uint32)


def parts_by_summits(mask: NDArray[np.bool_], *, depth: float) -> NDArray[np.uint32]:
    """Return parts of an object, numbered from 1: round the places that are deepest in it.

    Parameters
    ----------
    depth
        How much deeper (in pixels) a part must reach than the neck between it and the next.
    """
    return split_by_summits(_depth(mask), mask, depth=depth).astype(np.uint32)


def _depth(mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return the distance in pixels of each pixel to the nearest outside the object; beyond the window is outside."""
    distance: NDArray[np.float64] = ndimage.distance_transform_edt(np.pad(mask, 1))
    return distance[1:-1, 1:-1].astype(np.float32)


def _nearest(parts: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Return for each pixel the part that is nearest to it."""
    places = ndimage.distance_transform_edt(parts == 0, return_distances=False, return_indices=True)
    nearest: NDArray[np.uint32] = parts[tuple(places)]
    return nearest
