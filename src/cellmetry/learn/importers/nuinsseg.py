"""NuInsSeg as distributed: a folder per organ, with tissue images, label masks, ROI zips and vague areas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from cellmetry.errors import MissingInput
from cellmetry.io.discover import natural_key
from cellmetry.learn.importers.base import Entry, Importer
from cellmetry.learn.importers.label_pictures import read_label_plane, read_mask
from cellmetry.learn.importers.roi_zips import truth_of_rois
from cellmetry.learn.importers.writing import Truth
from cellmetry.ops.instances import Overlap

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["NuInsSeg"]

_IMAGES = "tissue images"
_MASKS = "label masks modify"
_ZIPS = ("Imagj_zips", "ImageJ_zips", "imageJ_zips")
_VAGUE = "vague areas"


class NuInsSeg(Importer):
    """NuInsSeg as distributed. All images of an organ come from one slide and are one group."""

    title: ClassVar[str] = "NuInsSeg"
    public: ClassVar[dict[str, Any]] = {
        "licence": "CC-BY-4.0",
        "source": "https://zenodo.org/records/10518968",
        "citation": "Mahbod, A. et al. NuInsSeg: A fully annotated dataset for nuclei instance segmentation in "
        "H&E-stained histological images. Scientific Data 11, 295 (2024).",
        "summary": "Nuclei in H&E-stained sections of 31 human and mouse organs, 512 × 512 pixels.",
    }

    truth_is: Literal["masks", "rois"] = "masks"
    """Whether labels are read from the folder ``label masks modify`` or made from the ROI zips."""
    vague_areas: bool = True
    """Take the areas that the makers marked as vague for not annotated."""
    overlap: Overlap = "smaller"
    """Which of two overlapping objects of a ROI zip gets the pixels: the smaller, the later or the earlier."""

    def entries(self, source: Path) -> Sequence[Entry]:
        """Return the images of all organs."""
        folders = sorted(path for path in source.rglob(_IMAGES) if path.is_dir())
        return [self._entry(image) for folder in folders for image in _sorted(folder.glob("*.png"))]

    def read(self, entry: Entry, shape: tuple[int, int]) -> Truth:
        """Return the labels; vague areas become not annotated, except where a nucleus was drawn."""
        path, vague = entry.truth
        rois = self.truth_is == "rois"
        truth = truth_of_rois(path, shape, self.overlap) if rois else Truth(read_label_plane(path, shape, entry.image))
        if vague is None:
            return truth
        return truth.with_annotated(~read_mask(vague, shape, entry.image) | (truth.array > 0))

    def _entry(self, image: Path) -> Entry:
        organ = image.parent.parent
        zips = [organ / name / f"{image.stem}.zip" for name in _ZIPS]
        places = zips if self.truth_is == "rois" else [organ / _MASKS / f"{image.stem}.tif"]
        path = next((place for place in places if place.is_file()), None)
        if path is None:
            raise MissingInput(f"{image} has no {places[0].relative_to(organ)}; unpack the whole archive of NuInsSeg.")
        vague = next(iter(_sorted(organ.glob(f"{_VAGUE}/mask binary*/{image.stem}.png"))), None)
        where = f"{organ.name}/{image.stem}"
        return Entry(where, image, (path, vague if self.vague_areas else None), organ.name, "H&E")


def _sorted(paths: Any) -> list[Path]:
    return sorted(paths, key=lambda path: natural_key(path.name))
