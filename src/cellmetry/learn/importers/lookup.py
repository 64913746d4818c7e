"""Images found by the names that annotations give them."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from cellmetry.errors import InputError, MissingInput
from cellmetry.io.discover import IMAGE_SUFFIXES, stem_of
from cellmetry.learn.importers.pairing import all_files

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["ImageLookup", "annotation_files"]


class ImageLookup:
    """The images below a folder, by path, name or stem."""

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise MissingInput(f"{folder} is no folder; give the one that holds the images.")
        self.folder = folder
        self._by_name: dict[str, list[Path]] = {}
        for path in all_files(folder):
            if path.suffix.lower() in IMAGE_SUFFIXES:
                for key in {path.name, stem_of(path.name)}:
                    self._by_name.setdefault(key, []).append(path)

    def find(self, name: str) -> Path:
        """Return the image that annotations call `name`: a path below the folder, a file name, or a stem.

        Raises
        ------
        MissingInput, InputError
            If there is none, or several by that name.
        """
        parts = PurePosixPath(name.replace("\\", "/").lstrip("/")).parts
        found = self._by_name.get(parts[-1] if parts else "", [])
        if len(found) > 1:
            ending = [path for path in found if path.parts[-len(parts) :] == parts]
            found = ending or found
        if not found:
            raise MissingInput(f"{self.folder} holds no image {name!r}, which the annotations name.")
        if len(found) > 1:
            raise InputError(f"The annotations name {name!r}, which could be {found[0]} or {found[1]}; give the folder "
                             f"of the right one.")  # fmt: skip
        return found[0]


def annotation_files(source: Path, pattern: str) -> tuple[Path, list[Path]]:
    """Return the folder below which images are looked for, and the annotation files: the source, or those in it.

    Raises
    ------
    MissingInput
        If no file below the source fits the pattern.
    """
    if source.is_file():
        return source.parent, [source]
    paths = sorted(source.glob(pattern))
    if not paths:
        raise MissingInput(f"{source} holds no file {pattern!r}; say with annotations where the JSON lies.")
    return source, paths
