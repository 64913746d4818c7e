"""`Frame`: the image over which outlines lie: its size, its planes, its pixel size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cellmetry.core.image import UNKNOWN_PIXEL_SIZE, PixelSize
from cellmetry.errors import InputError, ParameterError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cellmetry.core.image import Image
    from cellmetry.core.labels import Labels

__all__ = ["Frame", "Lead", "frame_of_image", "frame_of_labels"]

Lead = tuple[int, ...]
"""Where a plane lies along the axes before Y and X, from 0."""

_LARGEST_SIDE = 1 << 24


@dataclass(frozen=True)
class Frame:
    """The image over which outlines lie.

    Parameters
    ----------
    shape
        Size along each of `axes`, in pixels.
    axes
        A subset of ``TZYX`` in this order, always with Y and X.
    pixel_size
        In µm.
    channels
        Channels of the image; ImageJ counts them where it numbers the planes of a stack.
    name
        File name of the image, where known.
    """

    shape: tuple[int, ...]
    axes: str = "YX"
    pixel_size: PixelSize = UNKNOWN_PIXEL_SIZE
    channels: int = 1
    name: str = ""

    def __post_init__(self) -> None:
        if list(self.axes) != [axis for axis in "TZYX" if axis in self.axes] or self.axes[-2:] != "YX":
            raise ParameterError(f"Axes of labels must be a subset of TZYX with Y and X, not {self.axes!r}.")
        if len(self.shape) != len(self.axes):
            raise ParameterError(
                f"A shape of {len(self.shape)} numbers does not fit the axes {self.axes}; give one number an axis, and "
                f"the axes of a stack, as in --shape 5,512,512 --axes ZYX."
            )
        if not all(1 <= side <= _LARGEST_SIDE for side in self.shape):
            raise ParameterError(f"A shape of {self.shape} pixels is impossible; sides are 1 to {_LARGEST_SIDE:,}.")

    @property
    def plane(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.shape[-2], self.shape[-1]

    def leads(self) -> Iterator[Lead]:
        """Yield the place of each plane."""
        yield from np.ndindex(*self.shape[:-2])

    def place(self, lead: Lead) -> dict[str, int]:
        """Return the place of a plane by axis, lower case: ``{"t": 2, "z": 0}``."""
        return dict(zip(self.axes[:-2].lower(), lead, strict=True))

    def lead(self, name: str, **at: int | None) -> Lead:
        """Return the place of the plane at `t` and `z`, from 0, None where nothing is said of an axis.

        Raises
        ------
        InputError
            If there is no such plane, or the image has several and nothing is said; names the outline.
        """
        for axis, place in at.items():
            if axis.upper() not in self.axes and place:
                raise InputError(
                    f"The outline {name} lies on {axis.upper()} {place + 1}, but the image has one plane along "
                    f"{axis.upper()}; give the stack it was drawn on with --like."
                )
        return tuple(
            self._along(axis, at.get(axis.lower()), size, name)
            for axis, size in zip(self.axes[:-2], self.shape, strict=False)
        )

    def _along(self, axis: str, place: int | None, size: int, name: str) -> int:
        if place is None and size > 1:
            raise InputError(
                f"The outline {name} does not say on which plane along {axis} it lies, and the image has {size}. In "
                f"Fiji set its position (Edit > Selection > Properties), or import it for one plane."
            )
        if not 0 <= (place or 0) < size:
            raise InputError(f"The outline {name} lies on {axis} {(place or 0) + 1}, but the image has {size}.")
        return place or 0


def frame_of_image(image: Image, name: str) -> Frame:
    """Return the frame of an image: all its axes but the channels."""
    axes = image.axes.replace("C", "")
    shape = tuple(image.sizes[axis] for axis in axes)
    return Frame(shape, axes, image.pixel_size, len(image.channels), name)


def frame_of_labels(labels: Labels) -> Frame:
    """Return the frame in which labels lie."""
    return Frame(labels.shape, labels.axes, labels.pixel_size)
