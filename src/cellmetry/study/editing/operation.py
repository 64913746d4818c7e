"""`EditOperation`: one way to change labels; and what it may ask of them."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar, NamedTuple, Protocol

from pydantic import Field

from cellmetry.core.step import Parameters

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from cellmetry.core.image import Box

__all__ = ["Change", "EditOperation", "LabelView"]


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

    def box_of(self, label: int, t: int, z: int) -> Box | None:
        """Return the box of an object in a plane, None if it is not there."""
        ...

    def ids_in(self, t: int, z: int, box: Box) -> Sequence[int]:
        """Return the objects whose boxes meet a box of a plane."""
        ...

    def new_id(self) -> int:
        """Return an id that was never used."""
        ...


class EditOperation(Parameters):
    """One way to change labels. Its fields are its parameters, in pixels of the finest level: y down, x to the right.

    A subclass sets `name`, declares its fields, and calls array functions of `ops.editing` in `changes`.
    """

    name: ClassVar[str]
    """The word by which REST, the client and the log call it."""

    t: int = Field(0, ge=0)
    """Frame."""
    z: int = Field(0, ge=0)
    """Plane."""

    @abstractmethod
    def changes(self, view: LabelView) -> list[Change]:
        """Return the boxes that change, with their new ids; none if nothing does.

        Raises
        ------
        ParameterError
            If the operation makes no sense there, as merging one object.
        """
