"""Positions of the pixels of whole planes in and beside their cells, read and worked in bands of rows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cellmetry.core.image import Box
from cellmetry.errors import AxesError
from cellmetry.io.scratch import new_label_array
from cellmetry.measure.fields import check_sizes
from cellmetry.measure.runs import Extents, extents_of, merge_extents, places_of
from cellmetry.ops.radial import Depths, Positions, deepest_pixels, inside_distances, place_pixels

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from cellmetry.core.image import Image
    from cellmetry.core.labels import Labels

__all__ = [
    "CellBlock",
    "PlaneCells",
    "PlanePart",
    "any_pixel",
    "check_planes",
    "new_mask",
    "planes_of_labels",
]

_BAND_PIXELS = 1 << 24


def planes_of_labels(labels: Labels) -> list[tuple[int, ...]]:
    """Return the leading index (T, Z) of each plane."""
    return list(np.ndindex(*labels.shape[:-2]))


def check_planes(image: Image, labels: Labels) -> None:
    """Refuse labels that do not name the cells of every plane of the image.

    Raises
    ------
    LabelsError
        If they differ in size.
    AxesError
        If the image has frames or Z planes and the labels have not.
    """
    check_sizes(image, labels)
    if image.sizes["Z"] > 1 and "Z" not in labels.axes:
        raise AxesError(
            f"{image.name} has {image.sizes['Z']} Z planes but its labels ({labels.axes}) have none; segment every "
            f"plane (stack=planes), or a projection (stack=max)."
        )


def any_pixel(labels: Labels) -> bool:
    """Return whether any pixel belongs to a cell."""
    planes = (PlaneCells(labels, lead, (1.0, 1.0)) for lead in planes_of_labels(labels))
    return any(plane.read(band).any() for plane in planes for band in plane.bands())


@dataclass(frozen=True)
class PlaneCells:
    """The cells of one plane of labels, and where its pixels lie in them.

    Parameters
    ----------
    lead
        Which plane: index along T and Z.
    sides
        Height and width of a pixel in the unit of all distances.
    band_pixels
        About how many pixels are worked at a time; changes nothing in the results.
    """

    labels: Labels
    lead: tuple[int, ...]
    sides: tuple[float, float]
    band_pixels: int = _BAND_PIXELS

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the plane."""
        height, width = self.labels.shape[-2:]
        return height, width

    def read(self, box: Box) -> NDArray[np.uint32]:
        """Return the labels in `box`."""
        return np.ascontiguousarray(self.labels.array[(*self.lead, *box.slices)], dtype=np.uint32)

    def bands(self) -> list[Box]:
        """Return the plane cut into bands of whole rows."""
        height, width = self.shape
        rows = max(64, self.band_pixels // max(1, width))
        return [Box(y0, min(y0 + rows, height), 0, width) for y0 in range(0, height, rows)] or [Box(0, 0, 0, width)]

    @cached_property
    def extents(self) -> Extents:
        """Ids and bounding boxes of all cells."""
        return merge_extents([extents_of(self.read(band)[None], (0, band.y0, 0)) for band in self.bands()])

    @property
    def ids(self) -> NDArray[np.uint32]:
        """Ids of the cells, rising."""
        return self.extents.ids

    @cached_property
    def cut(self) -> NDArray[np.bool_]:
        """Which cells meet the image's border."""
        low, high = self.extents.low[:, 1:], self.extents.high[:, 1:]
        out: NDArray[np.bool_] = ((low == 0) | (high == np.array(self.shape))).any(axis=1)
        return out

    @cached_property
    def depths(self) -> Depths:
        """Distance of the deepest pixel of each cell from its boundary: 100 % of the way from centre to boundary."""
        deepest = np.zeros(self.ids.size)
        for band in self.bands():
            box = self._with_margin(band, 0.0)
            inside = self._inside(box)[band.y0 - box.y0 : band.y1 - box.y0]
            index = places_of(self.ids, self.read(band).ravel())
            np.maximum(deepest, deepest_pixels(index, inside.ravel(), deepest.size), out=deepest)
        return Depths(deepest - min(self.sides) / 2, self.cut)

    @property
    def no_depths(self) -> Depths:
        """What takes the place of the depths where positions are distances themselves."""
        return Depths(np.zeros(self.ids.size), np.zeros(self.ids.size, bool))

    def _inside(self, box: Box) -> NDArray[np.float64]:
        """Return the distances inside of cells; those of the whole plane are kept."""
        whole = box.shape == self.shape
        return self._inside_of_all if whole else inside_distances(self.read(box), self.shape, self.sides)

    @cached_property
    def _inside_of_all(self) -> NDArray[np.float64]:
        return inside_distances(self.read(Box(0, self.shape[0], 0, self.shape[1])), self.shape, self.sides)

    def blocks(self) -> Iterator[CellBlock]:
        """Yield parts of the plane that hold some cells whole, each cell in exactly one of them."""
        bands = self.bands()
        if len(bands) == 1:
            yield CellBlock(bands[0], None)
            return
        low, high = self.extents.low[:, 1], self.extents.high[:, 1]
        for band in bands:
            mine = (low >= band.y0) & (low < band.y1)
            if mine.any():
                yield CellBlock(Box(int(low[mine].min()), int(high[mine].max()), band.x0, band.x1), self.ids[mine])

    def parts(self, reach: float) -> Iterator[PlanePart]:
        """Yield the plane in bands with the position of each pixel, outside of cells up to `reach`."""
        for band in self.bands():
            box = self._with_margin(band, reach)
            place = (box, self.shape)
            positions = place_pixels(self.read(box), self._inside(box), place, sides=self.sides, reach=reach)
            positions = positions.rows(band.y0 - box.y0, band.y1 - box.y0)
            places = places_of(self.ids, positions.owner.ravel())
            yield PlanePart(band, positions, places.reshape(positions.owner.shape))

    def _with_margin(self, band: Box, reach: float) -> Box:
        """Return the band with the rows around it that decide where its pixels lie."""
        low, high = self.extents.low[:, 1], self.extents.high[:, 1]
        way_out = np.where((low == 0) | (high == self.shape[0]), high - low, (high - low) // 2)
        margin = int(way_out.max(initial=0)) + 2 + int(reach / self.sides[0]) + 2
        return Box(max(0, band.y0 - margin), min(self.shape[0], band.y1 + margin), band.x0, band.x1)


class CellBlock(NamedTuple):
    """A part of a plane, and the ids of the cells that it holds whole and alone; None if it is the whole plane."""

    box: Box
    ids: NDArray[np.uint32] | None

    def read(self, labels: Labels, lead: tuple[int, ...]) -> NDArray[np.uint32]:
        """Return the labels in the box of these cells alone."""
        part = np.ascontiguousarray(labels.array[(*lead, *self.box.slices)], dtype=np.uint32)
        if self.ids is None:
            return part
        here = places_of(self.ids, part.ravel()).reshape(part.shape) >= 0
        return np.where(here, part, np.uint32(0))


@dataclass(frozen=True)
class PlanePart:
    """A band of a plane.

    Parameters
    ----------
    box
        Where it lies.
    index
        For each pixel the place of its owner among the cells of the plane, -1 without one.
    """

    box: Box
    positions: Positions
    index: NDArray[np.int64]


def new_mask(labels: Labels, work: Callable[[tuple[int, ...]], Iterator[tuple[Box, NDArray[np.uint32]]]]) -> Labels:
    """Return labels like `labels` with the parts that `work` yields for each plane; parts may overlap, cells not."""
    out = new_label_array(labels.shape, labels.axes)
    for lead in planes_of_labels(labels):
        for box, part in work(lead):
            where = (*lead, *box.slices)
            out[where] = np.maximum(out[where], part)
    return replace(labels, array=out)
