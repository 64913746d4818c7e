"""Planes in which spots are sought: read in bands that are wide enough, filtered, with the noise of all cells."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy import ndimage as ndi

from cellmetry.measure.pair_values import sampled_bands
from cellmetry.ops.correct import enlarged_box
from cellmetry.ops.spots import filter_margin, filter_spots, spot_roundness
from cellmetry.ops.spread import SD_OF_MAD

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from cellmetry.core.image import Box
    from cellmetry.measure.fields import Field
    from cellmetry.measure.spot_intensity import SpotShape
    from cellmetry.ops.spots import SpotMethod

__all__ = ["SpotBand", "SpotPlane"]

_ROUNDING = 1e-9


class SpotBand(NamedTuple):
    """A part of a plane with the margin that its spots need; `inner` is the part itself."""

    box: Box
    inner: Box
    labels: NDArray[np.uint32]
    pixels: NDArray[Any]
    response: NDArray[np.float64]


class SpotPlane:
    """A plane that is looked at in bands, the last of which is kept, so that a small plane is filtered once."""

    def __init__(self, plane: Field, channel: int, method: SpotMethod, shape: SpotShape) -> None:
        self.plane, self.channel, self.method, self.shape = plane, channel, method, shape
        self.sigmas = [radius / np.sqrt(2) for radius in shape.radii]
        self.bands = list(sampled_bands(plane))
        self.kept: tuple[int, SpotBand] | None = None

    def __iter__(self) -> Iterator[SpotBand]:
        """Yield the bands from the top."""
        return (self.band(number) for number in range(len(self.bands)))

    def band(self, number: int) -> SpotBand:
        """Return a band, filtered."""
        if self.kept is None or self.kept[0] != number:
            self.kept = number, self._read(self.bands[number][0])
        return self.kept[1]

    def _read(self, core: Box) -> SpotBand:
        margin = max(filter_margin(self.sigmas), self.shape.reach)
        whole = self.plane.image.plane_box
        box = enlarged_box(core, whole.shape, margin)
        labels = self.plane.read_labels(box)[0]
        pixels = self.plane.read_channel(self.channel, box)[0]
        return SpotBand(box, core.within(box), labels, pixels, filter_spots(pixels, self.sigmas, self.method))

    def roundness(self, band: SpotBand, places: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return how round the spots at some places of a band are."""
        if not len(places):
            return np.zeros(0)
        found: NDArray[np.float64] = spot_roundness(band.pixels, self.sigmas)[tuple(places.T)]
        return found

    @cached_property
    def noise(self) -> tuple[float, float]:
        """Median and robust SD (1.4826 MAD) of the filtered pixels well inside of cells.

        Well inside is where no pixel nearer than two sigmas, along rows and columns, is of another cell or of none; in
        a plane whose cells are too small for that, all pixels of cells count. Of a huge plane it is every n-th row and
        column.
        """
        well, cells, top = [np.zeros(0)], [np.zeros(0)], 0.0
        for band, (_, thin) in zip(self, self.bands, strict=True):
            inner = band.inner.slices
            values, inside = band.response[inner][thin, thin], (band.labels[inner] > 0)[thin, thin]
            inside &= np.isfinite(values)
            cells.append(values[inside])
            well.append(values[inside & self._well_inside(band.labels)[inner][thin, thin]])
            pixels = band.pixels[inner]
            top = max(top, float(np.abs(pixels, dtype=np.float64).max(initial=0, where=np.isfinite(pixels))))
        values = np.concatenate(well if any(part.size for part in well) else cells)
        if not values.size:
            return 0.0, 0.0
        middle = float(np.median(values))
        return middle, max(SD_OF_MAD * float(np.median(np.abs(values - middle))), _ROUNDING * top)

    def _well_inside(self, labels: NDArray[np.uint32]) -> NDArray[np.bool_]:
        size = [2 * int(np.ceil(2 * sigma)) + 1 for sigma in self.sigmas]
        least, most = (function(labels, size, mode="nearest") for function in (ndi.minimum_filter, ndi.maximum_filter))
        same: NDArray[np.bool_] = least == most
        return same
