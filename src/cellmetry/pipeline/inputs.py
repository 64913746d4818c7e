"""From what the user names to the images of a run: files, their scenes, and groups of files by a pattern."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from cellmetry.errors import InputError
from cellmetry.io.discover import find_inputs
from cellmetry.io.hashing import content_hash

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path, PurePosixPath

    from cellmetry.core.image import Image
    from cellmetry.pipeline.reading import Reading

__all__ = ["ImageRef", "find_images"]


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
    """

    path: Path
    stem: PurePosixPath
    reading: Reading
    scene: int | None = None

    @property
    def name(self) -> str:
        """Name of the image in tables."""
        return self.stem.as_posix()

    @property
    def text(self) -> str:
        """Path as the user would give it."""
        return str(self.path) if self.scene is None else f"{self.path}#{self.scene}"

    def open(self) -> Image:
        """Return the image, headers read."""
        return self.reading.open(self.path, self.scene)

    def sha256(self) -> str:
        """Return the hash of the file's content."""
        return _hash_once(self.path, self.path.stat().st_mtime_ns)


@lru_cache(maxsize=4096)
def _hash_once(path: Path, _changed: int) -> str:
    return content_hash(path)


def find_images(inputs: Iterable[str | Path], reading: Reading, out: Path) -> list[ImageRef]:
    """Return the images that `inputs` mean, every scene of a file by itself, in natural order.

    A file that cannot be opened is one image; the run will say why.
    """
    found: list[ImageRef] = []
    for file in find_inputs(inputs, out=out):
        scenes = [file.scene] if file.scene is not None else _scenes(file.path, reading)
        for scene in scenes:
            stem = file.stem if scene is None else file.stem.with_name(f"{file.stem.name}_s{scene}")
            found.append(ImageRef(file.path, stem, reading, scene))
    return found


def _scenes(path: Path, reading: Reading) -> list[int | None]:
    try:
        images = reading.scenes(path)
    except InputError:
        return [None]
    return [None] if len(images) == 1 else [image.scene for image in images]
