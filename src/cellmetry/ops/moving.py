"""Moving a plane by a part of a pixel, part by part: each part is the same as that of the whole moved plane.

Interpolation uses the nearest 1, 2 or 4 pixels along each axis: nearest, linear, or cubic convolution (Keys 1981, IEEE
Trans Acoust Speech Signal Process 29:1153), with which no pixel depends on the whole plane as it would with splines.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from cellmetry.core.image import Box

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

__all__ = ["Order", "highest_in", "move_in"]

Order = Literal[0, 1, 3]
"""Of the interpolation: 0 nearest, 1 linear, 3 cubic."""


def move_in(
    read: Callable[[Box], NDArray[np.float32]],
    shape: tuple[int, int],
    box: Box,
    shift: tuple[float, float],
    order: Order,
) -> NDArray[np.float32]:
    """Return `box` of the moved plane.

    Parameters
    ----------
    read
        Returns pixels of a box of the plane before it is moved.
    shape
        Height and width of the plane.
    shift
        Rows down and columns right.
    """
    rows, columns = (_taps(by, order) for by in shift)
    first_y, first_x = min(rows), min(columns)
    wanted = Box(box.y0 + first_y, box.y1 + max(rows), box.x0 + first_x, box.x1 + max(columns))
    source = _read_padded(read, shape, wanted)
    height, width = box.shape
    across = _weighted_sum(source, columns, first_x, width)
    return _weighted_sum(across.T, rows, first_y, height).T


def highest_in(
    read: Callable[[Box], NDArray[Any]], shape: tuple[int, int], box: Box, shift: tuple[float, float], order: Order
) -> NDArray[Any]:
    """Return, for `box` of the moved plane, the highest of the pixels that each of its values is made of; 0 outside.

    What tells whether a saturated pixel has a part in an interpolated value; in the type that `read` returns.
    """
    rows, columns = (_taps(by, order) for by in shift)
    first = Box(*(at + tap for at, tap in zip(box, (min(rows), max(rows), min(columns), max(columns)), strict=True)))
    inside = _inside(first, shape)
    part = read(inside)
    padded = np.zeros(first.shape, part.dtype)
    padded[inside.within(first).slices] = part
    highest = np.zeros(box.shape, part.dtype)
    for y in rows:
        for x in columns:
            there = Box(box.y0 + y, box.y1 + y, box.x0 + x, box.x1 + x).within(first)
            np.maximum(highest, padded[there.slices], out=highest)
    return highest


def _taps(shift: float, order: Order) -> dict[int, np.float32]:
    """Return the weight of each source pixel, by its place relative to the result's; those of weight 0 left out."""
    if order == 0:
        return {-int(np.floor(shift + 0.5)): np.float32(1)}
    whole = int(np.floor(-shift))
    part = -shift - whole
    weights = {0: 1 - part, 1: part} if order == 1 else {at: _keys(abs(part - at)) for at in (-1, 0, 1, 2)}
    return {whole + at: np.float32(weight) for at, weight in weights.items() if np.float32(weight) != 0}


def _keys(distance: float) -> float:
    """Return the weight of cubic convolution, a = −1/2, at a distance in pixels."""
    if distance <= 1:
        return 1.5 * distance**3 - 2.5 * distance**2 + 1
    return -0.5 * (distance - 1) * (distance - 2) ** 2 if distance < 2 else 0.0


def _read_padded(
    read: Callable[[Box], NDArray[np.float32]], shape: tuple[int, int], wanted: Box
) -> NDArray[np.float32]:
    """Return the pixels of a box that may lie outside the plane, NaN there."""
    inside = _inside(wanted, shape)
    if inside == wanted:
        return read(inside)
    padded = np.full(wanted.shape, np.nan, np.float32)
    if inside.y1 > inside.y0 and inside.x1 > inside.x0:
        padded[inside.within(wanted).slices] = read(inside)
    return padded


def _inside(wanted: Box, shape: tuple[int, int]) -> Box:
    """Return the part of a box that lies in a plane of this shape."""
    y0, y1 = (int(np.clip(at, 0, shape[0])) for at in wanted[:2])
    x0, x1 = (int(np.clip(at, 0, shape[1])) for at in wanted[2:])
    return Box(y0, y1, x0, x1)


def _weighted_sum(
    source: NDArray[np.float32], taps: dict[int, np.float32], first: int, size: int
) -> NDArray[np.float32]:
    """Return the sum of `source`, moved along its last axis by each tap, times the tap's weight."""
    total = np.zeros((source.shape[0], size), np.float32)
    for at in sorted(taps):
        total += taps[at] * source[:, at - first : at - first + size]
    return total
