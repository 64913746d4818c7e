"""Images with outlines from ImageJ's ROI manager."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from cellmetry.errors import MissingInput
from cellmetry.export.rois import read_rois, roi_instance
from cellmetry.io.discover import IMAGE_SUFFIXES, stem_of
from cellmetry.learn.importers.base import Entry, about, painted_truth
from cellmetry.learn.importers.pairing import PairedImporter, all_files
from cellmetry.ops.instances import Overlap

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from cellmetry.learn.importers.writing import Truth

__all__ = ["RoiZips", "truth_of_rois"]

_FORMS = ("{}", "{}_RoiSet", "RoiSet_{}", "{}_rois", "{}_ROIs")


class RoiZips(PairedImporter):
    """Images, each with a zip or ``.roi`` beside it (``a.zip``, ``a_RoiSet.zip``, ``RoiSet_a.zip``) or by patterns."""

    title: ClassVar[str] = "ImageJ ROI zips"
    truth_folders: ClassVar[tuple[str, ...]] = ("rois", "labels")
    truth_endings: ClassVar[tuple[str, ...]] = ("_RoiSet", "_rois")
    truth_suffixes: ClassVar[frozenset[str]] = frozenset({".zip", ".roi"})

    overlap: Overlap = "smaller"
    """Which of two overlapping objects gets the pixels: the smaller, the later or the earlier in the zip."""

    def entries(self, source: Path) -> Sequence[Entry]:
        """Return the images with their outlines."""
        if self.image_pattern or self.truth_pattern or self.annotated_pattern or (source / "images").is_dir():
            return super().entries(source)
        files = all_files(source)
        sets = {(path.parent, path.stem): path for path in files if path.suffix.lower() in self.truth_suffixes}
        found = []
        for path in files:
            stem = stem_of(path.name)
            keys = [(path.parent, form.format(stem)) for form in _FORMS]
            beside = next((sets.pop(key) for key in keys if key in sets), None)
            if path.suffix.lower() in IMAGE_SUFFIXES and beside is not None:
                found.append(Entry(path.relative_to(source).with_name(stem).as_posix(), path, beside))
        if sets and not self.skip_unpaired:
            lost = next(iter(sets.values()))
            raise MissingInput(
                f"{lost} belongs to no image beside it; name it as its image, or give image_pattern and truth_pattern."
            )
        return found

    def read(self, entry: Entry, shape: tuple[int, int]) -> Truth:
        """Return the labels that the outlines make."""
        return truth_of_rois(entry.truth, shape, self.overlap)


def truth_of_rois(path: Path, shape: tuple[int, int], overlap: Overlap) -> Truth:
    """Return the labels that the areas of a ROI file make; points and lines are left out, with a note."""
    rois = read_rois(path)
    areas = [roi for roi in rois if roi.kind == "area"]
    with about(path):
        truth = painted_truth([roi_instance(roi, shape) for roi in areas], shape, overlap)
    left = len(rois) - len(areas)
    return truth.with_notes(f"{left} ROIs are points or lines and were left out.") if left else truth
