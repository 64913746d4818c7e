"""Outlines of all objects of a label image at once, along the sides of pixels.

Coordinates are x, y in pixels with (0, 0) the outer corner of the first pixel, as in `polygons`. Only corners are kept.
Pixels of an object that touch at a corner alone are parts of their own, and no ring passes a corner twice: where an
outline touches itself it is divided there, so that rings are simple as OGC's Simple Features demand (a hole may touch
its outer ring in a point). Filling the rings by the even-odd rule gives the same pixels back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import cc3d
import numpy as np
from numba import njit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

__all__ = ["Outlines", "grown", "trace_labels"]


class Outlines(NamedTuple):
    """Outlines of the objects of one plane, each level a list of where the next one begins.

    Parameters
    ----------
    ids
        uint32 (n,), in order: object k has the parts ``parts_of[k]`` to ``parts_of[k + 1]``.
    parts_of
        int64 (n + 1,).
    rings_of
        int64 (parts + 1,): the rings of each part, the outer one first, then its holes.
    points_of
        int64 (rings + 1,): the points of each ring, closed by itself: the first point does not stand again at the end.
    points
        int32 (points, 2) as x, y. Outer rings run clockwise on the screen (y downward), holes the other way.
    """

    ids: NDArray[np.uint32]
    parts_of: NDArray[np.int64]
    rings_of: NDArray[np.int64]
    points_of: NDArray[np.int64]
    points: NDArray[np.int32]

    def polygons(self) -> Iterator[tuple[int, list[list[NDArray[np.int32]]]]]:
        """Yield each id with its parts, each a list of rings (n, 2), the outer one first."""
        parts, rings, places = self.parts_of.tolist(), self.rings_of.tolist(), self.points_of.tolist()
        for k, identity in enumerate(self.ids.tolist()):
            yield (
                identity,
                [
                    [self.points[places[r] : places[r + 1]] for r in range(rings[p], rings[p + 1])]
                    for p in range(parts[k], parts[k + 1])
                ],
            )

    @property
    def simple(self) -> NDArray[np.bool_]:
        """Whether each object is one part without a hole."""
        first, last = self.rings_of[self.parts_of[:-1]], self.rings_of[self.parts_of[1:]]
        alone: NDArray[np.bool_] = last - first == 1
        return alone


def trace_labels(labels: NDArray[np.integer]) -> Outlines:
    """Return the outlines of all objects of a label image (Y, X), 0 being background, in two passes over its pixels.

    Parts are the 4-connected components of each id (cc3d).
    """
    plane = np.ascontiguousarray(labels, np.uint32)
    components, count = cc3d.connected_components(plane, connectivity=4, return_N=True, out_dtype=np.uint32)
    points, lengths, component, outer = _walk_all(components.reshape(plane.shape))
    id_of = np.zeros(count + 1, np.uint32)
    id_of[components.ravel()] = plane.ravel()
    ring_id = id_of[component]
    order = np.lexsort((~outer, component, ring_id))
    ids, parts_of, rings_of = _grouped(ring_id[order], component[order])
    return Outlines(ids, parts_of, rings_of, *_gathered(points, lengths, order))


def _grouped(ring_id: NDArray[Any], component: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.int64], NDArray[Any]]:
    """Return the ids, where the parts of each begin, and where the rings of each part begin."""
    rings_of = np.append(np.flatnonzero(np.diff(component, prepend=-1)), component.size)
    part_id = ring_id[rings_of[:-1]]
    parts_of = np.append(np.flatnonzero(np.diff(part_id.astype(np.int64), prepend=-1)), part_id.size)
    return part_id[parts_of[:-1]], parts_of.astype(np.int64), rings_of.astype(np.int64)


def _gathered(points: NDArray[Any], lengths: NDArray[Any], order: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return where each ring begins and all points, with the rings in `order`."""
    starts, kept = np.cumsum(lengths) - lengths, lengths[order]
    places = np.concatenate([np.zeros(1, np.int64), np.cumsum(kept)])
    index = np.arange(places[-1]) + np.repeat(starts[order] - places[:-1], kept)
    return places, points[index]


@njit(cache=True, nogil=True)
def grown(array: Any, needed: int) -> Any:
    """Return the array, or a copy twice as long if it has no place for `needed` entries."""
    if needed <= array.shape[0]:
        return array
    larger = np.empty((max(needed, 2 * array.shape[0]), array.shape[1]), array.dtype)
    larger[: array.shape[0]] = array
    return larger


@njit(cache=True, nogil=True)
def _is(plane: Any, y: int, x: int, wanted: int) -> bool:
    """Return whether the pixel lies in the image and has the value `wanted`."""
    return bool(0 <= y < plane.shape[0] and 0 <= x < plane.shape[1] and plane[y, x] == wanted)


@njit(cache=True, nogil=True)
def _walk_all(plane: Any) -> Any:
    """Return points, and of each ring its length, its component and whether it is an outer one.

    Each outline is walked with its component on the right; every outline has a side along the top of a pixel, where
    its walk begins, and the first of a component in reading order is its outer one.
    """
    height, width = plane.shape
    seen = np.zeros((height, width), np.bool_)
    begun = np.zeros(plane.max() + 1 if plane.size else 1, np.bool_)
    points, rings = np.empty((1024, 2), np.int32), np.empty((256, 3), np.int64)
    way, knots = np.empty((256, 2), np.int32), np.empty((64, 1), np.int64)
    n_points, n_rings = 0, 0
    for row in range(height):
        for column in range(width):
            part = plane[row, column]
            if part == 0 or seen[row, column] or (row > 0 and plane[row - 1, column] == part):
                continue
            length, n_knots = 0, 0
            x, y, heading = column, row, 0
            while True:
                x, y, turn, knot = _to_corner(plane, seen, x, y, heading)
                heading = (heading + turn) % 4
                if knot and n_knots and way[knots[n_knots - 1, 0], 0] == x and way[knots[n_knots - 1, 0], 1] == y:
                    n_knots -= 1
                    first = knots[n_knots, 0]
                    points, rings = grown(points, n_points + length - first), grown(rings, n_rings + 1)
                    points[n_points : n_points + length - first] = way[first:length]
                    n_points += length - first
                    rings[n_rings] = length - first, np.int64(part), 0
                    n_rings += 1
                    length = first
                elif knot:
                    knots = grown(knots, n_knots + 1)
                    knots[n_knots, 0] = length
                    n_knots += 1
                way = grown(way, length + 1)
                way[length] = x, y
                length += 1
                if x == column and y == row and heading == 0:
                    break
            points, rings = grown(points, n_points + length), grown(rings, n_rings + 1)
            points[n_points : n_points + length] = way[:length]
            n_points += length
            rings[n_rings] = length, np.int64(part), np.int64(not begun[part])
            begun[part] = True
            n_rings += 1
    found = rings[:n_rings]
    return points[:n_points].copy(), found[:, 0].copy(), found[:, 1].copy(), found[:, 2] == 1


@njit(cache=True, nogil=True)
def _to_corner(plane: Any, seen: Any, x: int, y: int, heading: int) -> Any:
    """Return the next corner on the way, how to turn there (1 right, 3 left), and whether the way touches itself there.

    Headings: 0 right, 1 down, 2 left, 3 up.
    """
    dx, dy = (1, 0, -1, 0), (0, 1, 0, -1)
    right_y, right_x = (0, 0, -1, -1), (0, -1, -1, 0)
    left_y, left_x = (-1, 0, 0, -1), (0, 0, -1, -1)
    part = plane[y + (0, 0, -1, -1)[heading], x + (0, -1, -1, 0)[heading]]
    while True:
        if heading == 0:
            seen[y, x] = True
        x += dx[heading]
        y += dy[heading]
        on_left = _is(plane, y + left_y[heading], x + left_x[heading], part)
        if not _is(plane, y + right_y[heading], x + right_x[heading], part):
            return x, y, 1, on_left
        if on_left:
            return x, y, 3, False
