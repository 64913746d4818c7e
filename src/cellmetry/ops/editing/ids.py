"""Other ids for the same pixels: away, joined, renamed, parted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cc3d
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

__all__ = ["mapped_ids", "parts_of_mask", "renumber_parts", "without_ids"]


def without_ids(window: NDArray[np.uint32], ids: ArrayLike) -> NDArray[np.uint32]:
    """Return a window in which some objects have become background."""
    return mapped_ids(window, ids, 0)


def mapped_ids(window: NDArray[np.uint32], ids: ArrayLike, target: int) -> NDArray[np.uint32]:
    """Return a window in which some objects have another id."""
    return np.where(np.isin(window, np.asarray(ids, np.uint32)), np.uint32(target), window)


def parts_of_mask(mask: NDArray[np.bool_]) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """Return connected parts, numbered from 1 (corners count as contact), and their pixels; index 0 is 0."""
    if not mask.any():
        return np.zeros(mask.shape, np.uint32), np.zeros(1, np.int64)
    parts: NDArray[np.uint32] = cc3d.connected_components(  # type: ignore[assignment]
        np.ascontiguousarray(mask), connectivity=8, out_dtype=np.uint32
    )
    sizes = np.bincount(parts.ravel())
    sizes[0] = 0
    return parts, sizes


def renumber_parts(
    window: NDArray[np.uint32], label: int, parts: NDArray[np.uint32], new_id: Callable[[], int]
) -> NDArray[np.uint32]:
    """Return a window in which each part but the largest of an object has a new id.

    Parameters
    ----------
    parts
        Part of each pixel, from 1, 0 elsewhere; the shape of the window. Of equally large parts the first stays.
    """
    sizes = np.bincount(parts.ravel())
    sizes[0] = 0
    kept = int(sizes.argmax())
    after = window.copy()
    for part in np.flatnonzero(sizes):
        after[parts == part] = label if part == kept else new_id()
    return after
