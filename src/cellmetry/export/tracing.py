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
        points, parts, rings = self.points, self.parts_of.tolist(), self.rings_of.tolist()
        places, first = self.points_of.tolist(), self.rings_of[self.parts_of[:-1]]
        begins, ends = self.points_of[first].tolist(), self.points_of[first + 1].tolist()
        for k, (identity, simple) in enumerate(zip(self.ids.tolist(), self.simple.tolist(), strict=True)):
            if simple:
                yield identity, [[points[begins[k] : ends[k]]]]
                continue
            yield (
                identity,
                [
                    [points[places[r] : places[r + 1]] for r in range(rings[p], rings[p + 1])]
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
    """Return the outlines of all objects of a label image (Y, X), 0 being background, in one pass over its pixels.

    Parts are the 4-connected components of each id; where an id has several of them and holes too, cc3d says which hole
    is whose.
    """
    plane = np.ascontiguousarray(labels, np.uint32)
    points, lengths, areas, starts = _walk_all(plane)
    ids = plane[starts[:, 0], starts[:, 1]]
    part = _parts(plane, ids, areas, starts)
    order = np.lexsort((areas < 0, part, ids))
    ids, part = ids[order].astype(np.int64), part[order]
    fresh_id, fresh_part = np.diff(ids, prepend=-1) != 0, np.diff(part, prepend=-1) != 0
    rings_of = np.append(np.flatnonzero(fresh_id | fresh_part), ids.size)
    part_id = ids[rings_of[:-1]]
    parts_of = np.append(np.flatnonzero(np.diff(part_id, prepend=-1)), part_id.size)
    return Outlines(part_id[parts_of[:-1]].astype(np.uint32), parts_of, rings_of, *_gathered(points, lengths, order))


def _parts(
    plane: NDArray[np.uint32], ids: NDArray[np.uint32], areas: NDArray[np.int64], starts: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return for each ring a number that tells the parts of its object apart."""
    index = np.unique(ids, return_inverse=True)[1]
    outer, holes = np.bincount(index[areas > 0]), np.bincount(index[areas < 0])
    holes = np.pad(holes, (0, outer.size - holes.size))
    if ((outer > 1) & (holes > 0)).any():
        components = cc3d.connected_components(plane, connectivity=4, out_dtype=np.uint32).reshape(plane.shape)
        return components[starts[:, 0], starts[:, 1]].astype(np.int64)
    return np.where(outer[index] == 1, 0, np.arange(ids.size))


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
def _walk_all(plane: Any) -> Any:
    """Return points, and of each ring its length, twice its area (negative for holes), and a pixel of its part.

    Each outline is walked with its object on the right; every outline has a side along the top of a pixel, where its
    walk begins.
    """
    height, width = plane.shape
    seen = np.zeros((height, width), np.bool_)
    points, rings = np.empty((1024, 2), np.int32), np.empty((256, 4), np.int64)
    way, knots = np.empty((1024, 2), np.int32), np.empty(1024, np.bool_)
    n_points, n_rings = 0, 0
    for row in range(height):
        for column in range(width):
            if plane[row, column] == 0 or seen[row, column]:
                continue
            if row > 0 and plane[row - 1, column] == plane[row, column]:
                continue
            length, knotted = _walk(plane, seen, way, knots, row, column)
            while length > way.shape[0]:
                way, knots = np.empty((2 * length, 2), np.int32), np.empty(2 * length, np.bool_)
                length, knotted = _walk(plane, seen, way, knots, row, column)
            points, rings = grown(points, n_points + length), grown(rings, n_rings + 1 + knotted)
            if knotted == 0:
                _keep(points[n_points:], rings[n_rings], way[:length], row, column)
                n_rings += 1
            else:
                n_rings += _divide(points[n_points:], rings[n_rings:], way[:length], knots, row, column)
            n_points += length
    found = rings[:n_rings]
    return points[:n_points].copy(), found[:, 0].copy(), found[:, 1].copy(), found[:, 2:].copy()


@njit(cache=True, nogil=True)
def _walk(plane: Any, seen: Any, way: Any, knots: Any, row: int, column: int) -> Any:
    """Return how many corners an outline has, and at how many of them it may touch itself.

    The corners are written to `way`, as many as it has place for, and whether each may be such a one to `knots`.
    Headings: 0 right, 1 down, 2 left, 3 up.
    """
    height, width = plane.shape
    part = plane[row, column]
    x, y, heading, length, knotted = column, row, 0, 0, 0
    while True:
        if heading == 0:
            seen[y, x] = True
            x += 1
            right_y, right_x, left_y, left_x = y, x, y - 1, x
        elif heading == 1:
            y += 1
            right_y, right_x, left_y, left_x = y, x - 1, y, x
        elif heading == 2:
            x -= 1
            right_y, right_x, left_y, left_x = y - 1, x - 1, y, x - 1
        else:
            y -= 1
            right_y, right_x, left_y, left_x = y - 1, x, y - 1, x - 1
        on_left = 0 <= left_y < height and 0 <= left_x < width and plane[left_y, left_x] == part
        if not (0 <= right_y < height and 0 <= right_x < width and plane[right_y, right_x] == part):
            heading = (heading + 1) & 3
            knot = on_left
        elif on_left:
            heading = (heading + 3) & 3
            knot = False
        else:
            continue
        if length < way.shape[0]:
            way[length, 0], way[length, 1], knots[length] = x, y, knot
        length += 1
        knotted += knot
        if x == column and y == row and heading == 0:
            return length, knotted


@njit(cache=True, nogil=True)
def _divide(points: Any, rings: Any, way: Any, knots: Any, row: int, column: int) -> int:
    """Return into how many rings an outline was divided: where it comes to a corner again, it has closed one."""
    at = {np.int64(-1): np.int64(0)}
    kept = np.empty_like(way)
    length, n_points, n_rings = 0, 0, 0
    for k in range(way.shape[0]):
        if knots[k]:
            place = np.int64(way[k, 1]) * 0x100000000 + way[k, 0]
            if place in at:
                first = int(at[place])
                del at[place]
                _keep(points[n_points:], rings[n_rings], kept[first:length], row, column)
                n_points, n_rings, length = n_points + length - first, n_rings + 1, first
            else:
                at[place] = np.int64(length)
        kept[length] = way[k]
        length += 1
    _keep(points[n_points:], rings[n_rings], kept[:length], row, column)
    return n_rings + 1


@njit(cache=True, nogil=True)
def _keep(points: Any, ring: Any, way: Any, row: int, column: int) -> None:
    """Write a ring's points, and its length, twice its area and the pixel where its walk began."""
    twice: Any = np.int64(0)
    last = way.shape[0] - 1
    for k in range(way.shape[0]):
        points[k, 0], points[k, 1] = way[k, 0], way[k, 1]
        twice += np.int64(way[last, 0]) * way[k, 1] - np.int64(way[k, 0]) * way[last, 1]
        last = k
    ring[0], ring[1], ring[2], ring[3] = way.shape[0], twice, row, column
