"""Neighbours: which objects touch, over how much of their boundary, and how far the nearest one is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numba import njit
from scipy.spatial import KDTree

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cellmetry.measure.blocks import Block
    from cellmetry.measure.fields import Field

__all__ = ["nearest", "touching"]


@njit(cache=True, nogil=True)
def _note(found: Any, n: int, label: Any) -> Any:
    """Return the list with `label` added (enlarged if full) and its new length."""
    if n and found[n - 1] == label:
        return found, n
    if n == found.size:
        larger = np.empty(2 * n, found.dtype)
        for i in range(n):
            larger[i] = found[i]
        found = larger
    found[n] = label
    return found, n + 1


@njit(cache=True, nogil=True)
def _distinct(found: Any, n: int) -> int:
    values = found[:n]
    values.sort()
    count = 0
    for i in range(n):
        count += i == 0 or values[i] != values[i - 1]
    return count


@njit(cache=True, nogil=True)
def _contacts(padded: Any, labels: Any, runs: Any) -> Any:
    """Return per object: different labels around its pixels, pixel sides to other objects, all outer sides."""
    start, _, y, x0, x1 = runs
    out = np.zeros((labels.size, 3), np.int64)
    found = np.empty(64, padded.dtype)
    for k in range(labels.size):
        n = 0
        for i in range(start[k], start[k + 1]):
            for x in range(x0[i] + 1, x1[i] + 1):
                for dy in range(-1, 2):
                    for dx in range(-1, 2):
                        other = padded[y[i] + 1 + dy, x + dx]
                        if other == labels[k]:
                            continue
                        side = dy == 0 or dx == 0
                        out[k, 2] += side
                        if other != 0:
                            out[k, 1] += side
                            found, n = _note(found, n, other)
        out[k, 0] = _distinct(found, n)
    return out


def touching(block: Block) -> dict[str, NDArray[Any]]:
    """Return how many objects each one touches, over which share of its boundary, and places for `nearest`."""
    count, shared, sides = _contacts(block.padded, block.objects.ids, block.runs).T
    unknown = np.full(block.count, np.nan)
    out = {"touching_count": count, "touching_fraction": shared / sides, "nearest_distance_px": unknown}
    return out if block.field.sides_um is None else {**out, "nearest_distance_um": unknown}


def nearest(centroids: NDArray[np.float64], field: Field) -> dict[str, NDArray[Any]]:
    """Return the distance from each centroid (z, y, x) of a plane to the nearest other; NaN where there is none."""
    plane = centroids[:, 1:]
    out: dict[str, NDArray[Any]] = {"nearest_distance_px": _nearest(plane)}
    if field.sides_um is not None:
        out["nearest_distance_um"] = _nearest(plane * np.array(field.sides_um))
    return out


def _nearest(points: NDArray[np.float64]) -> NDArray[np.float64]:
    if len(points) < 2:
        return np.full(len(points), np.nan)
    distance, _ = KDTree(points).query(points, k=2)
    return np.asarray(distance[:, 1], np.float64)
