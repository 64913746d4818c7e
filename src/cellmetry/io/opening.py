"""`open_image` and `list_scenes`: any supported file, chosen by content, as lazy images."""

from __future__ import annotations

import re
from dataclasses import replace
from os import fspath
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, NamedTuple

from cellmetry.errors import InputError, MissingInput, ParameterError, UnsupportedFormat
from cellmetry.io.assembling import Rgb, assemble
from cellmetry.io.discover import IMAGE_SUFFIXES
from cellmetry.io.failures import file_name, library_words, reading
from cellmetry.io.reader import READERS
from cellmetry.io.signatures import is_url, odd_suffix, probe, sniff

if TYPE_CHECKING:
    from os import PathLike

    from cellmetry.core.image import Image
    from cellmetry.io.reader import StoredScene
    from cellmetry.io.signatures import Probe

__all__ = ["ImageAddress", "list_scenes", "open_image", "split_address"]

_SCENE = re.compile(r"(?P<path>.+)#(?P<scene>\d+)")
_DOUBLE = (".ome.tif", ".ome.tiff", ".ome.btf", ".ome.zarr")
_REMOTE = {"omezarr"}


class ImageAddress(NamedTuple):
    """A file (folder, URL) and the index of a scene in it, counted from 0; None where not said."""

    path: str
    scene: int | None = None


def split_address(path: str | PathLike[str]) -> ImageAddress:
    """Return file and scene of ``file.czi#3``; a file whose real name looks like that is taken as it is."""
    text = fspath(path)
    match = _SCENE.fullmatch(text)
    if match is None or (not is_url(text) and Path(text).exists()):
        return ImageAddress(text)
    return ImageAddress(match["path"], int(match["scene"]))


def open_image(
    path: str | PathLike[str], *, scene: int | None = None, axes: str | None = None, rgb: Rgb = "colour"
) -> Image:
    """Return one scene of a file as a lazy image; only headers are read.

    Parameters
    ----------
    path
        A file, an OME-Zarr folder or its URL; ``file.czi#3`` is scene 3 of the file.
    scene
        Which scene, counted from 0. A file of several opens at scene 0 and says so in `Image.warnings`.
    axes
        What the stored axes mean, for files that do not say (``"ZYX"``); wins over the file.
    rgb
        ``"colour"``: red, green and blue make one colour picture; ``"channels"``: three channels.

    Raises
    ------
    MissingInput, UnsupportedFormat, DamagedFile, LimitExceeded, AxesError
        If the file is absent, unknown, broken, too large to decode, or does not say what its axes mean.
    """
    address = split_address(path)
    wanted = address.scene if scene is None else scene
    stored = _stored_scenes(address.path)
    if wanted is not None and not 0 <= wanted < len(stored):
        last = "only scene 0" if len(stored) == 1 else f"scenes 0 to {len(stored) - 1}"
        raise ParameterError(f"{file_name(address.path)} has no scene {wanted}; it has {last}.")
    image = _image(stored, address.path, wanted or 0, axes=axes, rgb=_checked(rgb))
    if wanted is not None or len(stored) == 1:
        return image
    note = (
        f"{file_name(address.path)} holds {len(stored)} scenes and this is the first; "
        f"name another as {file_name(address.path)}#1 to #{len(stored) - 1}."
    )
    return replace(image, warnings=(*image.warnings, note))


def list_scenes(path: str | PathLike[str], *, axes: str | None = None, rgb: Rgb = "colour") -> list[Image]:
    """Return every scene of a file as a lazy image, in order; only headers are read."""
    address = split_address(path)
    stored = _stored_scenes(address.path)
    numbers = range(len(stored)) if address.scene is None else [address.scene]
    if numbers and max(numbers) >= len(stored):
        raise ParameterError(f"{file_name(address.path)} has no scene {max(numbers)}; it has {len(stored)}.")
    return [_image(stored, address.path, number, axes=axes, rgb=_checked(rgb)) for number in numbers]


def _checked(rgb: Rgb) -> Rgb:
    if rgb not in {"colour", "channels"}:
        raise ParameterError(f"rgb must be 'colour' or 'channels', not {rgb!r}.")
    return rgb


def _image(stored: list[StoredScene], path: str, number: int, *, axes: str | None, rgb: Rgb) -> Image:
    image = assemble(stored[number], path, axes=axes, rgb=rgb)
    stem = _stem(path)
    metadata = {"scene_name": stored[number].name, **image.metadata} if stored[number].name else image.metadata
    name = stem if len(stored) == 1 else f"{stem}_s{number}"
    return replace(image, name=name, scene=number, metadata=metadata)


def _stem(path: str) -> str:
    name = file_name(path)
    double = next((ending for ending in _DOUBLE if name.lower().endswith(ending)), None)
    return name[: -len(double)] if double and len(name) > len(double) else PurePath(name).stem


def _stored_scenes(path: str) -> list[StoredScene]:
    """Return the scenes of a file by the reader that its content asks for, with library messages as warnings."""
    if not is_url(path) and not Path(path).exists():
        raise MissingInput(f"There is no file {path}.")
    with reading(path):
        found = probe(path)
    if not found.head and not found.files:
        raise _nothing_to_read(path)
    reader = _reader_for(found)
    with library_words() as said, reading(path):
        scenes: list[StoredScene] = READERS.load(reader).scenes(path)
    if not scenes:
        raise UnsupportedFormat(f"{file_name(path)} holds no image.")
    notes = [f"{file_name(path)}: {words}." for words in dict.fromkeys(said)]
    suffix = odd_suffix(path, reader)
    if suffix is not None:
        notes.append(f"{file_name(path)} is named {suffix} but holds {READERS.load(reader).title}.")
    return [replace(scene, warnings=(*scene.warnings, *notes)) for scene in scenes]


def _nothing_to_read(path: str) -> InputError:
    if not is_url(path) and Path(path).is_file():
        return UnsupportedFormat(f"{file_name(path)} is empty (0 bytes).")
    return UnsupportedFormat(f"{file_name(path)} is a folder without an image (no OME-Zarr metadata in it).")


def _reader_for(found: Probe) -> str:
    """Return the name of the reader for this content: built-in, other packages', or an installed bioio reader."""
    name = sniff(found)
    if name is None:
        extra = [plugin for plugin in READERS.names() if plugin not in READERS.builtin]
        name = next((plugin for plugin in extra if READERS.load(plugin).sniff(found)), None)
    if name is None and READERS.load("bioio").sniff(found):
        name = "bioio"
    if name is None:
        raise _unknown(found)
    if is_url(found.path) and name not in _REMOTE:
        raise UnsupportedFormat(
            f"{file_name(found.path)} is {READERS.load(name).title}; only OME-Zarr is read from a URL."
        )
    return name


def _unknown(found: Probe) -> UnsupportedFormat:
    suffix = PurePath(found.path).suffix.lower()
    named = {".tif": "TIFF", ".tiff": "TIFF"}.get(suffix, suffix.lstrip(".").upper())
    what = f"is not a {named} file by its content" if suffix in IMAGE_SUFFIXES else "is no image by its content"
    return UnsupportedFormat(
        f"{file_name(found.path)} {what} (it begins with {found.head[:8]!r}); known formats: TIFF, PNG, JPEG, BMP, "
        f"WebP, NumPy, OME-Zarr, ND2, CZI, LIF, OIF, OIB, and what installed bioio readers add."
    )
