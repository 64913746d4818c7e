"""Corrected images: what is done to pixels before they are measured, computed part by part when they are read.

A `Correction` says what happens to the pixels of one plane. `corrected` wraps an image so that reading it gives
float32 pixels with the correction applied; nothing is computed before, and never more than is asked for, so that a
slide of any size can be corrected. What a plane needs to know about itself as a whole (a percentile, say) is found
once, when it is first read.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from cellmetry.core.image import Box, DerivedSource

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from cellmetry.core.image import Image, PixelSource

__all__ = ["Correction", "PlaneReader", "ReadPart", "corrected", "enlarged_box"]

ReadPart = Callable[[Box], "NDArray[np.float32]"]
"""Returns the corrected pixels of a box, float32."""

_BAND_PIXELS = 1 << 24
_KEPT_PIXELS = 1 << 25
_KEPT_PLANES = 6


@dataclass(frozen=True)
class PlaneReader:
    """One plane before its correction.

    Parameters
    ----------
    image
        The image that is corrected.
    t, c, z
        Which plane of it.
    """

    image: Image
    t: int
    c: int
    z: int

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width."""
        return self.image.sizes["Y"], self.image.sizes["X"]

    def read(self, box: Box | None = None) -> NDArray[Any]:
        """Return the pixels of `box`, or all, in the stored dtype."""
        return self.image.plane(t=self.t, c=self.c, z=self.z, box=box)

    def values(self, box: Box | None = None) -> NDArray[np.float32]:
        """Return the same as float32."""
        return self.read(box).astype(np.float32)

    def bands(self) -> Iterator[NDArray[Any]]:
        """Yield the plane in bands of whole rows, for what is to be known of it as a whole."""
        height, width = self.shape
        rows = max(1, _BAND_PIXELS // max(1, width))
        for y0 in range(0, height, rows):
            yield self.read(Box(y0, min(y0 + rows, height), 0, width))

    def of_channel(self, c: int) -> PlaneReader:
        """Return the plane of another channel at the same place."""
        return replace(self, c=c)


class Correction(Protocol):
    """What is done to the pixels of a plane."""

    def prepare(self, plane: PlaneReader) -> ReadPart:
        """Return the function that reads corrected parts of `plane`; what it returns must not depend on the part."""
        ...


class _CorrectedSource(DerivedSource):
    """Pixels of another image, corrected where a channel is to be; float32.

    Whole planes of usual size are kept, the last few that were read, since steps read them again and again.
    """

    def __init__(self, image: Image, correction: Correction, channels: frozenset[int]) -> None:
        self.image, self.correction, self.channels = image, correction, channels
        self.prepared: dict[tuple[int, int, int], ReadPart] = {}
        self.planes: OrderedDict[tuple[int, int, int], NDArray[np.float32]] = OrderedDict()
        self.lock = threading.RLock()

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype(np.float32)

    @property
    def shape(self) -> tuple[int, int, int, int, int]:
        return self.image.source.shape

    def derive(self, t: int, c: int, z: int, box: Box) -> NDArray[Any]:
        if c not in self.channels:
            return self.image.plane(t=t, c=c, z=z, box=box).astype(np.float32)
        with self.lock:
            return self._corrected((t, c, z), box)

    def _corrected(self, place: tuple[int, int, int], box: Box) -> NDArray[np.float32]:
        whole = self.image.plane_box
        if whole.shape[0] * whole.shape[1] > _KEPT_PIXELS:
            return self._part(place)(box)
        if place not in self.planes:
            self.planes[place] = self._part(place)(whole)
            self.planes[place].flags.writeable = False
            if len(self.planes) > _KEPT_PLANES:
                self.planes.popitem(last=False)
        self.planes.move_to_end(place)
        return self.planes[place][box.slices]

    def _part(self, place: tuple[int, int, int]) -> ReadPart:
        if place not in self.prepared:
            t, c, z = place
            self.prepared[place] = self.correction.prepare(PlaneReader(self.image, t, c, z))
        return self.prepared[place]


def corrected(image: Image, correction: Correction, channels: Sequence[str | int] | None = None) -> Image:
    """Return `image` with the correction applied to these channels (all if None); float32 in all of them.

    Raises
    ------
    UnknownName
        If a channel does not exist.
    """
    names = range(len(image.channels)) if channels is None else channels
    chosen = frozenset(image.channel_index(channel) for channel in names)
    source: PixelSource = _CorrectedSource(image, correction, chosen)
    return replace(image, source=source, colour=False)


def enlarged_box(box: Box, shape: tuple[int, int], margin: int, *, grid: int = 1) -> Box:
    """Return `box` with `margin` pixels around it, within a plane of `shape`, beginning at multiples of `grid`."""
    y0, x0 = (max(0, start - margin) // grid * grid for start in (box.y0, box.x0))
    y1, x1 = (min(size, stop + margin) for size, stop in zip(shape, (box.y1, box.x1), strict=True))
    return Box(y0, y1, x0, x1)
