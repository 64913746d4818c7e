"""BBBC039 as distributed: 16-bit images, and masks in colours."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, ClassVar

from cellmetry.errors import MissingInput
from cellmetry.learn.importers.base import Entry, Importer
from cellmetry.learn.importers.label_pictures import equal_parts, read_channels
from cellmetry.learn.importers.pairing import all_files
from cellmetry.learn.importers.writing import Truth

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["Bbbc039"]

_WELL = re.compile(r"(?:^|_)([A-P]\d\d)_s\d+_")


class Bbbc039(Importer):
    """BBBC039 as distributed: TIFF images, and PNG masks of equal stem anywhere below the source.

    As its makers read it: objects are the connected parts (corners count) of equal value in the first channel.
    """

    title: ClassVar[str] = "BBBC039"
    public: ClassVar[dict[str, Any]] = {
        "licence": "CC0-1.0",
        "source": "https://bbbc.broadinstitute.org/BBBC039",
        "citation": "Caicedo, J. C. et al. Evaluation of Deep Learning Strategies for Nucleus Segmentation in "
        "Fluorescence Images. Cytometry Part A 95, 952–965 (2019).",
        "summary": "Nuclei of U2OS cells in a chemical screen, Hoechst, 16-bit.",
    }

    def entries(self, source: Path) -> Sequence[Entry]:
        """Return the images that have a mask; wells are groups."""
        files = all_files(source)
        images = {path.stem: path for path in files if path.suffix.lower() in {".tif", ".tiff"}}
        masks = {path.stem: path for path in files if path.suffix.lower() == ".png"}
        alone = [path.name for stem, path in images.items() if stem not in masks]
        if alone:
            raise MissingInput(f"{source}: {len(alone)} images have no PNG of masks, for example {alone[0]}.")
        return [Entry(stem, image, masks[stem], _well(stem), "fluorescence") for stem, image in images.items()]

    def read(self, entry: Entry, shape: tuple[int, int]) -> Truth:
        """Return the labels."""
        return Truth(equal_parts(read_channels(entry.truth, shape, entry.image)[:1], split=True))


def _well(stem: str) -> str:
    found = _WELL.search(stem)
    return found[1] if found else ""
