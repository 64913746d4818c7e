"""How large a plane's objects are, from what an engine finds in a few windows: very small ones are enlarged then."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cellmetry.core.image import Box

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray


__all__ = ["survey_windows", "usual_diameter"]

_SIDE = 512
_FEWEST = 5


def survey_windows(shape: tuple[int, int], align: int) -> Iterator[Box]:
    """Yield one, two or four windows of at most 512 × 512 pixels, in the middle of the plane's halves or quarters."""
    for y0, y1 in _ranges(shape[0], align):
        for x0, x1 in _ranges(shape[1], align):
            yield Box(y0, y1, x0, x1)


def _ranges(size: int, align: int) -> list[tuple[int, int]]:
    if size <= _SIDE:
        return [(0, size)]
    middles = [size // 2] if size < 2 * _SIDE else [size // 4, 3 * size // 4]
    starts = [max(0, middle - _SIDE // 2) // align * align for middle in middles]
    return [(start, min(size, start + _SIDE)) for start in starts]


def usual_diameter(windows: Iterable[NDArray[np.int32]]) -> float | None:
    """Return the median diameter of labelled objects, each weighted by its area, in the plane's pixels.

    Objects that touch a window's edge are left out. None if there are fewer than five others.
    """
    areas = np.concatenate([_whole_areas(labels) for labels in windows])
    if areas.size < _FEWEST:
        return None
    areas.sort()
    half = np.searchsorted(np.cumsum(areas), areas.sum() / 2)
    return float(2 * np.sqrt(areas[half] / np.pi))


def _whole_areas(labels: NDArray[np.int32]) -> NDArray[np.int64]:
    areas = np.bincount(labels.ravel(), minlength=1)
    edges = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    areas[edges] = 0
    areas[0] = 0
    return areas[areas > 0]
