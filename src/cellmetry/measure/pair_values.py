"""Pixels of two channels side by side: read in boxes with what is left out, and as a sample of a whole field."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from cellmetry.core.image import Box

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from cellmetry.measure.fields import Field

__all__ = ["NOT_FINITE", "SATURATED", "USED", "ChannelPair", "PairValues", "sampled_bands", "sampled_pair"]

USED, SATURATED, NOT_FINITE = 0, 1, 2
"""What becomes of a pixel: it is used, or left out because a channel is saturated, or not finite, there."""

_BAND_PIXELS = 1 << 22
_FEWEST_ROWS = 64
_SAMPLED_PIXELS = 1 << 24


class PairValues(NamedTuple):
    """Pixels of two channels, of one dtype and of shape (Z, Y, X), with what becomes of each (uint8)."""

    first: NDArray[Any]
    second: NDArray[Any]
    fate: NDArray[np.uint8]


@dataclass(frozen=True)
class ChannelPair:
    """Two channels of a field.

    Parameters
    ----------
    field
        Where they are read.
    channels
        Their indices.
    original
        The same field of the image as the detector gave it; None where saturation is not looked at.
    limits
        Of each channel, the value from which on a pixel of the original is saturated.
    """

    field: Field
    channels: tuple[int, int]
    original: Field | None = None
    limits: tuple[float, float] = (np.inf, np.inf)

    def read(self, box: Box) -> PairValues:
        """Return the pixels of both channels in `box`."""
        first, second = (self.field.read_channel(channel, box) for channel in self.channels)
        common = np.result_type(first, second)
        fate = np.full(first.shape, USED, np.uint8)
        if self.original is not None:
            for channel, limit in zip(self.channels, self.limits, strict=True):
                fate[self.original.read_channel(channel, box) >= limit] = SATURATED
        fate[~(np.isfinite(first) & np.isfinite(second))] = NOT_FINITE
        return PairValues(first.astype(common, copy=False), second.astype(common, copy=False), fate)


def sampled_bands(field: Field, *, most: int = _SAMPLED_PIXELS) -> Iterator[tuple[Box, slice]]:
    """Yield bands of whole rows that cover a field, each with the step that thins it out in Y and X.

    The step is 1 for a field of up to `most` pixels; in a larger one every n-th row and column are taken, the same
    ones however the field is cut.
    """
    height, width = field.image.sizes["Y"], field.image.sizes["X"]
    step = max(1, int(np.ceil(np.sqrt(height * width * field.depth / most))))
    rows = -(-max(_FEWEST_ROWS, _BAND_PIXELS // max(1, width * field.depth)) // step) * step
    for y0 in range(0, height, rows):
        yield Box(y0, min(y0 + rows, height), 0, width), slice(None, None, step)


def sampled_pair(pair: ChannelPair, regions: Field, *, inside: bool) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the values of both channels in all regions together, or outside them; of a huge field, a sample."""
    firsts, seconds = [], []
    for box, thin in sampled_bands(pair.field):
        values = PairValues(*(part[:, thin, thin] for part in pair.read(box)))
        chosen = ((regions.read_labels(box)[:, thin, thin] > 0) == inside) & (values.fate == USED)
        firsts.append(values.first[chosen])
        seconds.append(values.second[chosen])
    return np.concatenate(firsts), np.concatenate(seconds)
