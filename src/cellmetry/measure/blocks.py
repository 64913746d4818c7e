"""Blocks: bands of a field that each own the objects whose bounding box begins in them.

A first pass streams over the labels and notes each object's bounding box. Then a block reads its band, enlarged
to hold every object it owns, so each object is seen whole by exactly one block and its numbers do not depend on
how the field was cut. Memory is bounded by the band and by the tallest object.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from cellmetry.core.image import Box
from cellmetry.measure.runs import Extents, Runs, extents_of, merge_extents, runs_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from cellmetry.core.progress import Progress
    from cellmetry.measure.fields import Field

__all__ = ["Block", "blocks_of", "empty_block", "find_objects", "rows_of_block"]

_BLOCK_PIXELS = 1 << 25
_FEWEST_ROWS = 64
_CHUNK_ROWS = 1024


@dataclass(frozen=True)
class Block:
    """Some objects of a field, with a part of the field that holds them whole and one pixel around.

    Parameters
    ----------
    field
        What the objects lie in.
    box
        The part that was read, in the field's coordinates: whole rows.
    objects
        Ids and bounding boxes in the field's coordinates.
    labels
        The labels in `box`, shape (Z, Y, X).
    runs
        Runs of the objects, in the coordinates of `labels`.
    """

    field: Field
    box: Box
    objects: Extents
    labels: NDArray[np.uint32]
    runs: Runs

    @property
    def count(self) -> int:
        """Number of objects."""
        return len(self.objects.ids)

    @cached_property
    def areas(self) -> NDArray[np.int64]:
        """Number of pixels (voxels) of each object."""
        lengths = np.concatenate([[0], np.cumsum(self.runs.x1 - self.runs.x0, dtype=np.int64)])
        ends: NDArray[np.int64] = lengths[self.runs.start]
        areas: NDArray[np.int64] = ends[1:] - ends[:-1]
        return areas

    @cached_property
    def corners(self) -> NDArray[np.int64]:
        """First corner (z, y, x) of each object's bounding box in the coordinates of `labels`."""
        corners: NDArray[np.int64] = self.objects.low - np.array([0, self.box.y0, self.box.x0])
        return corners

    @cached_property
    def padded(self) -> NDArray[np.uint32]:
        """Labels of a plane, shape (Y + 2, X + 2), with a border of 0: what lies outside the field."""
        height, width = self.box.shape
        out = np.zeros((height + 2, width + 2), np.uint32)
        out[1:-1, 1:-1] = self.labels[0]
        return out

    def read_channel(self, channel: int) -> NDArray[Any]:
        """Return the pixels of a channel in `box`, shape (Z, Y, X)."""
        return self.field.read_channel(channel, self.box)


def rows_of_block(field: Field) -> int:
    """Return how many rows a block has: about 32 million pixels of labels, in whole chunks where possible."""
    width = max(1, field.image.sizes["X"] * field.depth)
    rows = max(_FEWEST_ROWS, _BLOCK_PIXELS // width)
    return rows - rows % _CHUNK_ROWS if rows > _CHUNK_ROWS else rows


def find_objects(field: Field, rows: int, progress: Progress) -> Extents:
    """Return ids and bounding boxes of all objects of a field, reading `rows` rows at a time."""
    height, width = field.image.sizes["Y"], field.image.sizes["X"]
    parts = []
    for y0 in range(0, height, rows):
        labels = field.read_labels(Box(y0, min(y0 + rows, height), 0, width))
        parts.append(extents_of(labels, (0, y0, 0)))
        progress.advance()
    return merge_extents(parts)


def blocks_of(field: Field, objects: Extents, rows: int) -> Iterator[Block]:
    """Yield blocks that together own each of `objects` once.

    Objects taller than a block are gathered in blocks of twice, four times … the rows, so that however many there
    are, each part of the field is read about once for each doubling.
    """
    heights = objects.high[:, 1] - objects.low[:, 1]
    doublings = np.ceil(np.log2(np.maximum(heights / rows, 1))).astype(np.int64)
    owner = objects.low[:, 1] // (rows << doublings)
    for level, band in np.unique(np.stack([doublings, owner], axis=1), axis=0):
        yield _read_block(field, objects, np.flatnonzero((doublings == level) & (owner == band)))


def empty_block(field: Field) -> Block:
    """Return a block without objects, so that an empty table gets its columns in the one way."""
    objects = Extents(np.empty(0, np.uint32), np.empty((0, 3), np.int64), np.empty((0, 3), np.int64))
    labels = field.read_labels(Box(0, 1, 0, 1))
    return Block(field, Box(0, 1, 0, 1), objects, labels, runs_of(labels, objects.ids))


def _read_block(field: Field, objects: Extents, chosen: NDArray[np.int64]) -> Block:
    owned = Extents(objects.ids[chosen], objects.low[chosen], objects.high[chosen])
    height, width = field.image.sizes["Y"], field.image.sizes["X"]
    y0, y1 = max(0, int(owned.low[:, 1].min()) - 1), min(height, int(owned.high[:, 1].max()) + 1)
    box = Box(y0, y1, 0, width)
    labels = field.read_labels(box)
    return Block(field, box, owned, labels, runs_of(labels, owned.ids))
