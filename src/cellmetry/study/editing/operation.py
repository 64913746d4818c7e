"""`EditOperation`: one way to change labels; and what it may ask of them."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Annotated, ClassVar, NamedTuple, Protocol

from pydantic import Field

from cellmetry.core.step import Parameters

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from cellmetry.core.image import Box

__all__ = [
    "LARGEST_CHOSEN_ID",
    "LARGEST_ID",
    "Change",
    "EditOperation",
    "Id",
    "Ids",
    "LabelView",
    "Outline",
    "Point",
    "Stroke",
]

Coordinate = Annotated[float, Field(ge=-1e6, le=1e6)]
Point = tuple[Coordinate, Coordinate]
"""(y, x) in pixels: the first pixel covers 0 to 1 both ways, and its centre is (0.5, 0.5)."""
Outline = Annotated[tuple[Point, ...], Field(min_length=3, max_length=20_000)]
"""Corners of a polygon; the last is joined to the first. Where it crosses itself, the even-odd rule holds."""
Stroke = Annotated[tuple[Point, ...], Field(min_length=1, max_length=20_000)]
"""Points of the line along which a pen went."""
LARGEST_ID = 2**32 - 1
"""That labels may have."""
LARGEST_CHOSEN_ID = 2**31
"""That an edit may give to a new object: above it there is room for objects that get the next free id."""
Id = Annotated[int, Field(ge=1, le=LARGEST_ID)]
"""An object."""
Ids = Annotated[tuple[Id, ...], Field(min_length=1, max_length=100_000)]
"""Objects."""


class Change(NamedTuple):
    """New ids of a box of one plane."""

    t: int
    z: int
    box: Box
    after: NDArray[np.uint32]


class LabelView(Protocol):
    """Labels as an operation sees them."""

    @property
    def plane_shape(self) -> tuple[int, int]:
        """Height and width."""
        ...

    def size(self, axis: str) -> int:
        """Return the number of planes along T or Z."""
        ...

    def read(self, t: int, z: int, box: Box) -> NDArray[np.uint32]:
        """Return the ids in a box of a plane."""
        ...

    def may_read(self, box: Box) -> None:
        """Refuse a box that is too large for one edit.

        Raises
        ------
        LimitExceeded
            If it is.
        """
        ...

    def box_of(self, label: int, t: int, z: int) -> Box | None:
        """Return the box of an object in a plane, None if it is not there."""
        ...

    def area_of(self, label: int, t: int, z: int) -> int:
        """Return how many pixels an object has in a plane."""
        ...

    def has(self, label: int) -> bool:
        """Return whether an object is in any plane."""
        ...

    def new_id(self) -> int:
        """Return an id that was never used."""
        ...

    def claim(self, label: int) -> None:
        """Take an id for a new object.

        Raises
        ------
        ParameterError
            If an object had it before, or there would be too few ids above it.
        """
        ...

    def reach(self, label: int) -> None:
        """Give new ids only above this one from now on.

        Raises
        ------
        ParameterError
            If no object had it before and there would be too few ids above it.
        """
        ...


class EditOperation(Parameters):
    """One way to change labels. Its fields are its parameters, in pixels of the finest level: y down, x to the right.

    A subclass sets `name`, declares its fields, and calls array functions of `ops.editing` in `changes`. Coordinates
    are (y, x): the first pixel covers 0 to 1 both ways, and its centre is (0.5, 0.5).
    """

    name: ClassVar[str]
    """The word by which REST, the client and the log call it."""

    t: int = Field(0, ge=0)
    """Frame."""
    z: int = Field(0, ge=0)
    """Plane."""

    @abstractmethod
    def changes(self, view: LabelView) -> list[Change]:
        """Return the boxes that change, with their new ids; none if nothing does. A pixel changes in one of them only.

        Raises
        ------
        ParameterError
            If the operation makes no sense there, as merging one object.
        """

    def named(self) -> frozenset[int]:
        """Return the objects that the parameters name."""
        found = [getattr(self, field) for field in type(self).model_fields if field in _NAMING]
        return frozenset(
            label
            for each in found
            for label in (each if isinstance(each, tuple) else (each,))
            if isinstance(label, int) and label > 0
        )


_NAMING = ("id", "ids", "to")
