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

from cellmetry.core.image import Box
from cellmetry.core.progress import SILENT
from cellmetry.ops.cleanup import Cleanup, areas, drop, fill_holes, inside_fraction, keep_largest_parts, smooth
from cellmetry.ops.resample import source_range, working_index
from cellmetry.ops.tiles import grow, plan_tiles

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cellmetry.core.progress import Progress
    from cellmetry.engines.base import EngineNeeds, TileEngine
    from cellmetry.engines.plane import Plane

__all__ = ["PlaneResult", "label_plane"]

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
    """

    objects: int
    cut: int
    invalid: int


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
        total, fresh = areas(labels), np.bincount(part[free], minlength=chosen.size)
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
    for part in tiles:
        found = _find(engine, plane, cleanup, prepared, part.core)
        ledger.write(found.box, found.labels, found.owned)
        orphans += _patches(found)
        cut += found.cut
        progress.advance()
    for box, patch in orphans:
        ledger.write(box, patch.astype(np.int32), np.array([False, True]))
    ledger.number_by_raster_order(tile)
    return PlaneResult(ledger.count, cut, plane.invalid_px)


def _find(engine: TileEngine, plane: Plane, cleanup: Cleanup, prepared: Any, core: Box) -> _Found:
    """Return the objects of one tile, reading more of the plane while one in its core is cut."""
    needs = engine.needs
    inner = _to_full(core, plane)
    margin = _margin(engine, plane, prepared)
    largest = max(_LARGEST_MARGIN_PX, _MOST_GROWTH * margin)
    while True:
        read = grow(core, margin, plane.shape, needs.align)
        labels = engine.predict(_normalised(plane, read, needs), read, prepared)
        box = _to_full(read, plane)
        labels = _clean(_enlarge(labels, read, box, plane), box, plane, cleanup)
        cut = _touches_edge(labels, box, plane.full_shape)
        here = np.bincount(labels[inner.within(box).slices].ravel(), minlength=cut.size) > 0
        if margin >= largest or not (cut & here).any():
            break
        margin = min(2 * margin, largest)
    y, x = _first_pixels(labels, cut.size)
    owned = _inside(y + box.y0, x + box.x0, inner, 0)
    orphans = _inside(y + box.y0, x + box.x0, inner, _ORPHAN_PX) & ~owned & ~cut
    return _Found(box, labels, owned, orphans, int((owned & cut).sum()))


def _margin(engine: TileEngine, plane: Plane, prepared: Any) -> int:
    """Return how much is read around a core: what the engine needs, and two objects at least."""
    return max(engine.margin_px(prepared), ceil(2 * (plane.diameter_px or 0)))


def _normalised(plane: Plane, box: Box, needs: EngineNeeds) -> NDArray[np.float32]:
    pixels = plane.read(box)
    if needs.normalise is None:
        return pixels
    limits = plane.percentiles(*needs.normalise).astype(np.float32)
    low, high = limits[:, 0, None, None], limits[:, 1, None, None]
    return np.asarray((pixels - low) / np.where(high > low, high - low, 1), dtype=np.float32)


def _to_full(box: Box, plane: Plane) -> Box:
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


def _clean(labels: NDArray[np.int32], box: Box, plane: Plane, cleanup: Cleanup) -> NDArray[np.int32]:
    """Return labels after clean-up; every rule looks at one object and its surroundings only."""
    labels = smooth(labels, cleanup.smooth_px)
    labels = keep_largest_parts(labels)
    if cleanup.fill_holes:
        labels = fill_holes(labels)
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


def _touches_edge(labels: NDArray[np.int32], box: Box, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Return for each id whether it touches an edge of `box` that is not an edge of the plane."""
    edges = [
        labels[0] if box.y0 > 0 else labels[:0],
        labels[-1] if box.y1 < shape[0] else labels[:0],
        labels[:, 0] if box.x0 > 0 else labels[:, :0],
        labels[:, -1] if box.x1 < shape[1] else labels[:, :0],
    ]
    touched = np.zeros(int(labels.max(initial=0)) + 1, bool)
    touched[np.concatenate([edge.ravel() for edge in edges])] = True
    touched[0] = False
    return touched


def _tight_box(mask: NDArray[np.bool_], box: Box) -> Box | None:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not rows.size:
        return None
    return Box(
        box.y0 + int(rows[0]), box.y0 + int(rows[-1]) + 1, box.x0 + int(columns[0]), box.x0 + int(columns[-1]) + 1
    )


def _patches(found: _Found) -> list[tuple[Box, NDArray[np.bool_]]]:
    """Return each object that lies at the rim of the core and belongs to a neighbouring tile, as box and mask."""
    patches = []
    for label in np.flatnonzero(found.orphans):
        mask = found.labels == label
        tight = _tight_box(mask, found.box)
        if tight is not None:
            patches.append((tight, mask[tight.within(found.box).slices].copy()))
    return patches
