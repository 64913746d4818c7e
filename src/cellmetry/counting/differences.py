"""Where the two counters disagree: both summed in blocks of the plane, and their difference in standard units."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from cellmetry.core.image import ArraySource, Box, Channel, Image, PixelSize
from cellmetry.ops.density import point_mass_in_blocks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from cellmetry.counting.regions import CountedPlane

__all__ = ["block_differences", "differences_image"]

_VARIANCE_PER_AREA = 0.1
_ROWS_OF_BLOCKS = 16


def block_differences(plane: CountedPlane, side: int) -> NDArray[np.float32]:
    """Return (D - N) / √(1 + (D + N) / 2) for each block of `side` × `side` pixels of a plane with both counters.

    D is the density's sum in the block. N is what the objects would add if each were the Gaussian that the density
    is trained to show (variance 0.1 · area round the centroid), so that a cell on the border of two blocks counts in
    both as it does in D. Above 0 where the density counts more. As counts scatter with their square root, values
    beyond about ±1 deserve a look.
    """
    if plane.objects is None or plane.density is None:
        raise ValueError("Two counters are needed to tell where they differ.")
    sigmas = np.sqrt(_VARIANCE_PER_AREA * plane.objects.areas)
    instances = point_mass_in_blocks(plane.objects.centres, sigmas, plane.shape, side)
    density = _sums_in_blocks(plane, side)
    return ((density - instances) / np.sqrt(1 + (density + instances) / 2)).astype(np.float32)


def _sums_in_blocks(plane: CountedPlane, side: int) -> NDArray[np.float64]:
    height, width = plane.shape
    columns = np.arange(0, width, side)
    parts = []
    for y in range(0, height, side * _ROWS_OF_BLOCKS):
        values = plane.density_in(Box(y, min(y + side * _ROWS_OF_BLOCKS, height), 0, width))
        if values is not None:
            rows = np.arange(0, len(values), side)
            parts.append(np.add.reduceat(np.add.reduceat(values, rows, axis=0), columns, axis=1))
    return np.asarray(np.maximum(np.concatenate(parts), 0), np.float64)


def differences_image(image: Image, planes: Sequence[NDArray[np.float32]], side: int) -> Image:
    """Return the differences of all planes of `image` as an image of one pixel a block, with its size in µm."""
    sizes, pixel = image.sizes, image.pixel_size
    array = np.stack(planes).reshape(sizes["T"], 1, sizes["Z"], *planes[0].shape)
    larger = PixelSize(pixel.x and pixel.x * side, pixel.y and pixel.y * side, pixel.z)
    return replace(
        Image(ArraySource(array), image.axes.replace("C", ""), (Channel("disagreement"),)),
        pixel_size=larger,
        bit_depth=32,
        name=image.name,
        metadata={"block_px": side},
    )
