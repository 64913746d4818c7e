"""Subtracting the background that a region of the image shows: a drawn one, or labels made before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal, Protocol, Self

import numpy as np
from pydantic import model_validator

from cellmetry.core.image import Box
from cellmetry.core.progress import SILENT
from cellmetry.errors import ParameterError
from cellmetry.ops.correct import corrected
from cellmetry.ops.label_checks import check_same_size
from cellmetry.ops.label_planes import labels_in
from cellmetry.ops.quantiles import percentiles_of
from cellmetry.ops.shapes import Shape, inside, shape_box, shapes_on
from cellmetry.ops.subtract import Negatives, Subtraction, subtract_level

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from cellmetry.core.image import Image
    from cellmetry.core.labels import Labels
    from cellmetry.core.progress import Progress
    from cellmetry.core.sample import Sample
    from cellmetry.ops.correct import PlaneReader, ReadPart

__all__ = [
    "DrawnRegion",
    "LabelRegion",
    "Region",
    "RegionSubtraction",
    "Statistic",
    "SubtractRegion",
    "region_background",
]

Statistic = Literal["mean", "median"]
"""How the pixels of the background become one number."""

_BAND = 1024


class Region(Protocol):
    """Which pixels of a plane are background."""

    def box(self, plane: PlaneReader) -> Box:
        """Return a rectangle that holds all of them."""
        ...

    def held(self, plane: PlaneReader, box: Box) -> NDArray[np.bool_]:
        """Return which pixels of `box` are background, shape ``box.shape``."""
        ...


@dataclass(frozen=True)
class DrawnRegion:
    """Drawn shapes together; a pixel belongs to one if its middle lies in it."""

    shapes: tuple[Shape, ...]

    def box(self, plane: PlaneReader) -> Box:
        """Return a rectangle that holds all shapes."""
        boxes = np.array([shape_box(shape, plane.shape) for shape in self.shapes])
        y0, _, x0, _ = boxes.min(axis=0).tolist()
        _, y1, _, x1 = boxes.max(axis=0).tolist()
        return Box(y0, y1, x0, x1)

    def held(self, plane: PlaneReader, box: Box) -> NDArray[np.bool_]:
        """Return which pixels of `box` lie in any shape."""
        y, x = np.arange(box.y0, box.y1)[:, None] + 0.5, np.arange(box.x0, box.x1)[None, :] + 0.5
        held = np.zeros(box.shape, bool)
        for shape in self.shapes:
            held |= inside(shape, y, x)
        return held


@dataclass(frozen=True)
class LabelRegion:
    """All objects of a label image, or of the plane of it that the image's plane lies on."""

    labels: Labels

    def box(self, plane: PlaneReader) -> Box:
        """Return the whole plane."""
        return plane.image.plane_box

    def held(self, plane: PlaneReader, box: Box) -> NDArray[np.bool_]:
        """Return which pixels of `box` are labelled."""
        return labels_in(self.labels, box, t=plane.t, z=plane.z) > 0


def region_background(plane: PlaneReader, region: Region, statistic: Statistic) -> float:
    """Return the mean or median of the finite pixels of a region of a plane; it is read in bands.

    Raises
    ------
    ParameterError
        If there is no such pixel.
    """

    def bands() -> Iterator[NDArray[np.float32]]:
        whole = region.box(plane)
        for y in range(whole.y0, whole.y1, _BAND):
            box = whole._replace(y0=y, y1=min(y + _BAND, whole.y1))
            values = plane.values(box)[region.held(plane, box)]
            yield values[np.isfinite(values)]

    sums = np.sum([(values.sum(dtype=np.float64), values.size) for values in bands()] or [(0.0, 0)], axis=0)
    if sums[1] == 0:
        raise ParameterError(
            f"The background region holds no pixel of {plane.image.name} in plane t={plane.t}, z={plane.z}, or none "
            f"that is a number; give a region that lies on it."
        )
    return float(sums[0] / sums[1] if statistic == "mean" else percentiles_of(bands, (50.0,))[0])


@dataclass(frozen=True)
class RegionSubtraction:
    """Takes from each plane the background that a region of it shows."""

    region: Region
    statistic: Statistic = "mean"
    negatives: Negatives = "keep"

    def prepare(self, plane: PlaneReader) -> ReadPart:
        """Return the reader of the plane less its background."""
        return subtract_level(plane, region_background(plane, self.region, self.statistic), self.negatives)


class SubtractRegion(Subtraction):
    """Subtract from each plane the background that a region of it shows: drawn shapes, or labels made before."""

    name: ClassVar[str] = "subtract_region"

    shapes: tuple[Shape, ...] = ()
    """Drawn regions that hold background only; of several, all pixels together."""
    labels: str | None = None
    """Name of labels or of a mask made before, all of whose pixels are background; instead of shapes."""
    statistic: Statistic = "mean"
    """How the pixels of the region become one number: mean or median."""

    @model_validator(mode="after")
    def _one_region(self) -> Self:
        if bool(self.shapes) == (self.labels is not None):
            raise ValueError("Give either shapes or labels as the region of the background.")
        return self

    def __call__(self, sample: Sample, progress: Progress = SILENT) -> Sample:
        """Return the sample with the corrected image."""
        correction = RegionSubtraction(self._region(sample), self.statistic, self.negatives)
        return sample.with_image(corrected(sample.image, correction, self.channels))

    def _region(self, sample: Sample) -> Region:
        if self.labels is None:
            return _drawn(sample.image, self.shapes)
        labels = sample.need_region(self.labels)
        check_same_size(labels, sample.image)
        return LabelRegion(labels)


def _drawn(image: Image, shapes: tuple[Shape, ...]) -> DrawnRegion:
    found = shapes_on(image, shapes)
    if not found:
        named = ", ".join(repr(shape.name) for shape in shapes)
        raise ParameterError(f"None of the background regions ({named}) lies on {image.name}; draw one for this image.")
    return DrawnRegion(found)
