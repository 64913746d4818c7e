"""Fields: which planes or volumes of an image belong to which part of its labels, read box by box."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from cellmetry.errors import AxesError, LabelsError, ParameterError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from cellmetry.core.image import Box, Image, PixelSize
    from cellmetry.core.labels import Labels
    from cellmetry.measure.options import StackOptions

__all__ = ["Field", "check_sizes", "fields_of"]

_KEPT = (np.dtype(np.uint8), np.dtype(np.uint16), np.dtype(np.float32), np.dtype(np.float64))


@dataclass(frozen=True)
class Field:
    """One plane, or one volume, of labels with the pixels it is measured on.

    Parameters
    ----------
    image, labels
        Of the same height and width.
    t
        Frame of both.
    planes
        Z planes of the image that are read.
    label_planes
        Index of the labels along Z: a plane, a range for a volume, or None if they have no Z axis.
    project
        How several planes become one.
    volume
        Whether objects extend along Z.
    """

    image: Image
    labels: Labels
    t: int
    planes: range
    label_planes: range | None
    project: Literal["max", "mean"] | None = None
    volume: bool = False

    @property
    def depth(self) -> int:
        """Number of Z planes of the labels."""
        return 1 if self.label_planes is None else len(self.label_planes)

    @property
    def pixel_size(self) -> PixelSize:
        """Pixel size of the image, or where it does not state one, of the labels."""
        return self.image.pixel_size if self.image.pixel_size.known else self.labels.pixel_size

    @property
    def sides_um(self) -> tuple[float, float] | None:
        """Height and width of a pixel in µm; None if unknown."""
        x, y, _ = self.pixel_size
        return None if x is None or y is None else (y, x)

    def read_labels(self, box: Box) -> NDArray[np.uint32]:
        """Return the labels in `box`, shape (Z, Y, X)."""
        lead: list[Any] = [self.t] if "T" in self.labels.axes else []
        if self.label_planes is not None:
            lead.append(slice(self.label_planes.start, self.label_planes.stop))
        part = np.ascontiguousarray(self.labels.array[(*lead, *box.slices)], dtype=np.uint32)
        return part.reshape(-1, *box.shape)

    def read_channel(self, channel: int, box: Box) -> NDArray[Any]:
        """Return the pixels of a channel in `box`, shape (Z, Y, X): uint8, uint16, float32 or float64."""
        planes = (_measurable(self.image.plane(t=self.t, c=channel, z=z, box=box)) for z in self.planes)
        if self.project == "max":
            return _maximum(planes)[None]
        if self.project == "mean":
            return _mean(planes, len(self.planes))[None]
        if len(self.planes) == 1:
            return next(planes)[None]
        return np.stack(list(planes))


def _measurable(plane: NDArray[Any]) -> NDArray[Any]:
    """Return the pixels in a dtype that the loops are compiled for, without loss below 2**53."""
    if plane.dtype in _KEPT and plane.dtype.isnative:
        return np.ascontiguousarray(plane)
    small = {"b": np.uint8, "e": np.float32}.get(plane.dtype.char if plane.dtype.kind == "f" else plane.dtype.kind)
    native = plane.dtype.newbyteorder("=")
    wanted = small or (native if native in _KEPT else np.float64)
    return np.ascontiguousarray(plane, dtype=wanted)


def _maximum(planes: Iterator[NDArray[Any]]) -> NDArray[Any]:
    best = next(planes).copy()
    for plane in planes:
        np.maximum(best, plane, out=best)
    return best


def _mean(planes: Iterator[NDArray[Any]], count: int) -> NDArray[np.float64]:
    total = next(planes).astype(np.float64)
    for plane in planes:
        total += plane
    return total / count


def fields_of(image: Image, labels: Labels, options: StackOptions) -> list[Field]:
    """Return the planes or volumes to be measured, in the order T, Z.

    Raises
    ------
    LabelsError
        If the labels have another height, width, T or Z than the image.
    AxesError
        If the image has planes that the labels lack and the options do not say which to measure.
    """
    check_sizes(image, labels)
    frames = range(image.sizes["T"])
    depth = image.sizes["Z"]
    if "Z" not in labels.axes:
        planes, project = _planes_without_z(image, options)
        return [Field(image, labels, t, planes, None, project) for t in frames]
    as_volume = labels.linked_z if options.volume is None else options.volume
    if as_volume is None:
        raise ParameterError(
            f"The labels of {image.name} have a Z axis and do not say whether an id means the same object in every "
            f"plane; measure volumes with volume=true (--set measure.volume=true), or each plane with volume=false."
        )
    if as_volume:
        whole = range(depth)
        return [Field(image, labels, t, whole, whole, volume=True) for t in frames]
    return [Field(image, labels, t, range(z, z + 1), range(z, z + 1)) for t in frames for z in range(depth)]


def check_sizes(image: Image, labels: Labels) -> None:
    """Refuse labels of another size than the image, or without its frames."""
    sizes = dict(zip(labels.axes, labels.shape, strict=True))
    for axis, size in sizes.items():
        if size != image.sizes[axis]:
            raise LabelsError(
                f"Labels of {image.name} have size {size} along {axis}, the image has {image.sizes[axis]}; "
                f"they must be of one size (labels {labels.axes} {labels.shape}, image {image.axes} {image.shape})."
            )
    if "T" not in sizes and image.sizes["T"] > 1:
        raise AxesError(
            f"{image.name} has {image.sizes['T']} frames but its labels ({labels.axes}) have no T axis; "
            f"give labels for each frame, or select a frame of the image."
        )


def _planes_without_z(image: Image, options: StackOptions) -> tuple[range, Literal["max", "mean"] | None]:
    depth = image.sizes["Z"]
    if options.project is not None and options.plane is not None:
        raise ParameterError("Give either project or plane for a Z stack, not both.")
    if options.plane is not None:
        if options.plane >= depth:
            raise ParameterError(f"{image.name} has {depth} Z planes; there is no plane {options.plane}.")
        return range(options.plane, options.plane + 1), None
    if options.project is not None:
        return range(depth), options.project
    if depth > 1:
        raise AxesError(
            f"{image.name} has {depth} Z planes but its labels have no Z axis; say what to measure with "
            f"project='max', project='mean' or plane=N."
        )
    return range(1), None
