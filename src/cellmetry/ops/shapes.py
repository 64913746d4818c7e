"""Drawn regions: rectangles and polygons by name, and which pixels lie in them."""

from __future__ import annotations

from pathlib import PurePath, PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import Field, model_validator

from cellmetry.core.image import Box
from cellmetry.core.step import Parameters

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from cellmetry.core.image import Image

__all__ = ["Shape", "inside", "shape_box", "shapes_on"]


class Shape(Parameters):
    """A drawn region. Coordinates are in pixels from the upper left corner of the image, rows before columns.

    The first pixel covers 0 to 1 both ways, so that ``rectangle = [0, 0, 10, 20]`` holds ten rows and twenty columns.
    """

    name: str = Field(min_length=1, max_length=200)
    """What the region is called in the table."""
    rectangle: tuple[float, float, float, float] | None = None
    """Upper, left, lower and right side."""
    polygon: tuple[tuple[float, float], ...] = ()
    """Corners (row, column) in their order; the last is joined to the first."""
    image: str = ""
    """Name of the image that it lies on, as in the tables, with the folders before it or without; every image if
    empty."""

    @model_validator(mode="after")
    def _one_form(self) -> Shape:
        if (self.rectangle is None) == (not self.polygon):
            raise ValueError("Give either a rectangle or a polygon.")
        if self.polygon and len(self.polygon) < 3:
            raise ValueError("A polygon has three corners at least.")
        if self.rectangle is not None and not (
            self.rectangle[0] < self.rectangle[2] and self.rectangle[1] < self.rectangle[3]
        ):
            raise ValueError("A rectangle is [upper, left, lower, right], with upper < lower and left < right.")
        return self

    def lies_on(self, image: PurePath) -> bool:
        """Return whether it lies on an image of this name, its folders before it."""
        parts = PurePosixPath(self.image).parts
        return image.parts[len(image.parts) - len(parts) :] == parts

    @property
    def corners(self) -> NDArray[np.float64]:
        """Corners in their order, shape (n, 2)."""
        if self.rectangle is None:
            return np.array(self.polygon)
        y0, x0, y1, x1 = self.rectangle
        return np.array([(y0, x0), (y0, x1), (y1, x1), (y1, x0)])


def shapes_on(image: Image, shapes: Iterable[Shape]) -> tuple[Shape, ...]:
    """Return those of the regions that lie on an image."""
    named = PurePath(image.name) if image.path is None else PurePath(image.path).parent / image.name
    return tuple(shape for shape in shapes if shape.lies_on(named))


def shape_box(shape: Shape, plane: tuple[int, int]) -> Box:
    """Return the pixels of a plane of this height and width that a region can reach; empty if it lies outside."""
    low, high = np.floor(shape.corners.min(axis=0)), np.ceil(shape.corners.max(axis=0))
    (y0, x0), (y1, x1) = (np.clip(ends, 0, plane).astype(int).tolist() for ends in (low, high))
    return Box(y0, y1, x0, x1)


def inside(shape: Shape, y: NDArray[np.floating[Any]], x: NDArray[np.floating[Any]]) -> NDArray[np.bool_]:
    """Return whether points lie in a region, by the even-odd rule; y and x are broadcast against each other.

    The middle of the first pixel is 0.5, 0.5 here, as the coordinates of regions have it.
    """
    corners = shape.corners
    found = np.zeros(np.broadcast_shapes(y.shape, x.shape), bool)
    for (y0, x0), (y1, x1) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        if y0 != y1:
            crosses = (y0 <= y) != (y1 <= y)
            found ^= crosses & (x < x0 + (y - y0) * (x1 - x0) / (y1 - y0))
    return found
