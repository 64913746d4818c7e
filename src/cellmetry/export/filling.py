"""Many outlines to one label image: even-odd filling of all objects at once, each pixel given to one of them.

A pixel belongs to an object if its centre lies inside, as in `polygons`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numba import njit

from cellmetry.errors import DamagedFile
from cellmetry.export.tracing import grown
from cellmetry.ops.instances import Overlap, Painted, paint_order

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from cellmetry.ops.instances import Instance

__all__ = ["LARGEST_COORDINATE", "Runs", "fill_objects", "join_runs", "paint_runs", "runs_of_instances"]

LARGEST_COORDINATE = 1 << 24
"""Coordinates beyond are refused: a 32-bit float has no whole numbers between."""


class Runs(NamedTuple):
    """Pixels of objects as pieces of rows: object, row, first column, column after the last; int64 each.

    Parameters
    ----------
    pieces
        (n, 4).
    """

    pieces: NDArray[np.int64]


def fill_objects(objects: Sequence[Sequence[NDArray[Any]]], shape: tuple[int, int], *, first: int = 0) -> Runs:
    """Return the pixels inside the rings of each object in an image of `shape` (Y, X); the rest is cut off.

    Parameters
    ----------
    objects
        The rings of each object, (n, 2) as x, y; a point that an odd number of them surround is inside.
    first
        Number of the first object.

    Raises
    ------
    DamagedFile
        If a ring has fewer than three points, or coordinates that are not finite or absurdly large.
    """
    rings = [ring for each in objects for ring in each]
    if not rings:
        return Runs(np.zeros((0, 4), np.int64))
    lengths = np.array([len(ring) for ring in rings], np.int64)
    if lengths.min() < 3 or any(ring.ndim != 2 or ring.shape[1] != 2 for ring in rings):
        raise DamagedFile("a polygon needs at least three points of x and y.")
    points = np.concatenate(rings).astype(np.float64, copy=False)
    if not np.isfinite(points).all() or np.abs(points).max() > LARGEST_COORDINATE:
        raise DamagedFile(f"a polygon has a coordinate that is not a number or beyond {LARGEST_COORDINATE:,} pixels.")
    rings_of = np.concatenate([[0], np.cumsum([len(each) for each in objects])]).astype(np.int64)
    points_of = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    return Runs(_fill_all(points, points_of, rings_of, shape[0], shape[1], first))


def runs_of_instances(instances: Sequence[Instance], shape: tuple[int, int], *, first: int = 0) -> Runs:
    """Return the pixels of objects given as masks, cut to an image of `shape` (Y, X)."""
    pieces = [np.zeros((0, 4), np.int64)]
    for number, instance in enumerate(instances, start=first):
        edges = np.diff(np.pad(instance.mask, ((0, 0), (1, 1))).astype(np.int8), axis=1)
        rows, starts = np.nonzero(edges == 1)
        stops = np.nonzero(edges == -1)[1]
        found = np.column_stack([np.full(rows.size, number), rows + instance.y, starts, stops])
        found[:, 2:] = np.clip(found[:, 2:] + instance.x, 0, shape[1])
        pieces.append(found[(found[:, 1] >= 0) & (found[:, 1] < shape[0]) & (found[:, 2] < found[:, 3])])
    return Runs(np.concatenate(pieces))


def join_runs(*runs: Runs) -> Runs:
    """Return the pieces of several lists of runs, in the order of their objects."""
    pieces = np.concatenate([each.pieces for each in runs])
    return Runs(pieces[np.argsort(pieces[:, 0], kind="stable")])


def paint_runs(runs: Runs, count: int, shape: tuple[int, int], *, overlap: Overlap = "smaller") -> Painted:
    """Return the label image of `count` objects in `shape` (Y, X), as `paint_instances` does; runs in their order.

    Parameters
    ----------
    overlap
        Who gets a pixel that several claim, as there.
    """
    pieces = runs.pieces
    areas = np.bincount(pieces[:, 0], pieces[:, 3] - pieces[:, 2], minlength=count).astype(np.int64)
    order = np.array(paint_order(areas.tolist(), overlap), np.int64)
    begins = np.searchsorted(pieces[:, 0], np.arange(count + 1))
    labels, claimed = np.zeros(shape, np.int32), np.zeros(shape, np.bool_)
    _paint(labels, claimed, pieces, begins, order)
    left = np.bincount(labels.ravel(), minlength=count + 1)[1:]
    gone = np.flatnonzero(left == 0)
    hidden = tuple((gone[areas[gone] > 0] + 1).tolist())
    return Painted(labels, int(np.count_nonzero(claimed)), hidden, tuple((gone[areas[gone] == 0] + 1).tolist()))


@njit(cache=True, nogil=True)
def _paint(labels: Any, claimed: Any, pieces: Any, begins: Any, order: Any) -> None:
    for k in order:
        for p in range(begins[k], begins[k + 1]):
            row = pieces[p, 1]
            for x in range(pieces[p, 2], pieces[p, 3]):
                if labels[row, x] != 0 and labels[row, x] != k + 1:
                    claimed[row, x] = True
                labels[row, x] = k + 1


@njit(cache=True, nogil=True)
def _fill_all(points: Any, points_of: Any, rings_of: Any, height: int, width: int, first: int) -> Any:
    """Return the pieces of rows inside each object; object k has the rings ``rings_of[k]`` to ``rings_of[k + 1]``."""
    pieces, count = np.empty((1024, 4), np.int64), 0
    flips = np.zeros((1, 1), np.bool_)
    for k in range(rings_of.shape[0] - 1):
        if rings_of[k] == rings_of[k + 1]:
            continue
        box = points[points_of[rings_of[k]] : points_of[rings_of[k + 1]]]
        y0, y1 = max(0, int(np.floor(box[:, 1].min()))), min(height, int(np.ceil(box[:, 1].max())))
        x0, x1 = max(0, int(np.floor(box[:, 0].min()))), min(width, int(np.ceil(box[:, 0].max())))
        if y0 >= y1 or x0 >= x1:
            continue
        if flips.shape[0] < y1 - y0 or flips.shape[1] < x1 - x0 + 1:
            flips = np.zeros((max(flips.shape[0], y1 - y0), max(flips.shape[1], x1 - x0 + 1)), np.bool_)
        for ring in range(rings_of[k], rings_of[k + 1]):
            _flip(flips, points[points_of[ring] : points_of[ring + 1]], y0, y1, x0, x1)
        for row in range(y0, y1):
            inside, start = False, 0
            for column in range(x0, x1 + 1):
                if not flips[row - y0, column - x0]:
                    continue
                flips[row - y0, column - x0] = False
                if inside and column > start:
                    pieces = grown(pieces, count + 1)
                    pieces[count] = first + k, row, start, column
                    count += 1
                inside, start = not inside, column
    return pieces[:count].copy()


@njit(cache=True, nogil=True)
def _flip(flips: Any, ring: Any, y0: int, y1: int, x0: int, x1: int) -> None:
    """Turn in rows y0 … y1 the first column right of each edge of a ring between inside and outside."""
    for e in range(ring.shape[0]):
        ax, ay = ring[e]
        bx, by = ring[(e + 1) % ring.shape[0]]
        if ay > by:
            ax, ay, bx, by = bx, by, ax, ay
        for row in range(max(y0, int(np.ceil(ay - 0.5))), min(y1, int(np.ceil(by - 0.5)))):
            x = ax + (row + 0.5 - ay) * (bx - ax) / (by - ay)
            column = min(max(int(np.ceil(x - 0.5)), x0), x1)
            flips[row - y0, column - x0] = not flips[row - y0, column - x0]
