"""The images that files hold: every scene by itself, parts of a multi-file image once."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cellmetry.errors import CellmetryError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path, PurePosixPath

    from cellmetry.core.image import Image
    from cellmetry.io.discover import InputFile

__all__ = ["FoundScene", "find_scenes"]


class FoundScene(NamedTuple):
    """One image of a file.

    Parameters
    ----------
    path
        The file, or the folder of an OME-Zarr image.
    stem
        How outputs are named, sub-folders mirrored; ends in ``_s3`` for scene 3 of a file with several.
    scene
        Which scene of the file; None where it has one.
    others
        Further files that belong to the image, as of a multi-file OME-TIFF.
    image
        Its headers; None if the file cannot be opened.
    """

    path: Path
    stem: PurePosixPath
    scene: int | None
    others: tuple[Path, ...]
    image: Image | None


def find_scenes(files: Iterable[InputFile], scenes_of: Callable[[Path], list[Image]]) -> Iterator[FoundScene]:
    """Yield the images of files in their order.

    A file that cannot be opened is one image. A file that belongs to an image whose other files were met before (a
    multi-file OME-TIFF) is no image of its own.

    Parameters
    ----------
    scenes_of
        Opens all scenes of a file, headers only.
    """
    covered: set[Path] = set()
    for file in files:
        if file.path.resolve() in covered:
            continue
        opened = _opened(file.path, scenes_of)
        parts = {(file.path.parent / part).resolve() for image in opened for part in image.metadata.get("files", ())}
        covered |= parts
        others = tuple(sorted(parts - {file.path.resolve()}))
        for scene, image in _chosen(file, opened):
            stem = file.stem if scene is None else file.stem.with_name(f"{file.stem.name}_s{scene}")
            yield FoundScene(file.path, stem, scene, others, image)


def _opened(path: Path, scenes_of: Callable[[Path], list[Image]]) -> list[Image]:
    """Return the scenes of a file, headers read; none if it cannot be opened."""
    try:
        return scenes_of(path)
    except (CellmetryError, OSError, ValueError, TypeError, LookupError, ArithmeticError):
        return []  # whoever reads the pixels opens it again and says why it cannot be read


def _chosen(file: InputFile, opened: list[Image]) -> list[tuple[int | None, Image | None]]:
    """Return which scenes to work: the one asked for, each of several, or None for the only one."""
    if file.scene is not None:
        return [(file.scene, next((image for image in opened if image.scene == file.scene), None))]
    if len(opened) > 1:
        return [(image.scene, image) for image in opened]
    return [(None, opened[0] if opened else None)]
