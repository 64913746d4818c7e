"""Labels as label images: TIFF, NumPy, OME-Zarr, and 16-bit PNG."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pandas as pd

from cellmetry.core.columns import Column
from cellmetry.errors import LabelsError, OutputError
from cellmetry.export.formats import LabelFormat
from cellmetry.export.gathering import Gathered
from cellmetry.io.labels import read_labels, write_labels
from cellmetry.io.pictures import write_grey_png

if TYPE_CHECKING:
    from pathlib import Path

    from cellmetry.core.labels import Labels
    from cellmetry.export.content import Content
    from cellmetry.export.frame import Frame

__all__ = ["LabelFiles", "gathered_labels"]


class LabelFiles(LabelFormat):
    """A label image: every pixel has the id of its object."""

    title: ClassVar[str] = "label image"
    suffixes: ClassVar[tuple[str, ...]] = (".tif", ".tiff", ".npy", ".zarr", ".png")

    def write(self, content: Content, path: Path) -> tuple[str, ...]:
        """Write by the suffix; PNG holds one plane with ids up to 65,535."""
        if path.suffix.lower() != ".png":
            write_labels(content.labels, path)
            return ()
        planes = list(content.planes())
        if len(planes) != 1 or planes[0].array.max(initial=0) > np.iinfo(np.uint16).max:
            raise OutputError(f"{path}: a PNG holds one plane with ids up to 65,535; write a TIFF.")
        write_grey_png(planes[0].array.astype(np.uint16), path)
        return ()

    def read(self, path: Path, frame: Frame) -> Gathered:
        """Return the labels in a file, which must have the size of the image."""
        return gathered_labels(read_labels(path), frame, path)


def gathered_labels(labels: Labels, frame: Frame, path: Path) -> Gathered:
    """Return labels that were read as such, with a table of their ids.

    Raises
    ------
    LabelsError
        If they are of another size than the image.
    """
    if labels.shape != frame.shape or labels.axes != frame.axes:
        raise LabelsError(
            f"{path} has labels of {labels.axes} {' × '.join(map(str, labels.shape))}, the image is {frame.axes} "
            f"{' × '.join(map(str, frame.shape))}; give the image that they belong to."
        )
    if not labels.pixel_size.known:
        labels = replace(labels, pixel_size=frame.pixel_size)
    objects = pd.DataFrame({"label": labels.ids()})
    objects.attrs["columns"] = (Column("label", "1", "Id of the object in the labels.", "Cellmetry"),)
    return Gathered(labels, objects)
