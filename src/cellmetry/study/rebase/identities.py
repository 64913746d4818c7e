"""Ids of new labels: an object that is the same as one of the old labels gets its id, any other a new one."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from cellmetry.core.image import Box
from cellmetry.core.labels import Labels
from cellmetry.errors import ParameterError
from cellmetry.measure.runs import Extents, extents_of, merge_extents
from cellmetry.ops.matching import best_pairs
from cellmetry.ops.overlaps import count_overlaps
from cellmetry.study.store.label_pixels import read_window

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from cellmetry.core.labels import LabelArray
    from cellmetry.study.store.labels import LabelSet
    from cellmetry.study.store.store import Store

__all__ = ["Renumbered", "renumbered"]

_BAND = 1024
SAME = 0.5


class Renumbered(NamedTuple):
    """New labels with ids as in the old ones, where their objects are in each plane, and an id that is free."""

    labels: Labels
    extents: dict[tuple[int, int], Extents]
    next_id: int


def renumbered(store: Store, old: LabelSet, new: Labels) -> Renumbered:
    """Return new labels in which objects that match an old one (IoU 0.5 over all planes) have its id.

    All other ids are above any that the old labels ever had. Pixels are read band by band.

    Raises
    ------
    ParameterError
        If the labels are of another shape.
    """
    if (new.axes, tuple(new.shape)) != (old.axes, old.shape):
        raise ParameterError(
            f"New labels of {_said(new.axes, new.shape)} cannot take the edits of labels of "
            f"{_said(old.axes, old.shape)}; segment the same image."
        )
    pairs, sizes, extents = _seen(store, old, new)
    ids = np.array(sorted(sizes["new"]), np.uint32)
    olds = np.array(sorted(sizes["old"]), np.uint32)
    rows = np.searchsorted(olds, np.array([each[0] for each in pairs], np.uint32))
    columns = np.searchsorted(ids, np.array([each[1] for each in pairs], np.uint32))
    shared = np.array(list(pairs.values()), np.int64)
    areas = [np.array([sizes[side][int(label)] for label in which], np.int64) for side, which in
             (("old", olds), ("new", ids))]  # fmt: skip
    iou = shared / (areas[0][rows] + areas[1][columns] - shared) if shared.size else np.zeros(0)
    near = np.flatnonzero(iou >= SAME)
    chosen = near[best_pairs(rows[near], columns[near], iou[near])]
    targets = np.zeros(ids.size, np.int64)
    targets[columns[chosen]] = olds[rows[chosen]]
    free = np.flatnonzero(targets == 0)
    targets[free] = old.next_id + np.arange(free.size)
    names = targets.astype(np.uint32)
    array = _Renamed(new.array, ids, names)
    labels = Labels(array, new.axes, new.pixel_size, linked_z=new.linked_z, ids_along=new.ids_along)
    return Renumbered(labels, {at: _renamed(each, ids, names) for at, each in extents.items()}, old.next_id + free.size)


@dataclass(frozen=True)
class _Renamed:
    """Labels whose ids are others, read when asked for."""

    array: LabelArray
    ids: NDArray[np.uint32]
    names: NDArray[np.uint32]

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.array.shape)

    @property
    def dtype(self) -> np.dtype[np.uint32]:
        return np.dtype(np.uint32)

    def __getitem__(self, index: Any) -> NDArray[np.uint32]:
        values = np.asarray(self.array[index])
        ids, names = (np.concatenate([np.zeros(1, np.uint32), each]) for each in (self.ids, self.names))
        places = np.searchsorted(ids, values).clip(max=ids.size - 1)
        if not np.array_equal(ids[places], values):
            raise ParameterError("The new labels were changed while they were read; do it again.")
        found: NDArray[np.uint32] = names[places]
        return found


def _renamed(extents: Extents, ids: NDArray[np.uint32], names: NDArray[np.uint32]) -> Extents:
    new = names[np.searchsorted(ids, extents.ids)]
    order = np.argsort(new)
    return Extents(new[order], extents.low[order], extents.high[order])


def _seen(
    store: Store, old: LabelSet, new: Labels
) -> tuple[dict[tuple[int, int], int], dict[str, dict[int, int]], dict[tuple[int, int], Extents]]:
    """Return shared pixels of each pair (old, new), pixels of each object of both, and boxes of the new by plane."""
    pairs: dict[tuple[int, int], int] = {}
    sizes: dict[str, dict[int, int]] = {"old": {}, "new": {}}
    extents: dict[tuple[int, int], Extents] = {}
    for lead in product(*(range(size) for size in old.shape[:-2])):
        place = dict(zip(old.axes, lead, strict=False))
        t, z = place.get("T", 0), place.get("Z", 0)
        parts = []
        for box in _bands(old.plane_shape):
            window = np.asarray(new.array[(*lead, *box.slices)]).astype(np.uint32, copy=False)
            found = count_overlaps(read_window(store, old, t, z, box), window)
            firsts, seconds = found.first_ids[found.rows], found.second_ids[found.columns]
            _add(pairs, zip(firsts.tolist(), seconds.tolist(), strict=True), found.pixels)
            _add(sizes["old"], found.first_ids.tolist(), found.first_areas)
            _add(sizes["new"], found.second_ids.tolist(), found.second_areas)
            parts.append(extents_of(window[None], (0, box.y0, 0)))
        extents[t, z] = merge_extents(parts)
    return pairs, sizes, extents


def _add(sums: dict[Any, int], keys: Any, values: NDArray[np.int64]) -> None:
    for key, value in zip(keys, values.tolist(), strict=True):
        sums[key] = sums.get(key, 0) + value


def _bands(shape: tuple[int, int]) -> Iterator[Box]:
    for y in range(0, shape[0], _BAND):
        yield Box(y, min(y + _BAND, shape[0]), 0, shape[1])


def _said(axes: str, shape: tuple[int, ...]) -> str:
    return f"{axes} {' × '.join(map(str, shape))}"
