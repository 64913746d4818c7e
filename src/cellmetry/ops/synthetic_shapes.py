"""Outlines of generated cells, and how they are painted: smooth closed curves, many at once, on any rectangle."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cellmetry.core.image import Box

__all__ = ["HARMONICS", "Bodies", "outline_radius", "paint_bodies"]

HARMONICS = 3
"""An outline's radius is ``radius * (1 + sum of a_k cos(k (angle - p_k)))`` with k = 2, 3, 4."""

_NUCLEAR_SIGNAL = 0.85
_DOME = 0.3


@dataclass(frozen=True)
class Bodies:
    """Cells as numbers, one row a cell, in the coordinates of the whole (boundless) field.

    Parameters
    ----------
    ids
        Ids, at least 1.
    cells, nuclei
        float64 ``(n, 3 + 2 * HARMONICS)``: centre y, centre x, mean radius, amplitudes, phases; in pixels and radians.
    brightness
        float64 ``(n, 2)``: peak light of the nucleus in the DNA channel, and of the cell in the signal channel.
    """

    ids: NDArray[np.int64]
    cells: NDArray[np.float64]
    nuclei: NDArray[np.float64]
    brightness: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.ids)


def outline_radius(outlines: NDArray[np.float64], angle: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return each outline's radius in pixels in the direction `angle` (radians, from X towards Y)."""
    order = np.arange(2, 2 + HARMONICS)
    amplitudes, phases = outlines[:, 3 : 3 + HARMONICS], outlines[:, 3 + HARMONICS :]
    waves: NDArray[np.float64] = (amplitudes * np.cos(order * (angle[:, None] - phases))).sum(axis=1)
    return np.asarray(outlines[:, 2] * (1 + waves), dtype=np.float64)


def paint_bodies(bodies: Bodies, box: Box) -> tuple[NDArray[np.uint32], NDArray[np.float32]]:
    """Return which cell each pixel of `box` belongs to, and the light it sends.

    Where outlines overlap a pixel goes to the cell in which it lies deeper, so the result depends neither on the
    order of the cells nor on the rectangle painted.

    Returns
    -------
    index
        uint32 (2, Y, X): 1 + the row in `bodies` for the whole cell and for its nucleus, 0 outside.
    light
        float32 (2, Y, X): DNA and signal, without background.
    """
    shape = box.shape
    index = np.zeros((2, *shape), np.uint32)
    depth = np.full(shape, 1.0, np.float32)
    light = np.zeros((2, *shape), np.float32)
    _claim(bodies.cells, (box.y0, box.x0), index[0], depth)
    _shine(bodies.nuclei, bodies.brightness, (box.y0, box.x0), index, depth, light)
    return index, light


@njit(cache=True, nogil=True)
def _relative(outline: NDArray[np.float64], dy: float, dx: float) -> float:
    """Return the distance from the centre as a part of the outline's radius in that direction."""
    distance = np.sqrt(dy * dy + dx * dx)
    if distance == 0.0:
        return 0.0
    angle = np.arctan2(dy, dx)
    waves = 0.0
    for k in range(3):
        waves += outline[3 + k] * np.cos((k + 2) * (angle - outline[6 + k]))
    relative: float = distance / (outline[2] * (1.0 + waves))
    return relative


@njit(cache=True, nogil=True)
def _reach(outline: NDArray[np.float64], origin: tuple[int, int], shape: tuple[int, int]) -> tuple[int, int, int, int]:
    """Return the rows and columns of the painted array that the outline can touch."""
    radius = outline[2] * (1.0 + abs(outline[3]) + abs(outline[4]) + abs(outline[5])) + 1.0
    y, x = outline[0] - origin[0], outline[1] - origin[1]
    return (
        max(0, int(np.floor(y - radius))),
        min(shape[0], int(np.ceil(y + radius)) + 1),
        max(0, int(np.floor(x - radius))),
        min(shape[1], int(np.ceil(x + radius)) + 1),
    )


@njit(cache=True, nogil=True)
def _claim(
    outlines: NDArray[np.float64],
    origin: tuple[int, int],
    index: NDArray[np.uint32],
    depth: NDArray[np.float32],
) -> None:
    for i in range(len(outlines)):
        y0, y1, x0, x1 = _reach(outlines[i], origin, depth.shape)
        for y in range(y0, y1):
            for x in range(x0, x1):
                d = np.float32(_relative(outlines[i], y + origin[0] - outlines[i, 0], x + origin[1] - outlines[i, 1]))
                if d < depth[y, x]:
                    depth[y, x] = d
                    index[y, x] = i + 1


@njit(cache=True, nogil=True)
def _shine(
    nuclei: NDArray[np.float64],
    brightness: NDArray[np.float64],
    origin: tuple[int, int],
    index: NDArray[np.uint32],
    depth: NDArray[np.float32],
    light: NDArray[np.float32],
) -> None:
    for y in range(depth.shape[0]):
        for x in range(depth.shape[1]):
            cell = index[0, y, x]
            if cell == 0:
                continue
            i = cell - 1
            d = depth[y, x]
            light[1, y, x] = brightness[i, 1] * (1.0 - _DOME * d * d)
            n = _relative(nuclei[i], y + origin[0] - nuclei[i, 0], x + origin[1] - nuclei[i, 1])
            if n < 1.0:
                index[1, y, x] = cell
                light[0, y, x] = brightness[i, 0] * (1.0 - _DOME * n * n)
                light[1, y, x] *= _NUCLEAR_SIGNAL
