"""What Cellpose reads and writes: ``_img``/``_masks`` pairs, and ``_seg.npy`` beside its image."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar, Literal, NamedTuple

from cellmetry.core.labels import labels_from_array
from cellmetry.errors import InputError, LabelsError, MissingInput
from cellmetry.export.cellpose_npy import read_cellpose_seg
from cellmetry.io.discover import IMAGE_SUFFIXES, stem_of
from cellmetry.learn.importers.base import Entry, Importer
from cellmetry.learn.importers.label_pictures import check_size, read_label_plane
from cellmetry.learn.importers.pairing import all_files
from cellmetry.learn.importers.writing import Truth

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["Cellpose"]

_MASKS = re.compile(r"(?P<stem>.+?)(?:_cp)?_masks")
_DERIVED = re.compile(r".+(_masks|_seg|_flows|_outlines|_outlines_cp|_cp_output)(_cp)?")


class _Kept(NamedTuple):
    """A file of masks, and the stem of its image."""

    stem: str
    path: Path
    kind: str


class Cellpose(Importer):
    """Folders of Cellpose: ``1_img.png`` with ``1_masks.png``, ``a.tif`` with ``a_cp_masks.tif`` or ``a_seg.npy``."""

    title: ClassVar[str] = "Cellpose's folders"

    prefer: Literal["seg", "masks"] = "seg"
    """Which to take where an image has both a ``_seg.npy`` (kept by the GUI, with corrections) and a masks picture."""

    def entries(self, source: Path) -> Sequence[Entry]:
        """Return the images with masks."""
        files = all_files(source)
        images: dict[tuple[Path, str], list[Path]] = {}
        kept: dict[tuple[Path, str], dict[str, Path]] = {}
        for path in files:
            masks = _masks(path)
            if masks is not None:
                kept.setdefault((path.parent, masks.stem), {})[masks.kind] = path
            elif path.suffix.lower() in IMAGE_SUFFIXES and not _DERIVED.fullmatch(stem_of(path.name)):
                images.setdefault((path.parent, stem_of(path.name).removesuffix("_img")), []).append(path)
        return [self._entry(key, found, images.get(key, []), source) for key, found in kept.items()]

    def read(self, entry: Entry, shape: tuple[int, int]) -> Truth:
        """Return the masks as labels."""
        path: Path = entry.truth
        if not path.name.endswith("_seg.npy"):
            return Truth(read_label_plane(path, shape, entry.image))
        masks = read_cellpose_seg(path).masks
        if masks.ndim == 3 and masks.shape[0] == 1:
            masks = masks[0]
        if masks.ndim != 2:
            raise LabelsError(f"{path} has masks of shape {masks.shape}; an item of a data set is one plane.")
        check_size(masks.shape, shape, path, entry.image)
        return Truth(labels_from_array(masks, name=str(path)).read())

    def _entry(self, key: tuple[Path, str], found: dict[str, Path], images: list[Path], source: Path) -> Entry:
        masks = found.get(self.prefer) or next(iter(found.values()))
        if not images:
            raise MissingInput(f"{masks} has no image {key[1]}_img or {key[1]} beside it.")
        if len(images) > 1:
            raise InputError(f"{masks} may belong to {images[0].name} or {images[1].name}; move one of them away.")
        return Entry((key[0] / key[1]).relative_to(source).as_posix(), images[0], masks)


def _masks(path: Path) -> _Kept | None:
    if path.name.endswith("_seg.npy"):
        return _Kept(path.name.removesuffix("_seg.npy").removesuffix("_img"), path, "seg")
    found = _MASKS.fullmatch(stem_of(path.name)) if path.suffix.lower() in IMAGE_SUFFIXES else None
    return _Kept(found["stem"].removesuffix("_img"), path, "masks") if found else None
