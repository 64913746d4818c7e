"""One picture per object, in a folder per image: the layout of the Data Science Bowl 2018 (BBBC038)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from cellmetry.errors import InputError, MissingInput
from cellmetry.io.discover import IMAGE_SUFFIXES, natural_key
from cellmetry.learn.importers.base import Entry, Importer, painted_truth
from cellmetry.learn.importers.label_pictures import read_mask
from cellmetry.ops.instances import Overlap, instance_from_mask

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from cellmetry.learn.importers.writing import Truth

__all__ = ["Bbbc038", "InstancePngs"]


class InstancePngs(Importer):
    """A folder per image, with one picture in ``images`` and a mask per object in ``masks``."""

    title: ClassVar[str] = "one picture per object"

    images: str = "images"
    """Name of the folder that holds the image."""
    masks: str = "masks"
    """Name of the folder beside it that holds the masks; a pixel that is not black belongs to the object."""
    overlap: Overlap = "smaller"
    """Which of two overlapping objects gets the pixels: the smaller, the later or the earlier by name."""

    def entries(self, source: Path) -> Sequence[Entry]:
        """Return one entry for each folder with images and masks."""
        masks = [path for path in source.rglob(self.masks) if path.is_dir() and "__MACOSX" not in path.parts]
        folders = sorted((path.parent for path in masks), key=lambda path: natural_key(str(path)))
        return [self._entry(folder, source) for folder in folders if (folder / self.images).is_dir()]

    def read(self, entry: Entry, shape: tuple[int, int]) -> Truth:
        """Return the labels that the masks make, in order of their names."""
        found = [instance_from_mask(read_mask(path, shape, entry.image)) for path in entry.truth]
        return painted_truth(found, shape, self.overlap)

    def _entry(self, folder: Path, source: Path) -> Entry:
        images, masks = _pictures(folder / self.images), _pictures(folder / self.masks)
        if len(images) != 1:
            raise InputError(f"{folder / self.images} holds {len(images)} images; one is expected for its masks.")
        if not masks:
            raise MissingInput(f"{folder / self.masks} holds no mask; an image without objects needs one black mask.")
        path = folder.relative_to(source).as_posix()
        return Entry(folder.name if path == "." else path, images[0], masks)


class Bbbc038(InstancePngs):
    """BBBC038 stage 1 (Data Science Bowl 2018) as distributed."""

    title: ClassVar[str] = "BBBC038 stage 1"
    public: ClassVar[dict[str, Any]] = {
        "licence": "CC0-1.0",
        "source": "https://bbbc.broadinstitute.org/BBBC038",
        "citation": "Caicedo, J. C. et al. Nucleus segmentation across imaging experiments: the 2018 Data Science "
        "Bowl. Nature Methods 16, 1247–1253 (2019).",
        "summary": "Nuclei in fluorescence, stained tissue and brightfield, of many microscopes.",
    }


def _pictures(folder: Path) -> list[Path]:
    found = [path for path in folder.iterdir() if path.suffix.lower() in IMAGE_SUFFIXES and path.name[0] != "."]
    return sorted(found, key=lambda path: natural_key(path.name))
