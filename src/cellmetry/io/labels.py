"""Reading and writing label images: TIFF, NumPy and OME-Zarr, ids and pixel size kept."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import tifffile
from defusedxml import ElementTree
from PIL import Image as Picture

from cellmetry.core.image import UNKNOWN_PIXEL_SIZE, PixelSize
from cellmetry.core.labels import labels_from_array
from cellmetry.errors import AxesError, DamagedFile, LabelsError, MissingInput, ParameterError
from cellmetry.io.atomic import atomic_write
from cellmetry.io.label_store import open_label_store, write_label_store
from cellmetry.io.label_tiff import write_label_tiff

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cellmetry.core.labels import Labels

__all__ = ["read_labels", "write_labels"]

_TIFF_STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_NPY_START = b"\x93NUMPY"
_SUFFIXES = ".tif, .tiff, .npy, .zarr"


def read_labels(path: str | Path, *, axes: str | None = None) -> Labels:
    """Return the label image in a TIFF, PNG, NumPy file or OME-Zarr folder, whatever its type of number.

    Parameters
    ----------
    axes
        What the axes of the file mean, as ``ZYX`` or ``TYX``; only needed where the file does not say.

    Raises
    ------
    MissingInput, DamagedFile, AxesError
        If the file is missing or broken, or its axes are not known.
    LabelsError
        If ids are negative, fractional or beyond 32 bits, or the file holds several channels.
    """
    path = Path(path)
    if not path.exists():
        raise MissingInput(f"{path} does not exist; give the path of a label image.")
    if path.is_dir():
        return open_label_store(path)
    with path.open("rb") as file:
        start = file.read(8)
    if start.startswith(_NPY_START):
        array, known, size = _read_npy(path), None, UNKNOWN_PIXEL_SIZE
    else:
        array, known, size = _read_picture(path, tiff=start[:4] in _TIFF_STARTS)
    return labels_from_array(array, _settle_axes(path, array, axes or known), pixel_size=size, name=str(path))


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


def _read_npy(path: Path) -> NDArray[Any]:
    try:
        return np.load(path, allow_pickle=False)  # type: ignore[no-any-return]
    except (ValueError, EOFError, MemoryError) as error:
        raise DamagedFile(f"{path} is not a readable NumPy array ({error}); write the labels again.") from error


def _read_picture(path: Path, *, tiff: bool) -> tuple[NDArray[Any], str | None, PixelSize]:
    if not tiff:
        with Picture.open(path) as picture:
            return np.asarray(picture), None, UNKNOWN_PIXEL_SIZE
    with tifffile.TiffFile(path) as file:
        series = file.series[0]
        return series.asarray(), series.axes if set(series.axes) <= set("TZYX") else None, _tiff_pixel_size(file)


def _tiff_pixel_size(file: tifffile.TiffFile) -> PixelSize:
    if file.ome_metadata:
        pixels = ElementTree.fromstring(file.ome_metadata).find(".//{*}Pixels")
        return PixelSize(*(float(um) if (um := pixels.get(f"PhysicalSize{axis}")) else None for axis in "XYZ"))
    written = file.imagej_metadata or {}
    if written.get("unit") != "um":
        return UNKNOWN_PIXEL_SIZE
    tags = file.pages.first.tags
    x, y = (denominator / count for count, denominator in (tags["XResolution"].value, tags["YResolution"].value))
    return PixelSize(x, y, written.get("spacing"))


def _settle_axes(path: Path, array: NDArray[Any], axes: str | None) -> str:
    if axes is not None:
        return axes
    if array.ndim == 2:
        return "YX"
    if array.ndim == 3 and array.shape[-1] in (3, 4):
        raise LabelsError(f"{path} is a colour picture, not a label image with one id per pixel.")
    raise AxesError(
        f"{path} has shape {array.shape} and does not say what its axes are; give --axes ZYX or --axes TYX."
    )
