"""Subtracting one background value a plane: of the darkest pixels, or stated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from pydantic import Field

from cellmetry.core.progress import SILENT
from cellmetry.core.step import Step
from cellmetry.errors import ParameterError
from cellmetry.ops.correct import corrected
from cellmetry.ops.quantiles import percentiles_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from cellmetry.core.image import Box, Image
    from cellmetry.core.progress import Progress
    from cellmetry.core.sample import Sample
    from cellmetry.ops.correct import PlaneReader, ReadPart

__all__ = [
    "DarkSubtraction",
    "Negatives",
    "SubtractDark",
    "SubtractValue",
    "Subtraction",
    "ValueSubtraction",
    "dark_background",
    "subtract_level",
    "subtracted",
]

Negatives = Literal["keep", "clip"]
"""What becomes of values below the background: they stay negative, or become 0."""


def subtracted(
    pixels: NDArray[np.float32], background: float | NDArray[np.float32], negatives: Negatives
) -> NDArray[np.float32]:
    """Return the pixels less the background, float32.

    Noise lies on both sides of the background: kept, the negative half balances the positive one, and the mean of a
    region without signal is 0; clipped, it is above 0 by up to 0.4 standard deviations of the noise.
    """
    out: NDArray[np.float32] = np.subtract(pixels, background, dtype=np.float32)
    return out if negatives == "keep" else np.maximum(out, np.float32(0))


def subtract_level(plane: PlaneReader, level: float, negatives: Negatives) -> ReadPart:
    """Return the reader of a plane less one value."""

    def part(box: Box) -> NDArray[np.float32]:
        return subtracted(plane.values(box), level, negatives)

    return part


def dark_background(plane: PlaneReader, percentile: float) -> float:
    """Return the mean of all finite pixels of a plane up to its percentile; NaN if there are none.

    It is the dark subtraction of DualCellQuant, and the same number.
    """
    limit = percentiles_of(plane.bands, (percentile,))[0]
    total, count = 0.0, 0
    for band in plane.bands():
        values = np.asarray(band, np.float32)
        dark = values[np.isfinite(values) & (values <= limit)]
        total += float(dark.sum(dtype=np.float64))
        count += dark.size
    return total / count if count else float("nan")


@dataclass(frozen=True)
class DarkSubtraction:
    """Takes the mean of the darkest pixels of each plane from it."""

    percentile: float
    negatives: Negatives = "keep"

    def prepare(self, plane: PlaneReader) -> ReadPart:
        """Return the reader of the plane less its dark background."""
        return subtract_level(plane, dark_background(plane, self.percentile), self.negatives)


@dataclass(frozen=True)
class ValueSubtraction:
    """Takes a stated value from each channel, given by its index."""

    values: Mapping[int, float]
    negatives: Negatives = "keep"

    def prepare(self, plane: PlaneReader) -> ReadPart:
        """Return the reader of the plane less the value of its channel."""
        return subtract_level(plane, self.values[plane.c], self.negatives)


class Subtraction(Step):
    """What all steps that subtract a background have in common."""

    channels: tuple[str | int, ...] | None = None
    """Names or indices of the channels to correct; all of them if left out."""
    negatives: Negatives = "keep"
    """What becomes of values below the background: keep (negative, so that means are unbiased) or clip (0)."""


class SubtractDark(Subtraction):
    """Subtract from each plane the mean of its darkest pixels."""

    name: ClassVar[str] = "subtract_dark"

    percentile: float = Field(default=5.0, ge=0, le=50)
    """Pixels up to this percentile of the whole plane are the dark ones."""

    def __call__(self, sample: Sample, progress: Progress = SILENT) -> Sample:
        """Return the sample with the corrected image."""
        correction = DarkSubtraction(self.percentile, self.negatives)
        return sample.with_image(corrected(sample.image, correction, self.channels))


class SubtractValue(Subtraction):
    """Subtract a stated value from each channel."""

    name: ClassVar[str] = "subtract_value"

    values: tuple[float, ...] = Field(min_length=1)
    """Background in the units of the stored pixels: one value for each of the channels, in their order, or one for
    all."""

    def __call__(self, sample: Sample, progress: Progress = SILENT) -> Sample:
        """Return the sample with the corrected image."""
        correction = ValueSubtraction(self._by_channel(sample.image), self.negatives)
        return sample.with_image(corrected(sample.image, correction, self.channels))

    def _by_channel(self, image: Image) -> dict[int, float]:
        names = range(len(image.channels)) if self.channels is None else self.channels
        indices = [image.channel_index(channel) for channel in names]
        if len(self.values) not in (1, len(indices)):
            raise ParameterError(
                f"subtract_value has {len(self.values)} values for {len(indices)} channels of {image.name}; "
                f"give one for each channel, or one for all."
            )
        values = self.values * len(indices) if len(self.values) == 1 else self.values
        return dict(zip(indices, values, strict=True))
