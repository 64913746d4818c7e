"""`StoredView`: labels of a study as an operation sees them."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

from cellmetry.errors import ParameterError
from cellmetry.study.editing.operation import LARGEST_CHOSEN_ID, LARGEST_ID
from cellmetry.study.store.label_pixels import read_window
from cellmetry.study.store.objects import find_object
from cellmetry.study.store.patching import must_be_small

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from cellmetry.core.image import Box
    from cellmetry.study.store.labels import LabelSet
    from cellmetry.study.store.store import Store

__all__ = ["StoredView"]


class StoredView:
    """Labels of a study as an operation sees them, within its transaction; a `LabelView`.

    Parameters
    ----------
    next_id
        Smallest id that was never used, the operation's new ones counted.
    """

    def __init__(self, store: Store, labels: LabelSet) -> None:
        self._store, self._labels, self.next_id = store, labels, labels.next_id

    @property
    def plane_shape(self) -> tuple[int, int]:
        """Height and width."""
        return self._labels.plane_shape

    def size(self, axis: str) -> int:
        """Return the number of planes along T or Z."""
        return self._labels.size(axis)

    def read(self, t: int, z: int, box: Box) -> NDArray[np.uint32]:
        """Return the ids in a box of a plane."""
        self.may_read(box)
        return read_window(self._store, self._labels, t, z, box)

    def may_read(self, box: Box) -> None:
        """Refuse a box that is too large for one edit."""
        must_be_small(box.shape[0] * box.shape[1])

    def box_of(self, label: int, t: int, z: int) -> Box | None:
        """Return the box of an object in a plane, None if it is not there."""
        found = find_object(self._store, self._labels, label, t, z)
        return None if found is None else found.box

    def area_of(self, label: int, t: int, z: int) -> int:
        """Return how many pixels an object has in a plane."""
        found = find_object(self._store, self._labels, label, t, z)
        return 0 if found is None else found.area_px

    def has(self, label: int) -> bool:
        """Return whether an object is in any plane."""
        planes = product(range(self.size("T")), range(self.size("Z")))
        return label < self.next_id and any(self.box_of(label, t, z) is not None for t, z in planes)

    def new_id(self) -> int:
        """Return an id that was never used."""
        if self.next_id > LARGEST_ID:
            raise ParameterError("There is no id left for a new object.")
        self.next_id += 1
        return self.next_id - 1

    def claim(self, label: int) -> None:
        """Take an id for a new object."""
        if label < self.next_id:
            raise ParameterError(
                f"The id {label} was that of an object that is gone, and ids are not used again; take {self.next_id}."
            )
        self.reach(label)

    def reach(self, label: int) -> None:
        """Give new ids only above this one from now on."""
        if label >= self.next_id and label > LARGEST_CHOSEN_ID:
            raise ParameterError(f"Ids that you choose go up to {LARGEST_CHOSEN_ID:,}; there is {label:,}.")
        self.next_id = max(self.next_id, label + 1)
