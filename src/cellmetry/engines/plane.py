"""`Plane`: one plane of an image as an engine sees it, read in regions at the engine's working scale."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from cellmetry.core.image import Box, PartSource
from cellmetry.errors import InputError
from cellmetry.ops.resample import needed_range, resample_range, resampled_size
from cellmetry.ops.tiles import plan_tiles

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from cellmetry.core.image import Image

__all__ = ["Plane"]

GREY_WEIGHTS = np.array([0.2125, 0.7154, 0.0721], np.float32)
"""Grey value of a colour picture (ITU-R BT.709, as in scikit-image)."""

_SURVEY_SIDE = 2048
_BINS = 65536


@dataclass(frozen=True)
class Plane:
    """One plane of an image, at the scale at which an engine works.

    Parameters
    ----------
    image
        Where pixels come from.
    channels
        Indices of the channels that the engine is given.
    t, z
        Which plane.
    scale
        Working pixels per pixel of the image.
    diameter_px
        Expected diameter of objects in working pixels; None if the user gave none.
    grey
        Whether the three channels of a colour picture are mixed to their grey value.
    known
        What was found out by reading all of its pixels; the same plane at another scale shares it.
    """

    image: Image
    channels: tuple[int, ...]
    t: int = 0
    z: int = 0
    scale: float = 1.0
    diameter_px: float | None = None
    grey: bool = False
    known: dict[Any, Any] = field(default_factory=dict, compare=False, repr=False)

    @property
    def full_shape(self) -> tuple[int, int]:
        """Height and width in the image's own pixels."""
        return self.image.sizes["Y"], self.image.sizes["X"]

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width in working pixels."""
        height, width = self.full_shape
        return resampled_size(height, self.scale), resampled_size(width, self.scale)

    def read_full(self, box: Box) -> NDArray[np.float32]:
        """Return pixels at the image's own scale, shape (C, Y, X); NaN and infinities as in the file."""
        parts = [self.image.plane(t=self.t, c=c, z=self.z, box=box) for c in self.channels]
        stack = np.stack(parts).astype(np.float32)
        return np.tensordot(GREY_WEIGHTS, stack, axes=1)[None] if self.grey else stack

    def read(self, box: Box) -> NDArray[np.float32]:
        """Return pixels at the working scale, shape (C, Y, X); what is not finite is given the lowest finite value."""
        full = self._full_box(box)
        pixels = self.read_full(full)
        finite = np.isfinite(pixels)
        if not finite.all():
            pixels = np.where(finite, pixels, self.lowest)
        if self.scale == 1.0:
            return pixels
        rows, columns = (box.y0, box.y1), (box.x0, box.x1)
        return np.stack([resample_range(c, rows, columns, self.full_shape, self.scale) for c in pixels])

    def _full_box(self, box: Box) -> Box:
        if self.scale == 1.0:
            return box
        height, width = self.full_shape
        y0, y1 = needed_range(box.y0, box.y1, height, self.scale)
        x0, x1 = needed_range(box.x0, box.x1, width, self.scale)
        return Box(y0, y1, x0, x1)

    def blocks(self) -> Iterator[NDArray[np.float32]]:
        """Yield all pixels at the image's own scale, block by block in a fixed order, each of shape (C, Y, X)."""
        for tile in plan_tiles(self.full_shape, _SURVEY_SIDE, 0):
            yield self.read_full(tile.core)

    @property
    def limits(self) -> tuple[float, float, int]:
        """Lowest and highest finite value, and how many pixels are not finite.

        Raises
        ------
        InputError
            If no pixel is finite.
        """
        if "limits" not in self.known:
            self.known["limits"] = self._find_limits()
        found: tuple[float, float, int] = self.known["limits"]
        return found

    @property
    def invalid_px(self) -> int:
        """How many pixels are NaN or infinite."""
        return 0 if np.issubdtype(self.image.dtype, np.integer) else self.limits[2]

    @property
    def lowest(self) -> float:
        """Lowest finite value."""
        return self.limits[0]

    def percentiles(self, *percents: float) -> NDArray[np.float64]:
        """Return percentiles over the whole plane for each channel, shape (channels, percents).

        Exact for values in whole numbers below 65,536; otherwise to 1/65,536 of the range.
        """
        if percents not in self.known:
            self.known[percents] = self._find_percentiles(percents)
        found: NDArray[np.float64] = self.known[percents]
        return found

    def _find_limits(self) -> tuple[float, float, int]:
        if self._few_values:
            counts, first = self._value_counts()
            values = np.flatnonzero(counts.any(axis=0)) + first
            return float(values[0]), float(values[-1]), 0
        low, high, bad = float("inf"), float("-inf"), 0
        for block in self.blocks():
            finite = np.isfinite(block)
            bad += block.size - int(finite.sum())
            if finite.any():
                low = min(low, float(block[finite].min()))
                high = max(high, float(block[finite].max()))
        if not np.isfinite(low):
            raise InputError(f"{self.image.name} has no valid pixel: every value is NaN or infinite.")
        return low, high, bad

    def _find_percentiles(self, percents: tuple[float, ...]) -> NDArray[np.float64]:
        if isinstance(self.image.source, PartSource):
            return self._surveyed_percentiles(self.image.source, percents)
        low, high, _ = self.limits
        if self._few_values:
            counts, first = self._value_counts()
            low, step = float(first), 1.0
        else:
            whole = np.issubdtype(self.image.dtype, np.integer) and not self.grey and high - low < _BINS
            bins = int(high - low) + 1 if whole else _BINS
            step = 1.0 if whole else max((high - low) / (_BINS - 1), float(np.finfo(np.float32).tiny))
            counts = self._count_bins(low, step, bins)
        total = counts.cumsum(axis=1)
        out = np.empty((len(counts), len(percents)))
        for channel in range(len(counts)):
            ranks = np.asarray(percents) / 100 * (total[channel, -1] - 1)
            out[channel] = low + step * np.searchsorted(total[channel], np.floor(ranks), side="right")
        return out

    def _surveyed_percentiles(self, source: PartSource, percents: tuple[float, ...]) -> NDArray[np.float64]:
        """Return percentiles of the whole of which the image is a part, from its low resolution."""
        whole = source.survey[self.t, list(self.channels), self.z].astype(np.float32)
        whole = np.tensordot(GREY_WEIGHTS, whole, axes=1)[None] if self.grey else whole
        finite = [channel[np.isfinite(channel)] for channel in whole]
        return np.stack([np.percentile(values if values.size else [0.0], percents) for values in finite])

    @property
    def _few_values(self) -> bool:
        """Whether pixels are whole numbers of at most 16 bits, which can be counted one by one."""
        return self.image.dtype.kind in "ui" and self.image.dtype.itemsize <= 2 and not self.grey

    def _value_counts(self) -> tuple[NDArray[np.int64], int]:
        """Return how often each value occurs in each channel, shape (channels, values), and the first of the values."""
        if "counts" not in self.known:
            first, last = np.iinfo(self.image.dtype).min, np.iinfo(self.image.dtype).max
            counts = np.zeros((len(self.channels), last - first + 1), np.int64)
            for tile in plan_tiles(self.full_shape, _SURVEY_SIDE, 0):
                for row, channel in enumerate(self.channels):
                    pixels = self.image.plane(t=self.t, c=channel, z=self.z, box=tile.core).ravel()
                    shifted = pixels if first == 0 else pixels.astype(np.int32) - first
                    counts[row] += np.bincount(shifted, minlength=counts.shape[1])
            self.known["counts"] = counts, first
        found: tuple[NDArray[np.int64], int] = self.known["counts"]
        return found

    def _count_bins(self, low: float, step: float, bins: int) -> NDArray[np.int64]:
        """Return how many pixels of each channel lie in each of the bins of width `step` from `low` on."""
        counts = np.zeros((1 if self.grey else len(self.channels), bins), np.int64)
        for block in self.blocks():
            for channel, pixels in enumerate(block):
                values = pixels[np.isfinite(pixels)]
                index = ((values.astype(np.float64) - low) / step).astype(np.int64)
                counts[channel] += np.bincount(index, minlength=bins)[:bins]
        return counts
