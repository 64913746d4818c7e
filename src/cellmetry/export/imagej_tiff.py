"""Image files that every ImageJ opens without plug-ins, every value as stored: which do, and one plane as such."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import tifffile

from cellmetry.errors import InputError
from cellmetry.io.atomic import atomic_write
from cellmetry.io.failures import reading
from cellmetry.io.label_tiff import resolution_tags

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from cellmetry.core.image import PixelSize

__all__ = ["check_imagej_type", "opens_in_imagej", "write_imagej_tiff"]

_PICTURES, _TIFFS = {".png", ".bmp"}, {".tif", ".tiff"}
_TYPES = ("uint8", "uint16", "float32")


def check_imagej_type(dtype: np.dtype[Any], name: str) -> None:
    """Refuse pixels that ImageJ does not hold as they are.

    Raises
    ------
    InputError
        If they are not whole numbers of 8 or 16 bits, or fractional ones of 32.
    """
    if dtype.name not in _TYPES:
        raise InputError(
            f"{name} has pixels of the type {dtype}; ImageJ holds {', '.join(_TYPES)} and would change others."
        )


def opens_in_imagej(path: Path) -> bool:
    """Return whether ImageJ reads every value of a file as stored: PNG, BMP, and TIFF that is plainly stored.

    ImageJ 1.53t refuses tiles, and reads wrong values, without a word, where values are stored as differences (a
    predictor) and compressed by Deflate.
    """
    if path.suffix.lower() in _PICTURES:
        return True
    if path.suffix.lower() not in _TIFFS:
        return False
    with reading(path.name), tifffile.TiffFile(path) as file:
        page = file.pages.first
        return page.compression == tifffile.COMPRESSION.NONE and not page.is_tiled


def write_imagej_tiff(plane: NDArray[Any], path: Path, pixel_size: PixelSize, name: str) -> None:
    """Write a plane (Y, X), uncompressed and in one piece, with its pixel size where known.

    Raises
    ------
    InputError
        If ImageJ has no such pixels.
    """
    check_imagej_type(plane.dtype, name)
    unit = {"unit": "um"} if pixel_size.known else {}
    with atomic_write(path) as temporary:
        tifffile.imwrite(temporary, plane, imagej=True, metadata=unit, **resolution_tags(pixel_size, per_cm=False))
