"""Keeping a corrected image, as 32-, 16- or 8-bit pixels, so that a run writes it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from cellmetry.core.image import DerivedSource
from cellmetry.core.progress import SILENT
from cellmetry.core.step import Step
from cellmetry.errors import ParameterError
from cellmetry.ops.channels import select_channels
from cellmetry.ops.correct import PlaneReader
from cellmetry.ops.quantiles import percentiles_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from cellmetry.core.image import Box, Image, PixelSource
    from cellmetry.core.progress import Progress
    from cellmetry.core.sample import Sample

__all__ = ["Bits", "KeepImage", "channel_limits", "count_clipped", "stored_image"]

Bits = Literal[32, 16, 8]
"""Of a pixel: 32 a number with fraction, 16 a whole number up to 65535, 8 a whole number up to 255."""

Limits = tuple[tuple[float, float], ...]

_LARGEST = 65535


@dataclass(frozen=True)
class _StoredSource(DerivedSource):
    """Pixels of an image in another type."""

    image: Image
    bits: Bits
    limits: Limits

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype({32: np.float32, 16: np.uint16, 8: np.uint8}[self.bits])

    @property
    def shape(self) -> tuple[int, int, int, int, int]:
        return self.image.source.shape

    def derive(self, t: int, c: int, z: int, box: Box) -> NDArray[Any]:
        pixels = self.image.plane(t=t, c=c, z=z, box=box)
        if self.bits == 32:
            return pixels.astype(np.float32)
        if self.bits == 16:
            return _whole(pixels, _LARGEST).astype(np.uint16)
        low, high = self.limits[c]
        with np.errstate(invalid="ignore"):  # an infinite pixel of a flat channel has no place between the limits
            share = (pixels - np.float64(low)) / (high - low if high > low else np.inf)
        return _whole(255 * np.clip(share, 0.0, 1.0), 255).astype(np.uint8)


def _whole(pixels: NDArray[Any], largest: int) -> NDArray[np.float64]:
    """Return the nearest whole numbers (the even one of two) from 0 to `largest`; 0 where a pixel is no number."""
    rounded = np.nan_to_num(np.rint(pixels.astype(np.float64)), nan=0.0, posinf=largest, neginf=0.0)
    return np.asarray(np.clip(rounded, 0, largest))


def stored_image(image: Image, bits: Bits, limits: Limits = ()) -> Image:
    """Return `image` with pixels of another type, made where they are read.

    Parameters
    ----------
    bits
        32: as they are; 16: rounded, clipped to 0 … 65535; 8: stretched between `limits`, rounded, clipped to 0 … 255.
        What is no number becomes 0 in 16 and 8 bits.
    limits
        For each channel the values that become 0 and 255.
    """
    source: PixelSource = _StoredSource(image, bits, limits)
    return replace(image, source=source, bit_depth=bits, colour=False)


def _bands(image: Image, c: int) -> Iterator[NDArray[Any]]:
    places = ((t, z) for t in range(image.sizes["T"]) for z in range(image.sizes["Z"]))
    return chain.from_iterable(PlaneReader(image, t, c, z).bands() for t, z in places)


def channel_limits(image: Image, percentiles: tuple[float, float]) -> Limits:
    """Return for each channel the two percentiles of all its planes together."""
    found = [percentiles_of(lambda c=c: _bands(image, c), percentiles) for c in range(len(image.channels))]  # type: ignore[misc]
    return tuple((float(low), float(high)) for low, high in found)


def count_clipped(image: Image) -> int:
    """Return how many pixels are not between 0 and 65535 once rounded, or no numbers."""
    bands = chain.from_iterable(_bands(image, c) for c in range(len(image.channels)))
    return sum(int(np.count_nonzero(~((np.rint(band) >= 0) & (np.rint(band) <= _LARGEST)))) for band in bands)


class KeepImage(Step):
    """Keep the image as it is at this step, so that the run writes it as TIFF."""

    name: ClassVar[str] = "keep_image"

    channels: tuple[str | int, ...] | None = None
    """Names or indices of the channels to keep; all of them if left out."""
    made: str = Field(default="corrected", pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")
    """Name of the map that is made, with which its file's name ends."""
    bits: Bits = 32
    """32 keeps values as they are (for measuring elsewhere); 16 rounds them and clips to 0 … 65535; 8 stretches them to
    0 … 255 (for looking at only)."""
    limits: tuple[float, float] | None = None
    """With 8 bits: the values that become 0 and 255, for all channels."""
    percentiles: tuple[float, float] | None = None
    """With 8 bits, instead of limits: the percentiles of each channel that become 0 and 255; 0 and 100 if left out."""

    @model_validator(mode="after")
    def _limits_fit(self) -> Self:
        if self.bits != 8 and (self.limits is not None or self.percentiles is not None):
            raise ValueError("limits and percentiles go with 8 bits only.")
        if self.limits is not None and self.percentiles is not None:
            raise ValueError("give either limits or percentiles, not both.")
        low, high = self.limits or self.percentiles or (0.0, 100.0)
        if low >= high or (self.percentiles is not None and not 0 <= low < high <= 100):
            raise ValueError("limits and percentiles rise; percentiles lie from 0 to 100.")
        return self

    def __call__(self, sample: Sample, progress: Progress = SILENT) -> Sample:
        """Return the sample with the image among its maps, and a warning that counts the clipped pixels."""
        if self.made in sample.maps:
            raise ParameterError(f"There is a map named {self.made!r} already; give keep_image another name (made).")
        image = sample.image if self.channels is None else select_channels(sample.image, self.channels)
        kept = stored_image(image, self.bits, self._limits(image))
        return sample.with_maps({self.made: kept}).with_warnings(*self._clipped(image))

    def _limits(self, image: Image) -> Limits:
        if self.bits != 8:
            return ()
        if self.limits is not None:
            return (self.limits,) * len(image.channels)
        return channel_limits(image, self.percentiles or (0.0, 100.0))

    def _clipped(self, image: Image) -> list[str]:
        clipped = count_clipped(image) if self.bits == 16 else 0
        if not clipped:
            return []
        return [
            f"{clipped} pixels of the image kept as {self.made} lie outside 0 … 65535 (or are no numbers) and were "
            f"clipped in its 16 bits; bits = 32 keeps them."
        ]
