"""`Labels`: an integer image that names the object of every pixel; 0 is background."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np

from cellmetry.core.image import UNKNOWN_PIXEL_SIZE, PixelSize
from cellmetry.errors import LabelsError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["LabelArray", "Labels", "count_objects", "count_outlines", "labels_from_array", "labels_hash"]

_HASH_ROWS = 1024


class LabelArray(Protocol):
    """What labels may lie in: a numpy array, or anything on disk that is indexed like one (a zarr array)."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Size along each axis."""
        ...

    @property
    def dtype(self) -> Any:
        """An unsigned integer type."""
        ...

    def __getitem__(self, index: Any, /) -> Any:
        """Return a part as a numpy array."""
        ...


@dataclass(frozen=True)
class Labels:
    """An integer label image, 32-bit in memory; one id an object, 0 the background.

    Parameters
    ----------
    array
        uint32, or any unsigned integer array on disk; one array axis per letter of `axes`.
    axes
        A subset of ``TZYX`` in this order, always with Y and X.
    pixel_size
        In µm.
    linked_z
        Whether an id means one body through all planes along Z, to be measured as a volume. False where each plane
        stands for itself, also if `keep_ids` gave its objects the ids of the plane before; None where nobody said.
    ids_along
        The axis, Z or T, along which an object has one id though its planes or frames are measured one by one.
    """

    array: LabelArray
    axes: str = "YX"
    pixel_size: PixelSize = UNKNOWN_PIXEL_SIZE
    linked_z: bool | None = None
    ids_along: Literal["Z", "T"] | None = None

    def __post_init__(self) -> None:
        in_order = [axis for axis in "TZYX" if axis in self.axes]
        if list(self.axes) != in_order or self.axes[-2:] != "YX":
            raise LabelsError(f"Axes of labels must be a subset of TZYX with Y and X, not {self.axes!r}.")
        if len(self.axes) != len(self.array.shape):
            raise LabelsError(f"Labels of shape {self.array.shape} do not fit the axes {self.axes!r}.")
        if np.dtype(self.array.dtype).kind != "u":
            raise LabelsError(f"Labels must be unsigned integers, not {self.array.dtype}; see labels_from_array.")

    @property
    def shape(self) -> tuple[int, ...]:
        """Size along each of `axes`."""
        return tuple(self.array.shape)

    def read(self) -> NDArray[np.uint32]:
        """Return all labels as one uint32 array."""
        return np.asarray(self.array[...], dtype=np.uint32)

    def ids(self) -> NDArray[np.uint32]:
        """Return the ids that occur, in order, without 0."""
        found = np.unique(self.read())
        return found[found > 0]


def labels_from_array(
    array: NDArray[Any], axes: str = "YX", *, pixel_size: PixelSize = UNKNOWN_PIXEL_SIZE, name: str = "labels"
) -> Labels:
    """Return `Labels` over any array that holds whole, non-negative numbers.

    Raises
    ------
    LabelsError
        If values are negative, fractional, not finite, complex, or too large for 32 bits.
    """
    kind = array.dtype.kind
    if kind not in "uifb":
        raise LabelsError(f"{name} has values of type {array.dtype}; labels are whole numbers, 0 for background.")
    if array.size:
        if kind == "f" and not np.array_equal(array, np.floor(array)):
            raise LabelsError(f"{name} has fractional values; labels are whole numbers, one for each object.")
        low, high = array.min(), array.max()
        if low < 0:
            raise LabelsError(f"{name} has negative values (down to {low}); labels start at 0, the background.")
        if high > np.iinfo(np.uint32).max:
            raise LabelsError(f"{name} has ids up to {high}; the largest possible is {np.iinfo(np.uint32).max}.")
    return Labels(array.astype(np.uint32, copy=False), axes, pixel_size)


def count_objects(labels: Labels) -> int:
    """Return how many objects there are: every id once, but once a plane along axes through which ids do not run."""
    volumes = "Z" if labels.linked_z is not False else ""
    return _count_ids(labels, through=volumes + (labels.ids_along or ""))


def count_outlines(labels: Labels) -> int:
    """Return how many outlines there are: every id once in each plane or volume in which it is."""
    return _count_ids(labels, through="Z" if labels.linked_z is not False else "")


def _count_ids(labels: Labels, through: str) -> int:
    """Return how many ids there are, each counted once along the axes `through` and once in each place of others."""
    lead = {axis: range(size) for axis, size in zip(labels.axes[:-2], labels.shape, strict=False)}
    total = 0
    for outer in product(*(range(1) if axis in through else places for axis, places in lead.items())):
        inner = product(*(lead[axis] if axis in through else [at] for axis, at in zip(lead, outer, strict=True)))
        total += len(set().union(*(_ids_of_plane(labels, place) for place in inner)) - {0})
    return total


def _ids_of_plane(labels: Labels, place: tuple[int, ...]) -> set[int]:
    """Return the values of one plane, read in bands."""
    seen: set[int] = set()
    for row in range(0, labels.shape[-2], _HASH_ROWS):
        seen.update(np.unique(labels.array[(*place, slice(row, row + _HASH_ROWS), slice(None))]).tolist())
    return seen


def labels_hash(labels: Labels) -> str:
    """Return the SHA-256 over axes, shape and all ids (32-bit little endian), independent of how they lie."""
    digest = hashlib.sha256(f"{labels.axes}{labels.shape}".encode())
    for lead in np.ndindex(*labels.shape[:-2]):
        for row in range(0, labels.shape[-2], _HASH_ROWS):
            part = labels.array[(*lead, slice(row, row + _HASH_ROWS), slice(None))]
            digest.update(np.ascontiguousarray(part, dtype="<u4").tobytes())
    return digest.hexdigest()
