"""Outlines drawn inside each object, so that touching objects keep their own; and where to write their ids."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import edt
import fastremap
import numpy as np
from numba import njit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["ObjectMap", "draw_lines", "draw_outlines", "draw_shade", "line_weight", "map_objects", "rim_brightness"]

_RIM = 6.0

_SHADE, _SHADE_WIDTH = 0.6, 0.6
"""How much darker it is beside a bright line, and how wide that is in widths of the line."""

_PULL = 0.15
"""How much a pixel nearer to the centroid is preferred to one further from the edge, when an id is placed."""


class ObjectMap(NamedTuple):
    """What drawing needs to know of the objects of a picture; row ``k`` of the tables is object number ``k``.

    Parameters
    ----------
    numbers
        Which object a pixel belongs to, 1 … n; 0 for background. Shape (Y, X).
    ids
        The id of each object; row 0 is background.
    depth
        Distance of each pixel from the nearest pixel of something else, in pixels.
    points
        Row and column of a point well inside each object, near its centroid.
    widths
        Diameter in pixels of the circle of equal area.
    """

    numbers: NDArray[np.uint32]
    ids: NDArray[np.uint32]
    depth: NDArray[np.float32]
    points: NDArray[np.float64]
    widths: NDArray[np.float64]


def map_objects(labels: NDArray[np.uint32]) -> ObjectMap:
    """Return where the objects of a plane lie, with the edge of the picture not counted as an edge of an object."""
    numbers, mapping = fastremap.renumber(labels, preserve_zero=True)
    numbers = np.ascontiguousarray(numbers, np.uint32)
    count = int(numbers.max(initial=0))
    ids = np.zeros(count + 1, np.uint32)
    for identity, number in mapping.items():
        ids[int(number)] = identity
    depth = edt.edt(numbers, black_border=False, parallel=1)
    depth[np.isinf(depth)] = max(labels.shape)
    areas = np.bincount(numbers.ravel(), minlength=count + 1)
    return ObjectMap(numbers, ids, depth, _inner_points(numbers, depth, areas), np.sqrt(areas * 4 / np.pi))


def draw_outlines(
    rgb: NDArray[np.uint8], objects: ObjectMap, colours: NDArray[np.uint8], *, width: float
) -> NDArray[np.uint8]:
    """Return a copy of the picture with a line `width` pixels wide inside each object, in its row of `colours`."""
    weight = line_weight(objects, width)
    rows, columns = np.nonzero(weight)
    share = weight[rows, columns, None]
    mixed = rgb.copy()
    line = colours[objects.numbers[rows, columns]]
    mixed[rows, columns] = np.rint(line * share + rgb[rows, columns] * (1 - share)).astype(np.uint8)
    return mixed


def line_weight(objects: ObjectMap, width: float) -> NDArray[np.float32]:
    """Return how much each pixel belongs to a line `width` pixels wide inside each object, from 0 to 1."""
    weight: NDArray[np.float32] = np.clip(np.float32(width + 1) - objects.depth, 0, 1)
    weight[objects.numbers == 0] = 0
    return weight


def draw_lines(
    rgb: NDArray[np.uint8], weights: Sequence[NDArray[np.float32]], colours: NDArray[np.uint8], *, stripe_px: int
) -> NDArray[np.uint8]:
    """Return a copy of the picture with lines, given by the weight of each pixel, in one colour each.

    Where several lines lie on the same pixels, their colours take turns in slanting stripes, so that none is hidden.
    """
    rows, columns = np.nonzero(np.maximum.reduce(weights))
    shares = np.stack([weight[rows, columns] for weight in weights])
    there = shares > 0
    stripe = (rows + 2 * columns) // stripe_px % there.sum(axis=0)
    chosen = np.argmax(there & (np.cumsum(there, axis=0) == stripe + 1), axis=0)
    share = np.take_along_axis(shares, chosen[None], axis=0)[0][:, None]
    mixed = rgb.copy()
    mixed[rows, columns] = np.rint(colours[chosen] * share + rgb[rows, columns] * (1 - share)).astype(np.uint8)
    return mixed


def draw_shade(rgb: NDArray[np.uint8], weight: NDArray[np.float32], width: float) -> NDArray[np.uint8]:
    """Return a copy of the picture darkened beside a line, so that a bright line is seen on bright ground too."""
    if not weight.any():
        return rgb
    away = edt.edt(weight == 0, black_border=False, parallel=1)
    reach = np.float32(max(1.0, _SHADE_WIDTH * width) + 1)
    rows, columns = np.nonzero((away > 0) & (away < reach))
    share = _SHADE * np.clip(reach - away[rows, columns, None], 0, 1)
    shaded = rgb.copy()
    shaded[rows, columns] = np.rint(rgb[rows, columns] * (1 - share)).astype(np.uint8)
    return shaded


def rim_brightness(rgb: NDArray[np.uint8], objects: ObjectMap) -> NDArray[np.float64]:
    """Return, for each object, how bright the picture is where its outline will lie, from 0 to 1 (Rec. 709)."""
    rows, columns = np.nonzero((objects.numbers > 0) & (objects.depth <= _RIM))
    light = rgb[rows, columns] @ np.array([0.2126, 0.7152, 0.0722]) / 255
    numbers = objects.numbers[rows, columns]
    count = np.bincount(numbers, minlength=len(objects.ids))
    return np.bincount(numbers, weights=light, minlength=len(objects.ids)) / np.maximum(count, 1)


@njit(cache=True, nogil=True)
def _inner_points(
    numbers: NDArray[np.uint32], depth: NDArray[np.float32], areas: NDArray[np.int64]
) -> NDArray[np.float64]:
    count = len(areas)
    centre = np.zeros((count, 2))
    best = np.full(count, -np.inf)
    points = np.zeros((count, 2))
    height, width = numbers.shape
    for y in range(height):
        for x in range(width):
            number = numbers[y, x]
            centre[number, 0] += y / areas[number]
            centre[number, 1] += x / areas[number]
    for y in range(height):
        for x in range(width):
            number = numbers[y, x]
            away = np.hypot(y - centre[number, 0], x - centre[number, 1])
            score = depth[y, x] - _PULL * away
            if score > best[number]:
                best[number] = score
                points[number, 0] = y
                points[number, 1] = x
    return points
