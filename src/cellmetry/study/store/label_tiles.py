"""Tiles of labels: squares of `TILE` pixels, at every resolution level of every plane."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, NamedTuple

from cellmetry.core.image import Box

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

__all__ = ["TILE", "Patch", "Tile", "box_of_tile", "patch_at_level", "tiles_of"]

TILE = 512
"""Side of a tile of labels and of images, in pixels."""


class Tile(NamedTuple):
    """Where a tile is: resolution level, frame, plane, row and column of tiles."""

    level: int
    t: int
    z: int
    y: int
    x: int


@dataclass(frozen=True)
class Patch:
    """Ids of a box of one plane, before and after a change."""

    t: int
    z: int
    box: Box
    before: NDArray[np.uint32]
    after: NDArray[np.uint32]


def patch_at_level(patch: Patch, pixels: NDArray[np.uint32], level: int) -> tuple[NDArray[np.uint32], Box]:
    """Return what a level, where every 2^level-th pixel is, has of the pixels in a patch's box; and the box there."""
    step = 1 << level
    box = Box(*(-(-edge // step) for edge in patch.box))
    rows, columns = box.y0 * step - patch.box.y0, box.x0 * step - patch.box.x0
    return pixels[rows::step, columns::step], box


def tiles_of(box: Box, level: int, t: int, z: int) -> Iterator[tuple[Tile, Box]]:
    """Yield the tiles that a box touches, each with the part of the box that is in it."""
    rows, columns = (range(a // TILE, -(-b // TILE)) for a, b in ((box.y0, box.y1), (box.x0, box.x1)))
    if 0 in box.shape:
        return
    for y, x in product(rows, columns):
        tile = Tile(level, t, z, y, x)
        whole = box_of_tile(tile)
        inside = (max(box.y0, whole.y0), min(box.y1, whole.y1), max(box.x0, whole.x0), min(box.x1, whole.x1))
        yield tile, Box(*inside)


def box_of_tile(tile: Tile) -> Box:
    """Return the pixels of a tile at its level, as if the plane went on beyond its edge."""
    return Box(tile.y * TILE, (tile.y + 1) * TILE, tile.x * TILE, (tile.x + 1) * TILE)
