"""Rings of background around cells, made where they are read, so that no whole slide of them is ever held."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import product
from math import ceil
from typing import TYPE_CHECKING, Any

import numpy as np

from cellmetry.core.image import Box
from cellmetry.ops.correct import enlarged_box
from cellmetry.ops.distance import nearest_labels, sides_of
from cellmetry.ops.label_planes import labels_in

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cellmetry.core.image import Image
    from cellmetry.core.labels import Labels
    from cellmetry.ops.regions import Width

__all__ = ["CellRings"]


@dataclass(frozen=True)
class CellRings:
    """The ring of background around each cell, as a label array with the image's axes, made where it is read.

    A ring pixel belongs to the cell nearest to it, so rings never overlap one another or a cell.

    Parameters
    ----------
    image, labels
        Of the same height and width; labels without T or Z lie on every plane.
    width
        Of the ring and of the gap inside it.
    """

    image: Image
    labels: Labels
    width: Width

    @property
    def axes(self) -> str:
        """The image's, without the channels."""
        return self.image.axes.replace("C", "")

    @property
    def shape(self) -> tuple[int, ...]:
        """Size along each of `axes`."""
        return tuple(self.image.sizes[axis] for axis in self.axes)

    @property
    def dtype(self) -> np.dtype[np.uint32]:
        """Type of the ids."""
        return np.dtype(np.uint32)

    @cached_property
    def sides(self) -> tuple[float, float]:
        """Height and width of a pixel in the unit of `width`."""
        pixels = self.image.pixel_size if self.image.pixel_size.known else self.labels.pixel_size
        return sides_of(pixels, um=self.width.um, what="The width of the ring")

    def __getitem__(self, index: Any) -> NDArray[np.uint32]:
        """Return the rings in some rows and columns (slices) of some planes (whole numbers or slices)."""
        *lead, rows, columns = index
        sizes = zip(lead, self.shape[:-2], strict=True)
        planes = [range(size)[at] if isinstance(at, slice) else [at] for at, size in sizes]
        places = (dict(zip(self.axes[:-2], place, strict=True)) for place in product(*planes))
        box = Box(rows.start, rows.stop, columns.start, columns.stop)
        made = [self.nearest(box, place.get("T", 0), place.get("Z", 0), beyond=self.width.gap) for place in places]
        kept = [len(range_) for range_, at in zip(planes, lead, strict=True) if isinstance(at, slice)]
        return np.stack(made).reshape(*kept, *box.shape)

    def nearest(self, box: Box, t: int, z: int, *, beyond: float) -> NDArray[np.uint32]:
        """Return the cell nearest to each background pixel farther than `beyond` from it, up to the ring's end."""
        end = self.width.gap + self.width.width
        plane = self.image.sizes["Y"], self.image.sizes["X"]
        outer = enlarged_box(box, plane, ceil(end / min(self.sides)) + 2)
        made = nearest_labels(labels_in(self.labels, outer, t=t, z=z), beyond, end, sides=self.sides)
        return made[box.within(outer).slices]

    def owners(self, box: Box, t: int, z: int) -> NDArray[np.uint32]:
        """Return the cell to which each pixel counts: the one it lies in or, up to the ring's end, is nearest to."""
        cells = labels_in(self.labels, box, t=t, z=z)
        return np.where(cells > 0, cells, self.nearest(box, t, z, beyond=0.0))
