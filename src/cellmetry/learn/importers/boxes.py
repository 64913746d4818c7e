"""Boxes instead of outlines: each becomes a point at its centre, for counting. BBBC041 as distributed."""

from __future__ import annotations

import json
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from cellmetry.errors import DamagedFile, InputError
from cellmetry.learn.importers.base import Entry, Importer
from cellmetry.learn.importers.label_pictures import check_size
from cellmetry.learn.importers.lookup import ImageLookup, annotation_files
from cellmetry.learn.importers.writing import Truth

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["Bbbc041", "Boxes"]


class Boxes(Importer):
    """JSON as in BBBC041: a list of images, each with boxes and their category. The category is kept as a column."""

    title: ClassVar[str] = "boxes in JSON"

    annotations: str = "**/*.json"
    """The JSON file or files below the source, a path or a pattern (or the source is the file)."""
    images: str = "."
    """Folder of the images, below the source; they are found by name, in sub-folders too."""
    leave_out: tuple[str, ...] = ()
    """Categories that are not to be counted."""
    modality: str = ""
    """Kind of microscopy."""

    def entries(self, source: Path) -> Sequence[Entry]:
        """Return the images that the files name, each once."""
        folder, paths = annotation_files(source, self.annotations)
        lookup = ImageLookup(folder / self.images)
        found: dict[Path, Entry] = {}
        for path in paths:
            for each in _load(path):
                name = str(each["image"]["pathname"])
                image = lookup.find(name)
                if image in found:
                    raise InputError(f"{path} annotates {image} again; each image is annotated once.")
                stem = PurePosixPath(name.lstrip("/")).with_suffix("").as_posix()
                found[image] = Entry(stem, image, (path, each), modality=self.modality)
        return list(found.values())

    def read(self, entry: Entry, shape: tuple[int, int]) -> Truth:
        """Return the centres of the boxes."""
        path, each = entry.truth
        where = f"{path}, {entry.path}"
        said = each["image"].get("shape", {})
        if {"r", "c"} <= said.keys():
            check_size((said["r"], said["c"]), shape, where, entry.image)
        kept = [box for box in each["objects"] if box["category"] not in self.leave_out]
        sides = np.array([_sides(box) for box in kept], np.float64).reshape(-1, 4)
        _check(sides, shape, where)
        columns = dict(zip(("y0", "x0", "y1", "x1"), sides.T, strict=True))
        classes = {number: str(box["category"]) for number, box in enumerate(kept, start=1)}
        return Truth((sides[:, :2] + sides[:, 2:]) / 2, "points", classes=classes, columns=columns)


class Bbbc041(Boxes):
    """BBBC041 as distributed: ``training.json``, ``test.json`` and ``images``."""

    title: ClassVar[str] = "BBBC041"
    public: ClassVar[dict[str, Any]] = {
        "licence": "CC-BY-NC-SA-3.0",
        "non_commercial": True,
        "source": "https://bbbc.broadinstitute.org/BBBC041",
        "citation": "Hung, J. et al. Applying Faster R-CNN for Object Detection on Malaria Images. arXiv:1804.09548.",
        "summary": "Giemsa-stained blood smears with P. vivax; boxes and classes of cells, no outlines.",
    }

    annotations: str = "**/t*.json"
    """The JSON files, ``training.json`` and ``test.json``."""
    modality: str = "brightfield"
    """Kind of microscopy."""


def _load(path: Path) -> list[dict[str, Any]]:
    try:
        content = json.loads(path.read_bytes())
        for each in content:
            _ = each["image"]["pathname"], [(_sides(box), box["category"]) for box in each["objects"]]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise DamagedFile(
            f"{path} is no list of images with boxes as in BBBC041: {error!r} where one is stated."
        ) from error
    found: list[dict[str, Any]] = content
    return found


def _sides(box: dict[str, Any]) -> tuple[float, float, float, float]:
    low, high = box["bounding_box"]["minimum"], box["bounding_box"]["maximum"]
    return float(low["r"]), float(low["c"]), float(high["r"]), float(high["c"])


def _check(sides: np.ndarray[Any, np.dtype[np.float64]], shape: tuple[int, int], where: str) -> None:
    centres = (sides[:, :2] + sides[:, 2:]) / 2
    inside = (centres >= -0.5) & (centres <= np.array(shape) - 0.5)
    wrong = (sides[:, 2:] < sides[:, :2]).any(axis=1) | ~inside.all(axis=1)
    if wrong.any() or not np.isfinite(sides).all():
        raise DamagedFile(f"{where}: {int(wrong.sum())} boxes are inside out or lie outside of the image.")
