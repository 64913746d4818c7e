"""Ratio images: one channel over another, pixel by pixel, and images restricted to a mask; both computed when read."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from cellmetry.core.image import AXES, Channel, DerivedSource
from cellmetry.ops.label_planes import labels_in
from cellmetry.ops.quotient import quotient

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from cellmetry.core.image import Box, Image
    from cellmetry.core.labels import Labels

__all__ = ["finite_in_both", "masked_image", "ratio_image", "ratio_name"]


def ratio_name(above: str, below: str) -> str:
    """Return how the ratio of two channels is called: ``target_to_reference``."""
    return f"{above}_to_{below}"


@dataclass(frozen=True)
class _RatioSource(DerivedSource):
    """Quotients of channels of an image; NaN where the lower one is not above 0, unless smoothed by epsilon."""

    image: Image
    pairs: tuple[tuple[int, int], ...]
    epsilon: float | None

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype(np.float32)

    @property
    def shape(self) -> tuple[int, int, int, int, int]:
        t, _, z, y, x = self.image.source.shape
        return t, len(self.pairs), z, y, x

    def derive(self, t: int, c: int, z: int, box: Box) -> NDArray[Any]:
        above, below = (self.image.plane(t=t, c=i, z=z, box=box).astype(np.float64) for i in self.pairs[c])
        if self.epsilon is not None:
            above, below = above + self.epsilon, below + self.epsilon
        return quotient(above, below, negative=self.epsilon is not None).astype(np.float32)


def ratio_image(image: Image, pairs: Sequence[tuple[str, str]], *, epsilon: float | None = None) -> Image:
    """Return an image with one channel for each pair of channels: the first over the second, float32.

    Parameters
    ----------
    epsilon
        Added to both; without it a pixel is NaN where the second channel is not above 0.

    Raises
    ------
    UnknownName
        If a channel does not exist.
    """
    places = tuple((image.channel_index(above), image.channel_index(below)) for above, below in pairs)
    names = tuple(Channel(ratio_name(above, below)) for above, below in pairs)
    wanted = {*image.axes, "C"} if len(pairs) > 1 else {*image.axes} - {"C"}
    axes = "".join(axis for axis in AXES if axis in wanted)
    return replace(image, source=_RatioSource(image, places, epsilon), axes=axes, channels=names, colour=False)


@dataclass(frozen=True)
class _JointSource(DerivedSource):
    """Two channels of an image, NaN in both where either is not finite."""

    image: Image
    pair: tuple[int, int]

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype(np.float64)

    @property
    def shape(self) -> tuple[int, int, int, int, int]:
        t, _, z, y, x = self.image.source.shape
        return t, 2, z, y, x

    def derive(self, t: int, c: int, z: int, box: Box) -> NDArray[Any]:
        both = [self.image.plane(t=t, c=i, z=z, box=box).astype(np.float64) for i in self.pair]
        return np.where(np.isfinite(both[0]) & np.isfinite(both[1]), both[c], np.nan)


def finite_in_both(image: Image, pair: tuple[str, str]) -> Image:
    """Return the two channels as an image in which a pixel that is not finite in one is NaN in both, float64.

    Raises
    ------
    UnknownName
        If a channel does not exist.
    """
    places = (image.channel_index(pair[0]), image.channel_index(pair[1]))
    axes = "".join(axis for axis in AXES if axis in {*image.axes, "C"})
    names = (Channel("above"), Channel("below"))
    return replace(image, source=_JointSource(image, places), axes=axes, channels=names, colour=False)


@dataclass(frozen=True)
class _MaskedSource(DerivedSource):
    """An image's pixels within a mask; NaN elsewhere."""

    image: Image
    mask: Labels

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype(np.float32)

    @property
    def shape(self) -> tuple[int, int, int, int, int]:
        return self.image.source.shape

    def derive(self, t: int, c: int, z: int, box: Box) -> NDArray[Any]:
        inside = labels_in(self.mask, box, t=t, z=z) > 0
        return np.where(inside, self.image.plane(t=t, c=c, z=z, box=box), np.float32(np.nan))


def masked_image(image: Image, mask: Labels) -> Image:
    """Return the image with NaN outside of the mask, float32."""
    return replace(image, source=_MaskedSource(image, mask))
