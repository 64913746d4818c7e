"""Depth in the cell as DualCellQuant counts it, regions between two depths, and profiles along it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import edt
import numpy as np
from scipy import ndimage

from cellmetry.errors import ParameterError
from cellmetry.measure.profiles import Profiles, Windows, accumulate_profiles, merge_profiles
from cellmetry.ops.mask_cleaning import drop_and_open
from cellmetry.ops.pixel_groups import ids_in

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["Around", "Band", "Depths", "depth_profiles", "percent_windows", "radial_labels"]

_SLACK = 1e-6


class Band(NamedTuple):
    """A region from `inner` to `outer` per cent (0 centre, 100 boundary), in cells without parts below `least_px`."""

    inner: float
    outer: float
    least_px: float


@dataclass(frozen=True)
class Depths:
    """How deep in its cell, or how far from the nearest one, each pixel of a plane lies; found when first asked for.

    Distances are exact and Euclidean, between pixel centres, each cell by itself: other cells are outside, what lies
    beyond the plane is not.

    Parameters
    ----------
    labels
        The cells of a plane.
    """

    labels: NDArray[np.uint32]

    @cached_property
    def ids(self) -> NDArray[np.uint32]:
        """The cells, in rising order."""
        return ids_in(self.labels)

    @cached_property
    def inside(self) -> NDArray[np.float64]:
        """1 − distance / deepest, from 0 at the deepest pixel of a cell; NaN outside cells."""
        cells = self.labels > 0
        out = np.full(self.labels.shape, np.nan)
        with np.errstate(invalid="ignore"):
            out[cells] = 1.0 - self._distances / self.deepest_of(self.labels[cells])
        return out

    @cached_property
    def deepest(self) -> NDArray[np.float64]:
        """The largest distance to the outside in each cell, in pixels; infinity for a cell without outside."""
        out = np.zeros(len(self.ids))
        np.maximum.at(out, self._places(self.labels[self.labels > 0]), self._distances)
        return out

    @cached_property
    def _distances(self) -> NDArray[np.float64]:
        """Distance to the outside of each pixel in cells."""
        squares: NDArray[np.float32] = edt.edtsq(np.ascontiguousarray(self.labels), black_border=False, parallel=1)
        return np.sqrt(squares[self.labels > 0].astype(np.float64))

    @cached_property
    def around(self) -> Around:
        """The background: pixels, the cell nearest to each, and the distance to it."""
        if not len(self.ids):
            return Around(np.zeros(self.labels.shape, bool), np.zeros(0, np.uint32), np.zeros(0))
        background = self.labels == 0
        beyond, (rows, columns) = ndimage.distance_transform_edt(background, return_indices=True)
        nearest = self.labels[rows[background], columns[background]]
        return Around(background, nearest, beyond[background])

    def deepest_of(self, labels: NDArray[np.uint32]) -> NDArray[np.float64]:
        """Return the largest depth in the cell of each of these ids."""
        return self.deepest[self._places(labels)]

    def _places(self, labels: NDArray[np.uint32]) -> NDArray[np.int64]:
        return np.searchsorted(self.ids, labels)


class Around(NamedTuple):
    """Background round cells: where it is (a plane), and of each of its pixels the nearest cell and the distance.

    Of two cells at the same distance the nearest is the one that scipy's transform finds.
    """

    pixels: NDArray[np.bool_]
    nearest: NDArray[np.uint32]
    distance: NDArray[np.float64]


def radial_labels(depths: Depths, band: Band) -> NDArray[np.uint32]:
    """Return the region between two depths of each cell, with the cell's id.

    Inside cells the two ends are put in order and the region is cleaned; beyond 100 % it is the background from the
    boundary on to `outer`, whatever `inner` is, and is not cleaned.
    """
    first, last = sorted((band.inner / 100.0, band.outer / 100.0))
    held = (depths.inside >= first) & (depths.inside <= min(last, 1.0))
    out = drop_and_open(np.where(held, depths.labels, np.uint32(0)), band.least_px)
    extra = band.outer / 100.0 - 1.0
    if extra > 0:
        around = depths.around
        reach = (extra * depths.deepest_of(around.nearest)).astype(np.float32)
        out[around.pixels] = np.where(around.distance <= reach, around.nearest, np.uint32(0))
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


def depth_profiles(depths: Depths, windows: Windows, channels: Sequence[NDArray[Any]]) -> Profiles:
    """Return the profile of each cell, with the background nearest to it beyond 100 %.

    Depths outside are float32 numbers, and compared as such; masks and saturation play no part.
    """
    share = Windows(windows.starts / 100.0, windows.ends / 100.0)
    inner = accumulate_profiles(depths.labels, depths.inside, share, channels, ids=depths.ids)
    around = depths.around
    deepest = depths.deepest_of(around.nearest).astype(np.float32)
    outside = np.float32(1.0) + around.distance.astype(np.float32) / deepest
    chosen = [channel[around.pixels] for channel in channels]
    outer = accumulate_profiles(around.nearest, outside, share, chosen, ids=depths.ids)
    return merge_profiles(inner, outer)
