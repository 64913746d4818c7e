"""Reading and writing label images: TIFF, NumPy and OME-Zarr, ids and pixel size kept."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import tifffile
from PIL import Image as Picture

from cellmetry.core.labels import labels_from_array
from cellmetry.errors import LabelsError, MissingInput, ParameterError
from cellmetry.io.atomic import atomic_write
from cellmetry.io.failures import reading
from cellmetry.io.label_store import open_label_store, write_label_store
from cellmetry.io.label_tiff import read_linked_z, write_label_tiff
from cellmetry.io.opening import list_scenes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cellmetry.core.labels import Labels

__all__ = ["read_labels", "write_labels"]

_TIFF_STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_PNG_START = b"\x89PNG\r\n\x1a\n"
_SHOWN_OTHERWISE = {0, 3}
"""Photometric interpretations of TIFF: white is zero, palette."""
_SUFFIXES = ".tif, .tiff, .npy, .zarr"


def read_labels(path: str | Path, *, axes: str | None = None) -> Labels:
    """Return the label image in a TIFF, PNG, NumPy file or OME-Zarr folder, or any other file that can be read.

    Ids are the stored numbers, also where a palette or an inverted display shows them as something else. OME-Zarr
    is read lazily.

    Parameters
    ----------
    axes
        What the axes of the file mean, as ``ZYX`` or ``TYX``; only needed where the file does not say.

    Raises
    ------
    MissingInput, UnsupportedFormat, DamagedFile, AxesError
        If the file is missing, foreign or broken, or its axes are not known.
    LabelsError
        If ids are negative, fractional or beyond 32 bits, or the file holds several images or channels.
    """
    path = Path(path)
    if not path.exists():
        raise MissingInput(f"{path} does not exist; give the path of a label image.")
    if path.is_dir():
        return open_label_store(path)
    scenes = list_scenes(path, axes=axes, rgb="channels")
    if len(scenes) > 1:
        raise LabelsError(f"{path} holds {len(scenes)} images; a label file holds one.")
    (image,) = scenes
    array = _indices(path)
    if array is None:
        if len(image.channels) > 1:
            raise LabelsError(f"{path} has {len(image.channels)} channels or is a colour picture; labels have one.")
        array = image.read()
    kept = image.axes.replace("C", "")
    ids = array.reshape([image.sizes[axis] for axis in kept])
    labels = labels_from_array(ids, kept, pixel_size=image.pixel_size, name=str(path))
    return replace(labels, linked_z=read_linked_z(path)) if "Z" in kept and _is_tiff(path) else labels


def write_labels(labels: Labels, path: str | Path) -> None:
    """Write `labels` in the form that the suffix of `path` names: ``.tif``, ``.npy`` or ``.zarr``.

    TIFF holds uint16, or uint32 past 65,535; NumPy and OME-Zarr hold uint32. NumPy files know neither axes nor
    pixel size.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix in {".tif", ".tiff"}:
        write_label_tiff(labels, path)
    elif suffix == ".npy":
        _write_npy(labels, path)
    elif suffix == ".zarr":
        write_label_store(labels, path)
    else:
        raise ParameterError(f"Labels cannot be written as {path.name!r}; use one of the suffixes {_SUFFIXES}.")


def _write_npy(labels: Labels, path: Path) -> None:
    with atomic_write(path) as temporary, temporary.open("wb") as file:
        header = {"descr": "<u4", "fortran_order": False, "shape": labels.shape}
        np.lib.format.write_array_header_1_0(file, header)
        for lead in np.ndindex(*labels.shape[:-2]):
            for row in range(0, labels.shape[-2], 1024):
                band = labels.array[(*lead, slice(row, row + 1024), slice(None))]
                file.write(np.ascontiguousarray(band, dtype="<u4").tobytes())


def _is_tiff(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) in _TIFF_STARTS


def _indices(path: Path) -> NDArray[Any] | None:
    """Return the stored numbers of a file that shows them through a palette or inverted; None for any other."""
    with path.open("rb") as file:
        start = file.read(8)
    with reading(str(path)):
        if start[:4] in _TIFF_STARTS:
            with tifffile.TiffFile(path) as tiff:
                return tiff.series[0].asarray() if int(tiff.pages.first.photometric) in _SHOWN_OTHERWISE else None
        if start == _PNG_START:
            with Picture.open(path) as picture:
                return np.asarray(picture) if picture.mode == "P" else None
    return None
