"""Depth in the cell as DualCellQuant counts it, regions between two depths, and profiles along it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import edt
import numpy as np
from scipy import ndimage

from cellmetry.errors import ParameterError
from cellmetry.measure.profiles import Profiles, Windows, accumulate_profiles, merge_profiles
from cellmetry.ops.mask_cleaning import clean_mask
from cellmetry.ops.pixel_groups import ids_in

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["Band", "Depths", "cell_depths", "depth_profiles", "percent_windows", "radial_labels"]

_SLACK = 1e-6


class Band(NamedTuple):
    """A region from `inner` to `outer` per cent (0 centre, 100 boundary), in cells without parts below `least_px`."""

    inner: float
    outer: float
    least_px: float


class Depths(NamedTuple):
    """How deep in its cell, or how far from the nearest one, each pixel of a plane lies.

    Parameters
    ----------
    ids, deepest
        Each cell and the largest distance to its outside in it, in pixels; infinity for a cell without outside.
    inside
        1 − distance / deepest, from 0 at the deepest pixel; NaN outside cells.
    nearest
        The nearest cell of each pixel of the background; 0 in cells.
    beyond
        Distance to it, in pixels.
    """

    ids: NDArray[np.uint32]
    deepest: NDArray[np.float64]
    inside: NDArray[np.float64]
    nearest: NDArray[np.uint32]
    beyond: NDArray[np.float64]

    def deepest_of(self, labels: NDArray[np.uint32]) -> NDArray[np.float64]:
        """Return the largest depth in the cell of each of these ids."""
        return self.deepest[np.searchsorted(self.ids, labels)]


def cell_depths(labels: NDArray[np.uint32]) -> Depths:
    """Return the depths in a plane: exact Euclidean distances between pixel centres, each cell by itself.

    Other cells are outside, what lies beyond the plane is not. Of two cells at the same distance the nearest is the
    one that scipy's transform finds.
    """
    ids = ids_in(labels)
    cells = labels > 0
    squares: NDArray[np.float32] = edt.edtsq(np.ascontiguousarray(labels), black_border=False, parallel=1)
    distance = np.sqrt(squares[cells].astype(np.float64))
    places = np.searchsorted(ids, labels[cells])
    deepest = np.zeros(len(ids))
    np.maximum.at(deepest, places, distance)
    inside = np.full(labels.shape, np.nan)
    with np.errstate(invalid="ignore"):
        inside[cells] = 1.0 - distance / deepest[places]
    if not len(ids):
        return Depths(ids, deepest, inside, np.zeros_like(labels), np.zeros(labels.shape))
    beyond, (rows, columns) = ndimage.distance_transform_edt(~cells, return_indices=True)
    return Depths(ids, deepest, inside, np.where(cells, np.uint32(0), labels[rows, columns]), beyond)


def radial_labels(labels: NDArray[np.uint32], depths: Depths, band: Band) -> NDArray[np.uint32]:
    """Return the region between two depths of each cell, with the cell's id.

    Inside cells the two ends are put in order and the region is cleaned; beyond 100 % it is the background from the
    boundary on to `outer`, whatever `inner` is, and is not cleaned.
    """
    first, last = sorted((band.inner / 100.0, band.outer / 100.0))
    held = (depths.inside >= first) & (depths.inside <= min(last, 1.0))
    out = clean_mask(np.where(held, labels, np.uint32(0)), band.least_px)
    extra = band.outer / 100.0 - 1.0
    if extra > 0:
        around = depths.nearest > 0
        nearest = depths.nearest[around]
        reach = (extra * depths.deepest_of(nearest)).astype(np.float32)
        out[around] = np.where(depths.beyond[around] <= reach, nearest, np.uint32(0))
    return out


def percent_windows(start: float, end: float, size: float, step: float) -> Windows:
    """Return windows in per cent: from `start` on at each `step`, added up one by one, as long as they end by `end`.

    Raises
    ------
    ParameterError
        If none fits.
    """
    first, last = sorted((start, end))
    count = int((last - first - size + _SLACK) // step) + 2
    starts = np.add.accumulate(np.r_[first, np.full(max(count, 0), step)])
    starts = starts[starts <= last - size + _SLACK]
    if not starts.size:
        raise ParameterError(f"No window of {size:g} % fits between {first:g} % and {last:g} %; make it smaller.")
    return Windows(starts, starts + size)


def depth_profiles(
    labels: NDArray[np.uint32], depths: Depths, windows: Windows, channels: Sequence[NDArray[Any]]
) -> Profiles:
    """Return the profile of each cell, with the background nearest to it beyond 100 %.

    Depths outside are float32 numbers, and compared as such; masks and saturation play no part.
    """
    share = Windows(windows.starts / 100.0, windows.ends / 100.0)
    inner = accumulate_profiles(labels, depths.inside, share, channels, ids=depths.ids)
    around = depths.nearest > 0
    deepest = depths.deepest_of(depths.nearest[around]).astype(np.float32)
    outside = np.float32(1.0) + depths.beyond[around].astype(np.float32) / deepest
    chosen = [channel[around] for channel in channels]
    outer = accumulate_profiles(depths.nearest[around], outside, share, chosen, ids=depths.ids)
    return merge_profiles(inner, outer)
