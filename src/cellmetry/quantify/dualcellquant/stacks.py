"""Planes of stacks and time series: which there are, and how what was made of each is joined."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from cellmetry.core.image import image_from_array
from cellmetry.errors import AxesError
from cellmetry.ops.label_checks import check_same_size
from cellmetry.quantify.dualcellquant.columns import described

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from cellmetry.core.image import Image
    from cellmetry.core.labels import Labels
    from cellmetry.quantify.dualcellquant.planes import Made

__all__ = ["Gathered", "Place", "check_planes", "gather", "planes_of", "ratio_image"]


class Place(NamedTuple):
    """Frame and Z plane."""

    t: int
    z: int

    def in_labels(self, axes: str) -> tuple[int, ...]:
        """Return the index of this plane in labels with these axes."""
        return tuple(number for axis, number in (("T", self.t), ("Z", self.z)) if axis in axes)


@dataclass(frozen=True)
class Gathered:
    """What was made of all planes."""

    tables: dict[str, pd.DataFrame]
    masks: dict[str, Labels]
    ratio: NDArray[np.float32] | None
    warnings: tuple[str, ...]


def check_planes(labels: Labels, image: Image) -> None:
    """Return nothing if there are labels for every plane of the image.

    Raises
    ------
    LabelsError
        If the sizes differ.
    AxesError
        If the image has frames or Z planes that the labels lack.
    """
    check_same_size(labels, image)
    sizes = dict(zip(labels.axes, labels.shape, strict=True))
    for axis, word in (("T", "frames"), ("Z", "Z planes")):
        if image.sizes[axis] != sizes.get(axis, 1):
            raise AxesError(
                f"{image.name} has {image.sizes[axis]} {word}, its labels ({labels.axes}) do not; each plane is "
                f"quantified by itself, so give labels for each, or one plane of the image."
            )


def planes_of(image: Image) -> list[Place]:
    """Return all planes, frame by frame."""
    return [Place(t, z) for t in range(image.sizes["T"]) for z in range(image.sizes["Z"])]


def gather(made: Sequence[Made], places: Sequence[Place], labels: Labels) -> Gathered:
    """Return tables with the columns t and z where labels have these axes, and masks and ratio like the labels."""
    tables = {name: _joined([one.tables[name] for one in made], places, labels.axes) for name in made[0].tables}
    masks = {
        name: replace(labels, array=np.stack([one.masks[name] for one in made]).reshape(labels.shape))
        for name in made[0].masks
    }
    ratios = [one.ratio for one in made if one.ratio is not None]
    ratio = np.stack(ratios).reshape(labels.shape) if ratios else None
    boundless = sorted({label for one in made for label in one.boundless})
    warnings = tuple(
        f"Cell {label} fills its whole plane, so it has no boundary; it is in no radial region and no profile."
        for label in boundless
    )
    return Gathered(tables, masks, ratio, warnings)


def _joined(tables: Sequence[pd.DataFrame], places: Sequence[Place], axes: str) -> pd.DataFrame:
    parts = []
    for table, place in zip(tables, places, strict=True):
        part, column = table.copy(), int("label" in table)
        for axis, number in (("Z", place.z), ("T", place.t)):
            if axis in axes:
                part.insert(column, axis.lower(), np.full(len(part), number, np.int64))
        parts.append(part)
    filled = [part for part in parts if len(part)] or parts[:1]
    return described(pd.concat(filled, ignore_index=True))


def ratio_image(ratio: NDArray[np.float32], axes: str, image: Image) -> Image:
    """Return the ratio as an image with the pixel size of `image`."""
    made = image_from_array(ratio, axes, channel_names=["ratio"], name=image.name)
    return replace(made, pixel_size=image.pixel_size)
