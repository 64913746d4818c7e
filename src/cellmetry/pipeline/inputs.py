"""From what the user names to the images of a run: files, their scenes, and groups of files by a pattern."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from cellmetry.core.columns import Column
from cellmetry.errors import MissingInput, ParameterError
from cellmetry.io.discover import find_inputs
from cellmetry.io.grouped import open_group
from cellmetry.io.hashing import content_hash, file_state
from cellmetry.io.patterns import group_files, parse_pattern
from cellmetry.io.scenes import find_scenes

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path, PurePosixPath

    from cellmetry.core.image import Image
    from cellmetry.io.discover import InputFile
    from cellmetry.io.hashing import FileState
    from cellmetry.io.patterns import FileGroup
    from cellmetry.pipeline.reading import Reading

__all__ = ["PLANE_COLUMNS", "Found", "ImageRef", "file_hash", "find_images", "images_of_files"]


RESERVED = {
    *("image", "label", "path", "status", "reason", "warnings", "seconds", "axes", "shape", "sha256"),
    *("pixel_size_x_um", "pixel_size_y_um", "parent_label", "parent_overlap", "children", "unfamiliarity"),
}
"""Columns of the tables whose names a file-name pattern cannot use for its parts."""
PLANE_COLUMNS = {
    "t": Column("frame", "", "Frame as the file name has it, as text; t counts frames from 0.", "pattern"),
    "z": Column("plane", "", "Z plane as the file name has it, as text; z counts planes from 0.", "pattern"),
}
"""Columns beside ``t`` and ``z`` where a pattern has these parts."""


@dataclass(frozen=True)
class ImageRef:
    """One image of a run: where it is and how its outputs are named.

    Parameters
    ----------
    path
        The file, or the folder of an OME-Zarr image.
    stem
        How outputs are named, sub-folders mirrored; ends in ``_s3`` for scene 3 of a file with several.
    reading
        How to open it.
    scene
        Which scene of the file; None where it has one.
    group
        The files of an image that a pattern made of several; `path` is then the first of them.
    others
        Further files that belong to the image, as of a multi-file OME-TIFF.
    """

    path: Path
    stem: PurePosixPath
    reading: Reading
    scene: int | None = None
    group: FileGroup | None = None
    others: tuple[Path, ...] = ()

    @property
    def name(self) -> str:
        """Name of the image in tables."""
        return self.stem.as_posix()

    @property
    def text(self) -> str:
        """Path as the user would give it."""
        return str(self.path) if self.scene is None else f"{self.path}#{self.scene}"

    @property
    def parts(self) -> dict[str, str]:
        """What a pattern read from the file names: ``{"well": "B02", "field": "1"}``."""
        return {} if self.group is None else dict(self.group.parts)

    @property
    def plane_names(self) -> dict[str, tuple[str, ...]]:
        """What file names call the planes and frames, in order, by the column that counts them (``z``, ``t``)."""
        told = {} if self.group is None else {"t": self.group.times, "z": self.group.depths}
        return {axis: names for axis, names in told.items() if names != ("",)}

    @property
    def role_text(self) -> str:
        """What decides, beside files and reading, which pixels the image has."""
        return ""

    def open(self) -> Image:
        """Return the image, headers read."""
        if self.group is None:
            return self.reading.open(self.path, self.scene)
        return open_group(self.group, open_plane=self.reading.open)

    def sha256(self) -> str:
        """Return the hash of the file's content, or of the hashes of all its files one after the other."""
        each = list(self.file_hashes().values())
        return each[0] if len(each) == 1 else hashlib.sha256("".join(each).encode()).hexdigest()

    def file_hashes(self) -> dict[str, str]:
        """Return the hash of every file of the image, by path."""
        files = [self.path, *self.others] if self.group is None else sorted(self.group.files.values())
        return {str(file): file_hash(file) for file in files}


def file_hash(file: Path) -> str:
    """Return the hash of the content of a file or folder, worked out again only when a file of it was written again."""
    return _hash_once(file, file_state(file))


@lru_cache(maxsize=4096)
def _hash_once(path: Path, _state: FileState) -> str:
    return content_hash(path)


class Found(NamedTuple):
    """The images of a run, and sentences about files that a pattern left out."""

    images: tuple[ImageRef, ...]
    problems: tuple[str, ...]


def find_images(inputs: Iterable[str | Path], reading: Reading, out: Path | None = None) -> Found:
    """Return the images that `inputs` mean, every scene of a file by itself, in natural order.

    A file that cannot be opened is one image; the run will say why. A file that belongs to an image whose
    other files were met before (a multi-file OME-TIFF) is no image of its own.
    """
    return images_of_files(find_inputs(inputs, out=out), reading)


def images_of_files(files: list[InputFile], reading: Reading) -> Found:
    """Return the images that files mean, as `find_images` does."""
    if reading.pattern is not None:
        return _grouped(files, reading)
    found = find_scenes(files, reading.scenes)
    return Found(tuple(ImageRef(each.path, each.stem, reading, each.scene, others=each.others) for each in found), ())


def _grouped(files: list[InputFile], reading: Reading) -> Found:
    """Return one image for each group of files whose names fit the pattern."""
    names = set(parse_pattern(reading.pattern or "").names)
    taken = (RESERVED | {PLANE_COLUMNS[axis].name for axis in names & set(PLANE_COLUMNS)}) & names
    if taken:
        raise ParameterError(
            f"The pattern {reading.pattern!r} names a part {min(taken)!r}, which is a column of the tables; rename it."
        )
    grouping = group_files(files, reading.pattern or "", roles=reading.roles)
    if not grouping.groups:
        raise MissingInput(
            f"None of the {len(files)} files fits the pattern {reading.pattern!r}; the first is {files[0].relative}."
        )
    refs = tuple(
        ImageRef(next(iter(group.files.values())), group.relative, reading, group=group) for group in grouping.groups
    )
    return Found(refs, grouping.problems)
