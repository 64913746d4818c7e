"""Segmenting a plane tile by tile: every object belongs to one tile, so none is cut or doubled at a seam.

Each tile reads more than its core and owns the objects whose first pixel (in raster order) lies in the core.
An object in the core that is cut by the edge of what was read makes the tile read more. Where two tiles see
an object a little differently, the first to own it wins, and one that neither owns is added at the end. Ids
follow the raster order of the objects' first pixels, which no tiling changes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import ceil
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy.ndimage import find_objects

from cellmetry.core.image import Box
from cellmetry.core.progress import SILENT
from cellmetry.ops.cleanup import Cleanup, areas, drop, fill_holes, inside_fraction, keep_largest_parts, smooth
from cellmetry.ops.resample import source_range, working_index
from cellmetry.ops.stretch import stretch_between
from cellmetry.ops.tiles import grow, plan_tiles, touches_edge

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cellmetry.core.progress import Progress
    from cellmetry.engines.base import TileEngine
    from cellmetry.engines.plane import Plane
    from cellmetry.ops.tiles import Tile

__all__ = ["PlaneResult", "full_box", "label_plane", "read_stretched", "stretch_limits"]

_ORPHAN_PX = 8
_LARGEST_MARGIN_PX = 1024
_MOST_GROWTH = 8
_SAME_OBJECT = 0.5
_NOWHERE = np.int64(1) << 62


class PlaneResult(NamedTuple):
    """What came of one plane.

    Parameters
    ----------
    objects
        How many objects it has; their ids are 1 to `objects`.
    cut
        How many of them reached beyond the largest region that a tile may read.
    invalid
        How many of the plane's pixels are NaN or infinite.
    doubts
        What the engine finds doubtful, in plain sentences.
    unfamiliarity
        How unlike what the engine has learnt from it is; usual is up to 1. None if the engine cannot say.
    """

    objects: int
    cut: int
    invalid: int
    doubts: tuple[str, ...]
    unfamiliarity: float | None = None


class _Found(NamedTuple):
    """Objects of one tile in full-resolution pixels."""

    box: Box
    labels: NDArray[np.int32]
    owned: NDArray[np.bool_]
    orphans: NDArray[np.bool_]
    cut: int


@dataclass
class _Ledger:
    """What has been written so far."""

    out: Any
    width: int
    first_pixels: list[NDArray[np.int64]] = field(default_factory=list)
    count: int = 0

    def write(self, box: Box, labels: NDArray[np.int32], chosen: NDArray[np.bool_]) -> None:
        """Write the chosen ids where nothing stands yet; leave out those that stand there already."""
        tight = _tight_box(chosen[labels], box)
        if tight is None:
            return
        part = labels[tight.within(box).slices]
        here = np.asarray(self.out[tight.slices])
        free = (here == 0) & chosen[part]
        total = np.bincount(labels.ravel(), minlength=chosen.size)
        fresh = np.bincount(part[free], minlength=chosen.size)
        new = chosen & (fresh > (1 - _SAME_OBJECT) * total)
        ids = np.zeros(chosen.size, np.uint32)
        number = int(new.sum())
        if not number:
            return
        ids[new] = self.count + 1 + np.arange(number)
        written = np.where(free, ids[part], 0)
        self.out[tight.slices] = np.where(written > 0, written, here).astype(np.uint32)
        numbers = np.where(written > 0, written.astype(np.int64) - self.count, 0)
        y, x = _first_pixels(numbers, number + 1)
        self.first_pixels.append((y[1:] + tight.y0) * self.width + x[1:] + tight.x0)
        self.count += number

    def number_by_raster_order(self, rows: int) -> None:
        """Give the ids 1 … count in the raster order of their first pixels, `rows` rows at a time."""
        if not self.count:
            return
        order = np.argsort(np.concatenate(self.first_pixels), kind="stable")
        table = np.zeros(self.count + 1, np.uint32)
        table[order + 1] = np.arange(1, self.count + 1)
        for start in range(0, self.out.shape[0], rows):
            part = np.s_[start : start + rows, :]
            self.out[part] = table[np.asarray(self.out[part])]


def label_plane(
    engine: TileEngine, plane: Plane, cleanup: Cleanup, out: Any, *, tile: int = 1024, progress: Progress = SILENT
) -> PlaneResult:
    """Write the labels of a plane into `out` and return how many there are.

    Parameters
    ----------
    cleanup
        Areas in it are in full-resolution pixels.
    out
        uint32 array of zeros, numpy or on disk, in which `out[rows, columns]` reads and writes; shape of
        the plane at full resolution.
    tile
        Side of a tile's core in working pixels.
    """
    prepared = engine.prepare(plane)
    tiles = list(plan_tiles(plane.shape, tile, _margin(engine, plane, prepared), engine.needs.align))
    ledger = _Ledger(out, plane.full_shape[1])
    orphans: list[tuple[Box, NDArray[np.bool_]]] = []
    cut = 0
    progress.start(f"segment {plane.image.name}", len(tiles))
    work = _Work(engine, plane, cleanup, prepared, stretch_limits(engine, plane))
    for part in tiles:
        found = _find(work, part)
        ledger.write(found.box, found.labels, found.owned)
        orphans += _patches(found)
        cut += found.cut
        progress.advance()
    for box, patch in orphans:
        ledger.write(box, patch.astype(np.int32), np.array([False, True]))
    ledger.number_by_raster_order(tile)
    doubts = [*_scale_doubts(engine, plane), *engine.doubts(plane, prepared)]
    return PlaneResult(ledger.count, cut, plane.invalid_px, tuple(doubts), engine.unfamiliarity(prepared))


def _scale_doubts(engine: TileEngine, plane: Plane) -> list[str]:
    """Return a warning where an engine expects objects of one size and nobody said how large they are."""
    wanted = engine.needs.diameter_px
    if plane.diameter_px is not None:
        return []
    if plane.scale != 1.0:
        return [
            f"{plane.image.name} was worked at {plane.scale:.3g} times its own scale, because its objects seem to be "
            f"of a size that {engine.name} does not know; say how wide they are with diameter_um or diameter_px."
        ]
    if wanted is None:
        return []
    return [
        f"{plane.image.name} was worked at its own scale; the engine {engine.name} expects objects of about "
        f"{wanted:g} px: say how wide they are with diameter_um or diameter_px."
    ]


class _Work(NamedTuple):
    """What all tiles of a plane share: how pixels become objects."""

    engine: TileEngine
    plane: Plane
    cleanup: Cleanup
    prepared: Any
    limits: NDArray[np.float32] | None


def _find(work: _Work, tile: Tile) -> _Found:
    """Return the objects of one tile, reading more of the plane while one in its core is cut."""
    plane, needs = work.plane, work.engine.needs
    inner = full_box(tile.core, plane)
    margin = _margin(work.engine, plane, work.prepared)
    largest = max(_LARGEST_MARGIN_PX, _MOST_GROWTH * margin)
    read = tile.read
    while True:
        labels = work.engine.predict(read_stretched(plane, read, work.limits), read, work.prepared)
        box = full_box(read, plane)
        labels = _mend(_enlarge(labels, read, box, plane), work.cleanup)
        cut = touches_edge(labels, box, plane.full_shape)
        here = np.bincount(labels[inner.within(box).slices].ravel(), minlength=cut.size) > 0
        if margin >= largest or not (cut & here).any():
            break
        margin = min(2 * margin, largest)
        read = grow(tile.core, margin, plane.shape, needs.align)
    labels = _sort_out(labels, box, plane, work.cleanup)
    y, x = _first_pixels(labels, cut.size)
    owned = _inside(y + box.y0, x + box.x0, inner, 0)
    orphans = _inside(y + box.y0, x + box.x0, inner, _ORPHAN_PX) & ~owned & ~cut
    return _Found(box, labels, owned, orphans, int((owned & cut).sum()))


def _margin(engine: TileEngine, plane: Plane, prepared: Any) -> int:
    """Return how much is read around a core: what the engine needs, and two objects at least."""
    return max(engine.margin_px(prepared), ceil(2 * (plane.diameter_px or 0)))


def stretch_limits(engine: TileEngine, plane: Plane) -> NDArray[np.float32] | None:
    """Return what is stretched to 0 and 1 in each channel, shape (C, 2), if the engine wants that."""
    asked = engine.needs.normalise
    return None if asked is None else plane.percentiles(*asked).astype(np.float32)


def read_stretched(plane: Plane, box: Box, limits: NDArray[np.float32] | None) -> NDArray[np.float32]:
    """Return pixels at the working scale, shape (C, Y, X), with `limits` stretched to 0 and 1."""
    pixels = plane.read(box)
    if limits is None:
        return pixels
    return stretch_between(pixels, limits[:, 0, None, None], limits[:, 1, None, None])


def full_box(box: Box, plane: Plane) -> Box:
    """Return the full-resolution pixels whose working pixel lies in `box`."""
    if plane.scale == 1.0:
        return box
    (height, width), (rows, columns) = plane.full_shape, plane.shape
    y0, y1 = source_range(box.y0, box.y1, (height, rows), plane.scale)
    x0, x1 = source_range(box.x0, box.x1, (width, columns), plane.scale)
    return Box(y0, y1, x0, x1)


def _enlarge(labels: NDArray[np.int32], read: Box, full: Box, plane: Plane) -> NDArray[np.int32]:
    """Return labels of working pixels at full resolution (nearest)."""
    if plane.scale == 1.0:
        return labels
    rows = working_index(full.y0, full.y1, plane.shape[0], plane.scale) - read.y0
    columns = working_index(full.x0, full.x1, plane.shape[1], plane.scale) - read.x0
    return labels[rows][:, columns]


def _mend(labels: NDArray[np.int32], cleanup: Cleanup) -> NDArray[np.int32]:
    """Return labels with outlines smoothed, loose parts left out and holes filled."""
    labels = keep_largest_parts(smooth(labels, cleanup.smooth_px))
    return fill_holes(labels) if cleanup.fill_holes else labels


def _sort_out(labels: NDArray[np.int32], box: Box, plane: Plane, cleanup: Cleanup) -> NDArray[np.int32]:
    """Return labels without objects that are too small, too large or too near the border."""
    size = areas(labels)
    keep = size >= (cleanup.min_area_px or 0)
    if cleanup.max_area_px is not None:
        keep &= size <= cleanup.max_area_px
    if not cleanup.keep_border:
        share = inside_fraction(labels, box, plane.full_shape, cleanup.border_percent)
        keep &= share >= cleanup.inside_fraction
    return drop(labels, keep & (size > 0))


def _first_pixels(labels: NDArray[Any], count: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return row and column of the first pixel of each id (index) in raster order; far outside for absent ids."""
    flat = np.flatnonzero(labels)[::-1]
    first = np.full(count, _NOWHERE)
    first[labels.ravel()[flat]] = flat
    y, x = np.divmod(first, labels.shape[1])
    return y, x


def _inside(y: NDArray[np.int64], x: NDArray[np.int64], box: Box, around: int) -> NDArray[np.bool_]:
    return (y >= box.y0 - around) & (y < box.y1 + around) & (x >= box.x0 - around) & (x < box.x1 + around)


def _tight_box(mask: NDArray[np.bool_], box: Box) -> Box | None:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not rows.size:
        return None
    return Box(
        box.y0 + int(rows[0]), box.y0 + int(rows[-1]) + 1, box.x0 + int(columns[0]), box.x0 + int(columns[-1]) + 1
    )


def _patches(found: _Found) -> list[tuple[Box, NDArray[np.bool_]]]:
    """Return each object that lies at the rim of the core and belongs to a neighbouring tile, as box and mask."""
    if not found.orphans.any():
        return []
    patches = []
    for label, slices in enumerate(find_objects(found.labels), start=1):
        if slices is not None and found.orphans[label]:
            (y, x), (y0, x0) = slices, (found.box.y0, found.box.x0)
            box = Box(y0 + y.start, y0 + y.stop, x0 + x.start, x0 + x.stop)
            patches.append((box, found.labels[slices] == label))
    return patches
