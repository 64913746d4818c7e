"""Overlaps of two label images, counted in one pass: the contingency table that matching and linking read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numba import njit

from cellmetry.errors import LabelsError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Overlaps", "count_overlaps"]


class Overlaps(NamedTuple):
    """How many pixels each object of one label image shares with each of another; background left out.

    Parameters
    ----------
    first_ids, second_ids
        Ids that occur, ascending, uint32.
    first_areas, second_areas
        Pixels of each, int64.
    rows, columns
        Index into `first_ids` and `second_ids` of each pair that shares pixels, in ascending order.
    pixels
        How many pixels each pair shares, int64.
    """

    first_ids: NDArray[np.uint32]
    second_ids: NDArray[np.uint32]
    first_areas: NDArray[np.int64]
    second_areas: NDArray[np.int64]
    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    pixels: NDArray[np.int64]

    @property
    def iou(self) -> NDArray[np.float64]:
        """Shared pixels over all pixels of the two objects (Jaccard index), one value per pair."""
        union = self.first_areas[self.rows] + self.second_areas[self.columns] - self.pixels
        return self.pixels / union


def count_overlaps(first: NDArray[Any], second: NDArray[Any]) -> Overlaps:
    """Return which objects of two label images of equal shape share how many pixels.

    Raises
    ------
    LabelsError
        If the shapes differ or the values are not whole numbers.
    """
    if first.shape != second.shape:
        raise LabelsError(f"Two label images of shapes {first.shape} and {second.shape} cannot be compared.")
    for labels in (first, second):
        if labels.dtype.kind not in "uib":
            raise LabelsError(f"Labels must be whole numbers to be compared, not {labels.dtype}.")
    keys, pixels = _sum_runs(*_pair_runs(_flat(first), _flat(second)))
    firsts, seconds = (keys >> np.uint64(32)).astype(np.uint32), (keys & np.uint64(0xFFFFFFFF)).astype(np.uint32)
    first_ids, first_areas = _areas(firsts, pixels)
    second_ids, second_areas = _areas(seconds, pixels)
    both = (firsts > 0) & (seconds > 0)
    return Overlaps(
        first_ids,
        second_ids,
        first_areas,
        second_areas,
        np.searchsorted(first_ids, firsts[both]).astype(np.int64),
        np.searchsorted(second_ids, seconds[both]).astype(np.int64),
        pixels[both],
    )


def _flat(labels: NDArray[Any]) -> NDArray[np.uint32]:
    return np.ascontiguousarray(labels, dtype=np.uint32).reshape(-1)


@njit(cache=True, nogil=True)
def _pair_runs(
    first: NDArray[np.uint32], second: NDArray[np.uint32]
) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:  # pragma: no cover - compiled
    count = 0
    for i in range(first.size):
        if i == 0 or first[i] != first[i - 1] or second[i] != second[i - 1]:
            count += 1
    keys, lengths = np.empty(count, np.uint64), np.zeros(count, np.int64)
    run = -1
    for i in range(first.size):
        if i == 0 or first[i] != first[i - 1] or second[i] != second[i - 1]:
            run += 1
            keys[run] = (np.uint64(first[i]) << np.uint64(32)) | np.uint64(second[i])
        lengths[run] += 1
    return keys, lengths


def _sum_runs(keys: NDArray[np.uint64], lengths: NDArray[np.int64]) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    order = np.argsort(keys, kind="stable")
    found, starts = np.unique(keys[order], return_index=True)
    pixels = np.add.reduceat(lengths[order], starts) if found.size else np.zeros(0, np.int64)
    return found, pixels.astype(np.int64)


def _areas(ids: NDArray[np.uint32], pixels: NDArray[np.int64]) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    found, where = np.unique(ids, return_inverse=True)
    areas = np.zeros(found.size, np.int64)
    np.add.at(areas, where, pixels)
    return found[found > 0], areas[found > 0]
