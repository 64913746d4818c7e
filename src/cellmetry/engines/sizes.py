"""How large a plane's objects are, from what an engine finds in a few windows: very small ones are enlarged then."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cellmetry.core.image import Box

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray


__all__ = ["scale_within", "survey_windows", "usual_diameter"]


class _Look(NamedTuple):
    """Windows of one size, and when what they show is enough."""

    side: int
    fewest: int
    largest_px: float


_LOOKS = (_Look(256, 20, 40.0), _Look(512, 5, np.inf))
"""Small windows first: they suffice for most images and are a sixteenth of one of 2048 × 2048."""


def scale_within(diameters_px: tuple[float, float], diameter_px: float) -> float:
    """Return the least change of scale that brings cells of one diameter within the smallest and the largest one."""
    smallest, largest = diameters_px
    return min(max(diameter_px, smallest), largest) / diameter_px


def usual_diameter(find: Callable[[Box], NDArray[np.int32]], shape: tuple[int, int], align: int) -> float | None:
    """Return the median diameter of a plane's objects, each weighted by its area, in the plane's pixels.

    Objects that touch a window's edge are left out. None if there are fewer than five others.

    Parameters
    ----------
    find
        Returns the labels of a window.
    shape
        Of the plane.
    align
        Windows start at multiples of this.
    """
    for look in _LOOKS:
        if look is not _LOOKS[-1] and max(shape) <= look.side:
            continue
        areas = np.concatenate([_whole_areas(find(box)) for box in survey_windows(shape, align, look.side)])
        if areas.size >= look.fewest and (diameter := _weighted_median(areas)) <= look.largest_px:
            return diameter
    return None


def survey_windows(shape: tuple[int, int], align: int, side: int) -> Iterator[Box]:
    """Yield one, two or four windows of at most this side, in the middle of the plane's halves or quarters."""
    for y0, y1 in _ranges(shape[0], align, side):
        for x0, x1 in _ranges(shape[1], align, side):
            yield Box(y0, y1, x0, x1)


def _ranges(size: int, align: int, side: int) -> list[tuple[int, int]]:
    if size <= side:
        return [(0, size)]
    middles = [size // 2] if size < 2 * side else [size // 4, 3 * size // 4]
    starts = [max(0, middle - side // 2) // align * align for middle in middles]
    return [(start, min(size, start + side)) for start in starts]


def _weighted_median(areas: NDArray[np.int64]) -> float:
    """Return the diameter of a circle of the area below which half of all area lies."""
    areas = np.sort(areas)
    half = np.searchsorted(np.cumsum(areas), areas.sum() / 2)
    return float(2 * np.sqrt(areas[half] / np.pi))


def _whole_areas(labels: NDArray[np.int32]) -> NDArray[np.int64]:
    areas = np.bincount(labels.ravel(), minlength=1)
    edges = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    areas[edges] = 0
    areas[0] = 0
    return areas[areas > 0]
