"""Clean-up of labels: size limits, holes, loose parts, smoothing and objects at the image border."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cc3d
import numpy as np
from numba import njit
from pydantic import Field

from cellmetry.core.step import Parameters

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cellmetry.core.image import Box

__all__ = [
    "Cleanup",
    "areas",
    "drop",
    "fill_holes",
    "fill_small_holes",
    "inside_fraction",
    "keep_largest_parts",
    "smooth",
]


class Cleanup(Parameters):
    """What happens to objects after an engine found them."""

    min_area_px: float | None = Field(None, ge=0, description="Drop objects smaller than this (pixels).")
    max_area_px: float | None = Field(None, gt=0, description="Drop objects larger than this (pixels).")
    min_area_um2: float | None = Field(None, ge=0, description="Drop objects smaller than this (µm²).")
    max_area_um2: float | None = Field(None, gt=0, description="Drop objects larger than this (µm²).")
    fill_holes: bool = Field(True, description="Fill holes that lie inside one object.")
    smooth_px: int = Field(0, ge=0, le=10, description="Smooth outlines: rounds of a 3 × 3 majority vote.")
    keep_border: bool = Field(
        True, description="Keep objects at the image border; if not, drop those by `inside_fraction`."
    )
    border_percent: float = Field(
        0.0,
        ge=0,
        lt=50,
        description="Width of the border zone in per cent of height and width; 0 is the outermost row and column.",
    )
    inside_fraction: float = Field(
        1.0, ge=0, le=1, description="Without `keep_border`: least share of an object outside the border zone."
    )


def areas(labels: NDArray[np.int32]) -> NDArray[np.int64]:
    """Return the pixels of each id, index = id."""
    return np.bincount(labels.ravel())


def drop(labels: NDArray[np.int32], keep: NDArray[np.bool_]) -> NDArray[np.int32]:
    """Return labels in which ids whose entry of `keep` (index = id) is False are background."""
    table = np.where(keep, np.arange(keep.size), 0).astype(np.int32)
    table[0] = 0
    return table[labels]


def keep_largest_parts(labels: NDArray[np.int32]) -> NDArray[np.int32]:
    """Return labels in which each id keeps its largest 8-connected part only (ties: the first in raster order)."""
    parts = cc3d.connected_components(labels, connectivity=8)
    sizes = np.bincount(parts.ravel())
    owner = np.zeros(sizes.size, np.int64)
    owner[parts.ravel()] = labels.ravel()
    if sizes.size - 1 == np.count_nonzero(np.bincount(owner[1:])):
        return labels
    order = np.lexsort((np.arange(sizes.size), -sizes, owner))
    first = np.r_[True, owner[order][1:] != owner[order][:-1]]
    keep = np.zeros(sizes.size, bool)
    keep[order[first]] = True
    keep[0] = False
    return np.where(keep[parts], labels, 0).astype(np.int32)


@njit(cache=True, nogil=True)
def _enclosing(gaps: NDArray[np.uint32], labels: NDArray[np.int32], count: int) -> NDArray[np.int32]:
    """Return for each gap the one label around it; 0 if it touches the edge or more than one label."""
    height, width = labels.shape
    around = np.full(count + 1, -1, np.int32)
    for y in range(height):
        for x in range(width):
            gap = gaps[y, x]
            if gap == 0:
                continue
            if y in (0, height - 1) or x in (0, width - 1):
                around[gap] = 0
                continue
            for dy, dx in ((-1, 0), (1, 0), (0, -1), (0, 1)):
                label = labels[y + dy, x + dx]
                if label == 0:
                    continue
                if around[gap] == -1:
                    around[gap] = label
                elif around[gap] != label:
                    around[gap] = 0
    around[0] = 0
    return around


def fill_holes(labels: NDArray[np.int32]) -> NDArray[np.int32]:
    """Return labels in which background enclosed by one object alone belongs to it.

    Background is 4-connected, so that an 8-connected outline closes it. A gap at the edge of the array, or
    one that several objects surround, stays.
    """
    gaps, count = cc3d.connected_components((labels == 0).astype(np.uint8), connectivity=4, return_N=True)
    around = _enclosing(gaps.astype(np.uint32), labels, count)
    return np.where(labels == 0, around[gaps], labels).astype(np.int32)


def fill_small_holes(foreground: NDArray[np.bool_], largest_px: float) -> NDArray[np.bool_]:
    """Return the foreground with 4-connected gaps below `largest_px` pixels filled; gaps at the array's edge stay."""
    gaps = cc3d.connected_components((~foreground).astype(np.uint8), connectivity=4)
    small = np.bincount(gaps.ravel()) < largest_px
    for edge in (gaps[0], gaps[-1], gaps[:, 0], gaps[:, -1]):
        small[edge] = False
    small[0] = True
    return np.asarray(small[gaps])


@njit(cache=True, nogil=True)
def _vote(labels: NDArray[np.int32]) -> NDArray[np.int32]:
    height, width = labels.shape
    out = labels.copy()
    for y in range(1, height - 1):
        for x in range(1, width - 1):
            own = labels[y, x]
            best, most = own, 0
            for dy in range(-1, 2):
                for dx in range(-1, 2):
                    label = labels[y + dy, x + dx]
                    votes = 0
                    for ey in range(-1, 2):
                        for ex in range(-1, 2):
                            votes += labels[y + ey, x + ex] == label
                    if votes > most or (votes == most and label == own):
                        best, most = label, votes
            if most >= 5:
                out[y, x] = best
    return out


def smooth(labels: NDArray[np.int32], rounds: int) -> NDArray[np.int32]:
    """Return labels after `rounds` of a vote in which each pixel takes the absolute majority of its 3 × 3 pixels."""
    for _ in range(rounds):
        labels = _vote(labels)
    return labels


def inside_fraction(
    labels: NDArray[np.int32], box: Box, shape: tuple[int, int], border_percent: float
) -> NDArray[np.float64]:
    """Return for each id (index) the share of its pixels outside the image's border zone.

    The zone is ``floor(percent / 100 · size)`` rows and columns wide, at least one.

    Parameters
    ----------
    box
        Where `labels` lie in the plane of height and width `shape`.
    """
    rows = max(1, int(border_percent / 100 * shape[0]))
    columns = max(1, int(border_percent / 100 * shape[1]))
    y, x = np.arange(box.y0, box.y1), np.arange(box.x0, box.x1)
    near_y = (y < rows) | (y >= shape[0] - rows)
    near_x = (x < columns) | (x >= shape[1] - columns)
    total = areas(labels)
    near = np.bincount(labels[near_y].ravel(), minlength=total.size)
    near += np.bincount(labels[~near_y][:, near_x].ravel(), minlength=total.size)
    return np.asarray(1 - near / np.maximum(total, 1))
