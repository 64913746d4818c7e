"""Images with pictures of drawn outlines: BBBC007, 009, 018, 030 and the like."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from cellmetry.export.outlines import OutlineForm, labels_from_outlines
from cellmetry.learn.importers.base import about
from cellmetry.learn.importers.label_pictures import read_channels
from cellmetry.learn.importers.pairing import PairedImporter
from cellmetry.learn.importers.writing import Truth

if TYPE_CHECKING:
    from cellmetry.export.outlines import Outlined
    from cellmetry.learn.importers.base import Entry

__all__ = ["Outlines"]


class Outlines(PairedImporter, OutlineForm):
    """Images and pictures of outlines, by folders or by patterns; the lines may be bright or dark.

    Areas at the edge of the picture that may be background or a cell cut by it count as not annotated.
    """

    title: ClassVar[str] = "pictures of outlines"
    truth_folders: ClassVar[tuple[str, ...]] = ("outlines", "masks")
    truth_endings: ClassVar[tuple[str, ...]] = ("_outlines", "_outline")

    def read(self, entry: Entry, shape: tuple[int, int]) -> Truth:
        """Return what the lines surround."""
        picture = read_channels(entry.truth, shape, entry.image).astype(np.float64).mean(axis=0)
        with about(entry.truth):
            found = labels_from_outlines(picture, self)
        return Truth(found.labels, annotated=~found.unsure, notes=_notes(found))


def _notes(found: Outlined) -> tuple[str, ...]:
    said = []
    if found.open_lines:
        said.append(f"{found.open_lines} lines are not closed and gave no object.")
    if found.at_border:
        said.append(f"{found.at_border} areas at the edge of the picture were taken for cells cut by it.")
    if found.small_areas:
        said.append(f"{found.small_areas} enclosed areas were too small to be objects.")
    return tuple(said)
