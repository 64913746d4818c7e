"""Resolution levels of images: each pixel is the average of 2 × 2 of the level before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cellmetry.core.image import Box

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from cellmetry.core.image import Image

__all__ = ["halved", "halved_size", "level_count", "planes_of", "read_bands"]


def level_count(shape: Sequence[int], smallest: int) -> int:
    """Return how many levels a plane of `shape` needs until its long side is at most `smallest`."""
    side, count = max(shape), 1
    while side > smallest:
        side, count = halved_size(side), count + 1
    return count


def halved_size(size: int) -> int:
    """Return the size along an axis at the next level."""
    return (size + 1) // 2


def halved(plane: NDArray[Any]) -> NDArray[Any]:
    """Return the averages of 2 × 2 pixels, in the same dtype, whole numbers rounded half up.

    The last row or column of an odd plane is averaged with itself. A block is not-a-number if one of its pixels is.
    """
    odd = [(0, size % 2) for size in plane.shape]
    even = np.pad(plane, odd, mode="edge") if any(rest for _, rest in odd) else plane
    whole = plane.dtype.kind != "f"
    total = sum(even[y::2, x::2].astype(np.int64 if whole else np.float64) for y in (0, 1) for x in (0, 1))
    mean = np.right_shift(np.add(total, 2), 2) if whole else np.divide(total, 4)
    out: NDArray[Any] = mean.astype(plane.dtype)
    return out


def planes_of(image: Image) -> Iterator[tuple[int, int, int]]:
    """Yield T, C and Z of every plane, in the order in which they are stored."""
    yield from np.ndindex(*image.source.shape[:3])


def read_bands(image: Image, plane: tuple[int, int, int], rows: int) -> Iterator[tuple[int, NDArray[Any]]]:
    """Yield the first row and the pixels of each band of `rows` rows of a plane."""
    t, c, z = plane
    height, width = image.source.shape[3:]
    for y in range(0, height, rows):
        yield y, image.source.read(t, c, z, Box(y, min(y + rows, height), 0, width))
