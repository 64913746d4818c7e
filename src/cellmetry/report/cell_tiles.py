"""Small pictures of single cells: channels side by side in a few greys, the outline of the cell, equal contrast."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from PIL import Image as Picture
from pydantic import Field
from scipy.ndimage import binary_erosion

from cellmetry.core.step import Parameters
from cellmetry.io.pictures import palette_png
from cellmetry.report.colours import colour_bytes
from cellmetry.report.composite import contrast_limits, stretch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["CellPictureOptions", "CellTile", "draw_tiles", "scaled_tile", "tile_limits"]

_GAP_PX = 2


class CellPictureOptions(Parameters):
    """How the pictures of single cells look."""

    labels: str = "cells"
    """Labels that the cells are of."""
    channels: tuple[str, ...] = ()
    """Channels to show side by side, by name or index; all if empty."""
    side_px: float = Field(default=80.0, ge=4, le=4096)
    """Side of the square around the cell, in pixels of the image."""
    side_um: float | None = Field(default=None, gt=0)
    """The same in µm, which then holds in place of pixels; needs images whose pixel size is known."""
    picture_px: int = Field(default=72, ge=16, le=256)
    """Side of a channel's picture, in pixels."""
    greys: int = Field(default=15, ge=2, le=255)
    """Number of greys; with 15 or fewer, and the outline, a picture takes least space."""
    outline_colour: str = "#F0E442"
    """Colour of the outline as #rrggbb."""
    low_percentile: float = Field(default=1.0, ge=0, lt=50)
    """Percentile of the pixels of all shown cells together that is black."""
    high_percentile: float = Field(default=99.5, gt=50, le=100)
    """Percentile of the pixels of all shown cells together that is white."""


class CellTile(NamedTuple):
    """A cell at the size of its picture.

    Parameters
    ----------
    planes
        float32 (C, S, S); NaN beyond the image.
    outline
        Whether a pixel is on the cell's outline, (S, S).
    """

    planes: NDArray[np.float32]
    outline: NDArray[np.bool_]


def scaled_tile(planes: Sequence[NDArray[Any]], inside: NDArray[np.bool_], side: int) -> CellTile:
    """Return a cell at `side` pixels: pixels averaged where there are more, repeated where there are fewer."""
    small = [
        np.asarray(Picture.fromarray(plane.astype(np.float32)).resize((side, side), Picture.Resampling.BOX))
        for plane in planes
    ]
    mask = np.asarray(
        Picture.fromarray(inside.astype(np.uint8)).resize((side, side), Picture.Resampling.NEAREST)
    ).astype(bool)
    return CellTile(np.stack(small), mask & ~binary_erosion(mask, border_value=1))


def tile_limits(tiles: Sequence[CellTile], options: CellPictureOptions) -> list[tuple[float, float]]:
    """Return the values shown as black and as white of each channel, from all cells together."""
    count = len(tiles[0].planes) if tiles else 0
    return [
        contrast_limits(
            np.concatenate([tile.planes[channel].ravel() for tile in tiles]),
            options.low_percentile,
            options.high_percentile,
        )
        for channel in range(count)
    ]


def draw_tiles(tile: CellTile, limits: Sequence[tuple[float, float]], options: CellPictureOptions) -> bytes:
    """Return the picture of a cell as PNG, its channels from left to right."""
    parts: list[NDArray[np.uint8]] = []
    for plane, limit in zip(tile.planes, limits, strict=True):
        greys = np.rint(stretch(plane, limit) * (options.greys - 1)).astype(np.uint8)
        greys[tile.outline] = options.greys
        parts += [greys, np.zeros((len(greys), _GAP_PX), np.uint8)]
    ramp = np.linspace(0, 255, options.greys).round().astype(np.uint8)
    palette = np.vstack([np.repeat(ramp[:, None], 3, axis=1), colour_bytes(options.outline_colour)])
    return palette_png(np.concatenate(parts[:-1], axis=1), palette)
