"""Giving new ids: parts that do not touch become objects of their own."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, NamedTuple

import cc3d
import numpy as np

from cellmetry.core.progress import SILENT
from cellmetry.core.step import Step

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from cellmetry.core.labels import Labels
    from cellmetry.core.progress import Progress
    from cellmetry.core.sample import Sample

__all__ = ["SplitParts", "parts_per_id", "split_parts"]


class _Parts(NamedTuple):
    """Connected parts of one frame: an image of parts 1 … n, and the id and pixel count of each (index 0: none)."""

    image: NDArray[np.uint32]
    ids: NDArray[np.uint32]
    sizes: NDArray[np.int64]


class SplitParts(Step):
    """Give every part of an object in several parts an id of its own."""

    name: ClassVar[str] = "split_parts"

    labels: str = "cells"
    """Name of the labels to split."""

    def __call__(self, sample: Sample, progress: Progress = SILENT) -> Sample:
        """Return the sample with these labels split."""
        return sample.with_labels(self.labels, split_parts(sample.need_labels(self.labels)))


def split_parts(labels: Labels) -> Labels:
    """Return `labels` in which every id is connected, corners counting as contact.

    The largest part of an object keeps its id (of equal ones the first in reading order); the others get new ids
    above all old ones, in order of old id and position. Frames of a movie are split one by one.
    """
    array = labels.read().copy()
    following = int(array.max(initial=0)) + 1
    for frame in _frames(array, labels.axes):
        parts = _parts_of(frame)
        order = np.lexsort((np.arange(len(parts.ids)), -parts.sizes, parts.ids))
        order = order[parts.ids[order] > 0]
        first = np.ones(len(order), bool)
        first[1:] = parts.ids[order][1:] != parts.ids[order][:-1]
        extra = order[~first]
        extra = extra[np.lexsort((extra, parts.ids[extra]))]
        target = parts.ids.copy()
        target[extra] = np.arange(following, following + len(extra), dtype=np.uint32)
        frame[...] = target[parts.image]
        following += len(extra)
    return replace(labels, array=array)


def parts_per_id(labels: Labels) -> Iterator[tuple[NDArray[np.uint32], NDArray[np.int64]]]:
    """Yield, for each frame, the ids in it and in how many parts each lies."""
    for frame in _frames(labels.read(), labels.axes):
        ids, counts = np.unique(_parts_of(frame).ids[1:], return_counts=True)
        yield ids, counts


def _frames(array: NDArray[np.uint32], axes: str) -> Iterator[NDArray[np.uint32]]:
    yield from array if "T" in axes else [array]


def _parts_of(frame: NDArray[np.uint32]) -> _Parts:
    if frame.size == 0 or not frame.any():
        return _Parts(np.zeros(frame.shape, np.uint32), np.zeros(1, np.uint32), np.zeros(1, np.int64))
    image: NDArray[np.uint32] = cc3d.connected_components(  # type: ignore[assignment]
        frame, connectivity=8 if frame.ndim == 2 else 26, out_dtype=np.uint32
    )
    sizes = np.bincount(image.ravel())
    ids = np.zeros(len(sizes), np.uint32)
    ids[image.ravel()] = frame.ravel()
    sizes[0] = 0
    return _Parts(image, ids, sizes)
