"""Objects one by one, each a small mask with its place, and how overlapping ones become one label image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, get_args

import numpy as np
from scipy import ndimage

from cellmetry.errors import ParameterError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

__all__ = ["Instance", "Overlap", "Painted", "instance_from_mask", "instances_of", "paint_instances", "paint_order"]

Overlap = Literal["smaller", "later", "earlier"]
"""Which of two overlapping objects gets the pixels: the one with fewer pixels, or by the order in the file."""


class Instance(NamedTuple):
    """One object: its mask, bool (Y, X), whose first pixel lies at row `y` and column `x` of the image."""

    y: int
    x: int
    mask: NDArray[np.bool_]

    @property
    def area(self) -> int:
        """How many pixels it has."""
        return int(np.count_nonzero(self.mask))


class Painted(NamedTuple):
    """A label image made of objects: object number k of the list, counted from 1, has the id k.

    Parameters
    ----------
    labels
        int32 (Y, X).
    overlapped_px
        Pixels that more than one object claimed.
    hidden
        Ids of objects with pixels none of which is left, because others lie over all of them.
    empty
        Ids of objects that had no pixel inside the image.
    """

    labels: NDArray[np.int32]
    overlapped_px: int
    hidden: tuple[int, ...]
    empty: tuple[int, ...]


def instance_from_mask(mask: NDArray[np.bool_], y: int = 0, x: int = 0) -> Instance:
    """Return the object of a mask, cut to the pixels that are set; `y` and `x` are where the mask lies."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not rows.size:
        return Instance(y, x, np.zeros((0, 0), bool))
    cut = mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return Instance(y + int(rows[0]), x + int(columns[0]), cut)


def instances_of(labels: NDArray[np.integer]) -> Iterator[tuple[int, Instance]]:
    """Yield each id of a label image (Y, X) with its object, in order of ids."""
    ids, dense = np.unique(labels, return_inverse=True)
    shift = 0 if ids.size and ids[0] == 0 else 1
    places = ndimage.find_objects(dense.reshape(labels.shape) + shift)
    for identity, place in zip(ids[ids > 0].tolist(), (p for p in places if p is not None), strict=True):
        yield identity, Instance(place[0].start, place[1].start, labels[place] == identity)


def paint_instances(instances: Sequence[Instance], shape: tuple[int, int], *, overlap: Overlap = "smaller") -> Painted:
    """Return the label image of `instances`, each pixel given to one of the objects that claim it.

    Parts outside the image are cut off.

    Parameters
    ----------
    overlap
        Who gets a pixel that several claim. ``smaller``, the object with fewer pixels (of equals the later), loses the
        fewest objects: an object is hidden only by ones that are smaller than it.
    """
    labels = np.zeros(shape, np.int32)
    claims = np.zeros(shape, np.uint8)
    inside = [_clipped(instance, shape) for instance in instances]
    for k in paint_order([each.area for each in inside], overlap):
        instance = inside[k]
        box = _box(instance)
        labels[box][instance.mask] = k + 1
        claims[box][instance.mask] = np.minimum(claims[box][instance.mask], 1) + 1
    left = np.bincount(labels.ravel(), minlength=len(inside) + 1)[1:]
    gone = [k + 1 for k in np.flatnonzero(left == 0).tolist()]
    empty = tuple(k for k in gone if inside[k - 1].area == 0)
    return Painted(labels, int(np.count_nonzero(claims > 1)), tuple(k for k in gone if k not in empty), empty)


def paint_order(areas: list[int], overlap: Overlap) -> list[int]:
    """Return the order in which objects of these areas are painted, the last on top.

    Raises
    ------
    ParameterError
        If there is no such rule.
    """
    if overlap not in get_args(Overlap):
        raise ParameterError(f"overlap must be one of {', '.join(get_args(Overlap))}, not {overlap!r}.")
    order = list(range(len(areas)))
    if overlap == "smaller":
        return sorted(order, key=lambda k: -areas[k])
    return order if overlap == "later" else order[::-1]


def _box(instance: Instance) -> tuple[slice, slice]:
    height, width = instance.mask.shape
    return slice(instance.y, instance.y + height), slice(instance.x, instance.x + width)


def _clipped(instance: Instance, shape: tuple[int, int]) -> Instance:
    height, width = instance.mask.shape
    y0, x0 = min(max(0, -instance.y), height), min(max(0, -instance.x), width)
    y1, x1 = max(y0, min(height, shape[0] - instance.y)), max(x0, min(width, shape[1] - instance.x))
    if (y0, x0, y1, x1) == (0, 0, height, width):
        return instance
    return Instance(max(0, min(instance.y + y0, shape[0])), max(0, min(instance.x + x0, shape[1])),
                    instance.mask[y0:y1, x0:x1])  # fmt: skip
