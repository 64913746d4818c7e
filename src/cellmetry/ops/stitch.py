"""Linking the labels of neighbouring planes into objects in space, by how much they overlap."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

from cellmetry.errors import ParameterError
from cellmetry.ops.keep_ids import IdRule, follow_ids

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

__all__ = ["link_planes"]


def link_planes(
    planes: Iterable[NDArray[Any]], *, min_iou: float = 0.25, max_gap: int = 0
) -> Iterator[NDArray[np.uint32]]:
    """Yield each plane with ids that run through the stack: objects that overlap from plane to plane are one.

    Between two planes the objects are paired one to one, with the largest summed IoU; a pair below `min_iou` is
    not linked. Ids are numbered from 1 as objects first appear. Only ``max_gap + 2`` planes are held at a time.

    Parameters
    ----------
    planes
        Labels, shape (Y, X) each, in order of Z.
    min_iou
        Least intersection over union of two outlines of one object in neighbouring planes.
    max_gap
        Planes in a row, 0 or 1, from which an object may be missing.
    """
    if not 0 < min_iou <= 1:
        raise ParameterError(f"The IoU that links planes must be above 0 and at most 1, not {min_iou}.")
    if max_gap not in (0, 1):
        raise ParameterError(f"An object may be missing from 0 or 1 planes, not {max_gap}.")
    ordered = iter(planes)
    for first in ordered:
        stack = chain([first], ordered)
        for plane in follow_ids(stack, IdRule(min_iou, max_gap), seed=np.zeros_like(first)):
            yield plane.labels
