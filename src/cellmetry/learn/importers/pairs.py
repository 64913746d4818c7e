"""Pairs of an image and a label image, foreground picture or picture in colours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from cellmetry.learn.importers.label_pictures import equal_parts, read_channels, read_label_plane, read_mask
from cellmetry.learn.importers.pairing import PairedImporter
from cellmetry.learn.importers.writing import Truth

if TYPE_CHECKING:
    from cellmetry.learn.importers.base import Entry

__all__ = ["Pairs", "Usiigaci"]


class Pairs(PairedImporter):
    """Images and label images, by folders or by patterns."""

    title: ClassVar[str] = "pairs of images and labels"

    truth_is: Literal["labels", "colours", "colour_parts", "foreground"] = "labels"
    """What the files of truth are: label images; pictures in which each colour is an object; the same where parts of
    one colour that do not touch are different objects; or pictures that are not black where cells are."""

    def read(self, entry: Entry, shape: tuple[int, int]) -> Truth:
        """Return labels or foreground."""
        if self.truth_is == "foreground":
            return Truth(read_mask(entry.truth, shape, entry.image), "foreground")
        if self.truth_is == "labels":
            return Truth(read_label_plane(entry.truth, shape, entry.image))
        values = read_channels(entry.truth, shape, entry.image)
        return Truth(equal_parts(values, split=self.truth_is == "colour_parts"))


class Usiigaci(Pairs):
    """Usiigaci as distributed: folders ``set1``, ``set2``, … with ``raw.tif`` and ``instances_ids.png``."""

    title: ClassVar[str] = "Usiigaci's training data"
    public: ClassVar[dict[str, Any]] = {
        "licence": "MIT",
        "source": "https://github.com/oist/Usiigaci",
        "citation": "Tsai, H.-F., Gajda, J., Sloan, T. F. W., Rares, A., Shen, A. Q. Usiigaci: Instance-aware cell "
        "tracking in stain-free phase contrast microscopy enabled by machine learning. SoftwareX 9, 230–237 (2019).",
        "summary": "Phase contrast images of T98G cells, whole cells drawn by hand.",
    }

    image_pattern: str = "{name:(?:.+/)?[^/]+}/raw.tif"
    """Paths of the images."""
    truth_pattern: str = "{name:(?:.+/)?[^/]+}/instances_ids.png"
    """Paths of the label images."""
