"""Projections of a Z stack to one plane, computed region by region on demand."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cellmetry.core.image import Box, Image, PixelSource
    from cellmetry.core.sample import Sample

__all__ = ["Projection", "project_sample", "project_z"]

Projection = Literal["max", "mean"]


@dataclass(frozen=True)
class _ProjectedSource:
    """The maximum or mean along Z of another source."""

    source: PixelSource
    how: Projection

    @property
    def dtype(self) -> np.dtype[Any]:
        """The source's own type for a maximum, float32 for a mean."""
        return self.source.dtype if self.how == "max" else np.dtype(np.float32)

    @property
    def shape(self) -> tuple[int, int, int, int, int]:
        """The source's shape with one plane along Z."""
        t, c, _, y, x = self.source.shape
        return t, c, 1, y, x

    @property
    def level_shapes(self) -> tuple[tuple[int, int], ...]:
        """The source's levels."""
        return self.source.level_shapes

    def read(self, t: int, c: int, z: int, box: Box, level: int = 0) -> NDArray[Any]:
        """Return the projection of `box`, plane by plane."""
        depth = self.source.shape[2]
        total = self.source.read(t, c, 0, box, level).astype(self.dtype if self.how == "max" else np.float64)
        for plane in range(1, depth):
            pixels = self.source.read(t, c, plane, box, level)
            total = np.maximum(total, pixels) if self.how == "max" else total + pixels
        return (total if self.how == "max" else total / depth).astype(self.dtype)


def project_z(image: Image, how: Projection) -> Image:
    """Return the image with its Z planes made into one by maximum or mean; as it is if it has no Z axis."""
    if "Z" not in image.axes:
        return image
    return replace(image, source=_ProjectedSource(image.source, how), axes=image.axes.replace("Z", ""))


def project_sample(sample: Sample, how: Projection) -> Sample:
    """Return the sample with its image projected; its original becomes the maximum, which shows all saturation."""
    image = project_z(sample.image, how)
    if sample.original is None and how == "max":
        return replace(sample, image=image)
    return replace(sample, image=image, original=project_z(sample.unprocessed, "max"))
