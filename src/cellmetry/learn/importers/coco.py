"""COCO JSON, and LIVECell as it is distributed."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from cellmetry.errors import InputError
from cellmetry.export.coco import coco_instance, read_coco
from cellmetry.learn.importers.base import Entry, Importer, about, painted_truth
from cellmetry.learn.importers.label_pictures import check_size
from cellmetry.learn.importers.lookup import ImageLookup, annotation_files
from cellmetry.ops.instances import Overlap, paint_instances

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from cellmetry.export.coco import CocoImage
    from cellmetry.learn.importers.writing import Truth

__all__ = ["Coco", "LiveCell"]

_LIVECELL = re.compile(r"(?P<type>[^_]+)_(?P<how>[^_]+)_(?P<well>[A-P]\d{1,2})_")


class Coco(Importer):
    """COCO JSON files with polygons or run-length codes, and the images that they name."""

    title: ClassVar[str] = "COCO JSON"

    annotations: str = "**/*.json"
    """The JSON file or files below the source, a path or a pattern (or the source is the file)."""
    images: str = "."
    """Folder of the images, below the source; they are found by name, in sub-folders too."""
    crowd: Literal["not_annotated", "object"] = "not_annotated"
    """What areas of many objects that were not told apart are: not annotated, or objects like all others."""
    overlap: Overlap = "smaller"
    """Which of two overlapping objects gets the pixels: the smaller, the later or the earlier in the file."""

    def entries(self, source: Path) -> Sequence[Entry]:
        """Return the images that the files name, each once."""
        folder, paths = annotation_files(source, self.annotations)
        lookup = ImageLookup(folder / self.images)
        found: dict[Path, Entry] = {}
        for path in paths:
            coco = read_coco(path)
            for image in coco.images:
                each = self._entry(image, lookup.find(image.file_name), (path, image, coco.objects.get(image.id, ())))
                if each.image in found:
                    raise InputError(f"{path} and another file both annotate {each.image}; name one with annotations.")
                found[each.image] = each
        return list(found.values())

    def read(self, entry: Entry, shape: tuple[int, int]) -> Truth:
        """Return the labels of an image; crowds become not annotated."""
        path, image, objects = entry.truth
        check_size((image.height, image.width), shape, f"{path}, {image.file_name}", entry.image)
        single = [each for each in objects if not each.crowd or self.crowd == "object"]
        crowds = [each for each in objects if each.crowd and self.crowd != "object"]
        with about(f"{path}, {image.file_name}"):
            truth = painted_truth([coco_instance(each, shape) for each in single], shape, self.overlap)
            hazy = paint_instances([coco_instance(each, shape) for each in crowds], shape).labels > 0
        classes = {number: each.category for number, each in enumerate(single, start=1) if each.category}
        truth = truth.with_classes(classes if len(set(classes.values())) > 1 else {})
        return truth.with_annotated(~hazy | (np.asarray(truth.array) > 0)) if crowds else truth

    def _entry(self, image: CocoImage, path: Path, truth: Any) -> Entry:
        return Entry(PurePosixPath(image.file_name).with_suffix("").as_posix(), path, truth)


class LiveCell(Coco):
    """LIVECell as distributed: ``annotations/LIVECell/livecell_coco_*.json`` and ``images`` with its sub-folders."""

    title: ClassVar[str] = "LIVECell"
    public: ClassVar[dict[str, Any]] = {
        "licence": "CC-BY-NC-4.0",
        "non_commercial": True,
        "source": "https://sartorius-research.github.io/LIVECell/",
        "citation": "Edlund, C. et al. LIVECell—A large-scale dataset for label-free live cell segmentation. Nature "
        "Methods 18, 1038–1045 (2021).",
        "summary": "Phase contrast images of eight cell types, 704 × 520 pixels.",
    }

    annotations: str = "**/livecell_coco_*.json"
    """The JSON files: training, validation and test."""

    def _entry(self, image: CocoImage, path: Path, truth: Any) -> Entry:
        name = PurePosixPath(image.file_name).stem
        found = _LIVECELL.match(name)
        if found is None:
            return Entry(name, path, truth)
        return Entry(name, path, truth, "_".join(found.group("type", "well")), found["type"])
