"""Both counts inside regions of a plane: objects by their centroid, the density by its sum."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np

from cellmetry.core.image import Box
from cellmetry.counting.objects import BAND, label_bands
from cellmetry.ops.shapes import inside, shape_box

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from cellmetry.core.image import Image
    from cellmetry.core.labels import Labels
    from cellmetry.counting.objects import PlaneObjects
    from cellmetry.ops.shapes import Shape

    Points: TypeAlias = NDArray[np.floating[Any]]

__all__ = ["OUTSIDE", "CountedPlane", "RegionCounts", "in_labels", "in_shapes", "in_whole", "outside_shapes"]

OUTSIDE = "outside"
"""What is called so lies in none of the drawn regions."""


class CountedPlane(NamedTuple):
    """What there is to count in one plane; None where a counter is missing."""

    shape: tuple[int, int]
    objects: PlaneObjects | None
    density: Image | None
    t: int = 0
    z: int = 0

    def density_in(self, box: Box) -> NDArray[np.float64] | None:
        """Return the density of some pixels."""
        return None if self.density is None else self.density.plane(t=self.t, z=self.z, box=box).astype(np.float64)


class RegionCounts(NamedTuple):
    """Counts of one region; not-a-number where a counter is missing."""

    region: str
    area_px: int
    instances: float
    density: float


def in_whole(plane: CountedPlane) -> RegionCounts:
    """Return the counts of the whole plane; its name as a region is empty."""
    height, width = plane.shape
    total = 0.0 if plane.density is not None else np.nan
    for y in range(0, height, BAND):
        values = plane.density_in(Box(y, min(y + BAND, height), 0, width))
        total += 0.0 if values is None else float(values.sum())
    instances = np.nan if plane.objects is None else float(len(plane.objects.areas))
    return RegionCounts("", height * width, instances, total)


def in_shapes(plane: CountedPlane, shapes: tuple[Shape, ...]) -> list[RegionCounts]:
    """Return the counts of drawn regions, which may overlap; a pixel belongs to one if its middle lies in it."""
    return [_in_shape(plane, shape) for shape in shapes]


def outside_shapes(plane: CountedPlane, shapes: tuple[Shape, ...]) -> RegionCounts:
    """Return the counts of what lies in none of the drawn regions."""

    def holds(y: Points, x: Points) -> NDArray[np.bool_]:
        held: NDArray[np.bool_] = np.logical_or.reduce([inside(shape, y, x) for shape in shapes])
        return ~held

    return _where(plane, OUTSIDE, Box(0, plane.shape[0], 0, plane.shape[1]), holds)


def _in_shape(plane: CountedPlane, shape: Shape) -> RegionCounts:
    return _where(plane, shape.name, shape_box(shape, plane.shape), partial(inside, shape))


def _where(
    plane: CountedPlane, name: str, whole: Box, holds: Callable[[Points, Points], NDArray[np.bool_]]
) -> RegionCounts:
    """Return the counts of the points of a box that belong to a region."""
    columns = np.arange(whole.x0, whole.x1)[None, :] + 0.5
    area, total = 0, 0.0 if plane.density is not None else np.nan
    for y in range(whole.y0, whole.y1, BAND):
        box = whole._replace(y0=y, y1=min(y + BAND, whole.y1))
        held = holds(np.arange(box.y0, box.y1)[:, None] + 0.5, columns)
        area += int(held.sum())
        values = plane.density_in(box)
        total += 0.0 if values is None else float(values[held].sum())
    instances = np.nan
    if plane.objects is not None:
        y_centres, x_centres = np.asarray(plane.objects.centres.T + 0.5, np.float64)
        instances = float(holds(y_centres, x_centres).sum())
    return RegionCounts(name, area, instances, total)


def in_labels(plane: CountedPlane, regions: Labels) -> list[RegionCounts]:
    """Return the counts of the regions of a label image in the order of their ids, named by them."""
    ids: list[NDArray[np.int64]] = []
    sums: list[NDArray[np.float64]] = []
    for y, band in label_bands(regions, plane.t, plane.z):
        found, place = np.unique(band, return_inverse=True)
        columns = [np.bincount(place.ravel(), minlength=found.size).astype(np.float64)]
        columns.append(_objects_in(plane, band, y, found))
        values = plane.density_in(Box(y, y + len(band), 0, band.shape[1]))
        columns.append(_sums_of(values, place, found.size))
        ids.append(found.astype(np.int64))
        sums.append(np.stack(columns, axis=1))
    every, place = np.unique(np.concatenate(ids), return_inverse=True)
    total = np.zeros((every.size, 3))
    np.add.at(total, place, np.concatenate(sums))
    named = [pair for pair in zip(every.tolist(), total.tolist(), strict=True) if pair[0]]
    return [RegionCounts(str(name), int(area), instances, density) for name, (area, instances, density) in named]


def _sums_of(values: NDArray[np.float64] | None, place: NDArray[np.int64], size: int) -> NDArray[np.float64]:
    """Return the sum of `values` at each place; not-a-number if there are no values."""
    if values is None:
        return np.full(size, np.nan)
    return np.asarray(np.bincount(place.ravel(), values.ravel(), minlength=size), np.float64)


def _objects_in(
    plane: CountedPlane, band: NDArray[np.integer], first_row: int, ids: NDArray[np.integer]
) -> NDArray[np.float64]:
    """Return how many objects have their centroid in each of the regions `ids` of a band of rows."""
    if plane.objects is None:
        return np.full(ids.size, np.nan)
    pixel = np.floor(plane.objects.centres + 0.5).astype(np.int64)
    y, x = pixel[(pixel[:, 0] >= first_row) & (pixel[:, 0] < first_row + len(band))].T
    return np.bincount(np.searchsorted(ids, band[y - first_row, x]), minlength=ids.size).astype(np.float64)
