"""Three label windows seen together: where their objects are, and how many pixels each shares with each."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from cellmetry.core.image import Box
from cellmetry.measure.runs import extents_of
from cellmetry.ops.overlaps import count_overlaps

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

__all__ = ["Plane", "Scene", "around", "iou"]


class Plane:
    """The objects of one label window: their boxes and areas by id."""

    def __init__(self, ids: NDArray[np.uint32]) -> None:
        self.pixels = ids
        extents = extents_of(ids[None], (0, 0, 0))
        edges = zip(extents.ids.tolist(), extents.low[:, 1:].tolist(), extents.high[:, 1:].tolist(), strict=True)
        self.boxes = {label: Box(low[0], high[0], low[1], high[1]) for label, low, high in edges}
        found, counts = np.unique(ids, return_counts=True)
        self.areas: dict[int, int] = dict(zip(found.tolist(), counts.tolist(), strict=True))
        self.areas.pop(0, None)


class Scene:
    """What the old model gave (`base`), what a human made of it (`mine`), and what the new model gives (`theirs`)."""

    def __init__(self, base: NDArray[np.uint32], mine: NDArray[np.uint32], theirs: NDArray[np.uint32]) -> None:
        self.base, self.mine, self.theirs = Plane(base), Plane(mine), Plane(theirs)
        self.shape = base.shape

    @cached_property
    def changed(self) -> NDArray[np.bool_]:
        """Where the human changed something."""
        different: NDArray[np.bool_] = self.base.pixels != self.mine.pixels
        return different

    @cached_property
    def nearest(self) -> NDArray[np.uint32]:
        """Which object of `mine` is nearest to each pixel; 0 if there is none at all."""
        mine = self.mine.pixels
        if not mine.any():
            return mine
        places = ndimage.distance_transform_edt(mine == 0, return_distances=False, return_indices=True)
        near: NDArray[np.uint32] = mine[tuple(places)]
        return near

    @cached_property
    def mine_theirs(self) -> dict[int, dict[int, int]]:
        """Pixels that objects of `mine` share with those of `theirs`."""
        return _shared(self.mine.pixels, self.theirs.pixels)

    @cached_property
    def theirs_mine(self) -> dict[int, dict[int, int]]:
        """Pixels that objects of `theirs` share with those of `mine`."""
        return _shared(self.theirs.pixels, self.mine.pixels)

    @cached_property
    def base_theirs(self) -> dict[int, dict[int, int]]:
        """Pixels that objects of `base` share with those of `theirs`."""
        return _shared(self.base.pixels, self.theirs.pixels)

    @cached_property
    def theirs_base(self) -> dict[int, dict[int, int]]:
        """Pixels that objects of `theirs` share with those of `base`."""
        return _shared(self.theirs.pixels, self.base.pixels)

    @cached_property
    def mine_base(self) -> dict[int, dict[int, int]]:
        """Pixels that objects of `mine` share with those of `base`."""
        return _shared(self.mine.pixels, self.base.pixels)

    @cached_property
    def base_mine(self) -> dict[int, dict[int, int]]:
        """Pixels that objects of `base` share with those of `mine`."""
        return _shared(self.base.pixels, self.mine.pixels)


def around(boxes: Iterable[Box | None]) -> Box:
    """Return the smallest box that holds all that are there."""
    edges = np.array([box for box in boxes if box is not None])
    low, high = edges.min(axis=0), edges.max(axis=0)
    return Box(int(low[0]), int(high[1]), int(low[2]), int(high[3]))


def iou(shared: float, first: float, second: float) -> float:
    """Return shared pixels over all pixels of two objects."""
    return shared / (first + second - shared)


def _shared(first: NDArray[np.uint32], second: NDArray[np.uint32]) -> dict[int, dict[int, int]]:
    found = count_overlaps(first, second)
    ids, others = found.first_ids[found.rows].tolist(), found.second_ids[found.columns].tolist()
    table: dict[int, dict[int, int]] = {}
    for one, other, pixels in zip(ids, others, found.pixels.tolist(), strict=True):
        table.setdefault(one, {})[other] = pixels
    return table
