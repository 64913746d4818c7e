"""Checks that need pixels: values that are no numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cellmetry.core.image import Box
from cellmetry.errors import DamagedFile

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray

    from cellmetry.core.image import Image

__all__ = ["BadPixels", "check_pixels", "count_bad_pixels"]

_BAND_PIXELS = 4_000_000


class BadPixels(NamedTuple):
    """How many pixels are NaN, how many infinite, of how many."""

    nan: int = 0
    infinite: int = 0
    total: int = 0

    def plus(self, other: BadPixels) -> BadPixels:
        """Return the sum of both counts."""
        return BadPixels(self.nan + other.nan, self.infinite + other.infinite, self.total + other.total)


def count_bad_pixels(pixels: NDArray[Any]) -> BadPixels:
    """Return how many values of an array are NaN or infinite; integers never are."""
    if pixels.dtype.kind != "f":
        return BadPixels(total=pixels.size)
    finite = int(np.count_nonzero(np.isfinite(pixels)))
    if finite == pixels.size:
        return BadPixels(total=pixels.size)
    nan = int(np.count_nonzero(np.isnan(pixels)))
    return BadPixels(nan, pixels.size - finite - nan, pixels.size)


def check_pixels(image: Image) -> tuple[str, ...]:
    """Return warnings with the counts of NaN and infinite pixels of each channel; costs nothing for integers.

    Raises
    ------
    DamagedFile
        If a float image has no finite pixel at all.
    """
    if image.dtype.kind != "f":
        return ()
    counts = [_channel_count(image, channel) for channel in range(image.sizes["C"])]
    if all(count.nan + count.infinite == count.total for count in counts):
        raise DamagedFile(f"{image.name} has no pixel with a number in it: all are NaN or infinite.")
    notes = []
    for channel, count in zip(image.channels, counts, strict=True):
        for kind, number in (("NaN (not a number)", count.nan), ("infinite", count.infinite)):
            if number:
                notes.append(
                    f"{image.name}: {number:,} of {count.total:,} pixels of channel {channel.name} are {kind}; "
                    f"they are left out of all statistics."
                )
    return tuple(notes)


def _channel_count(image: Image, channel: int) -> BadPixels:
    """Return the counts of one channel over all its planes, read in bands of rows."""
    sizes, count = image.sizes, BadPixels()
    rows = max(_BAND_PIXELS // sizes["X"], 1)
    for t in range(sizes["T"]):
        for z in range(sizes["Z"]):
            for y in range(0, sizes["Y"], rows):
                band = Box(y, min(y + rows, sizes["Y"]), 0, sizes["X"])
                count = count.plus(count_bad_pixels(image.plane(t=t, c=channel, z=z, box=band)))
    return count
