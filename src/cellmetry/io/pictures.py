"""PNG files: pictures for people, 8-bit RGB and never a source of numbers, and label images of 16 bits."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image as Picture

from cellmetry.errors import ParameterError
from cellmetry.io.atomic import atomic_write

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["palette_png", "png_bytes", "thumbnail_webp", "write_grey_png", "write_png", "write_thumbnail"]


def write_png(rgb: NDArray[np.uint8], path: str | Path) -> None:
    """Write an 8-bit picture, shape (Y, X, 3), or (Y, X) for grey, as PNG.

    Raises
    ------
    ParameterError
        If the array is not 8-bit or of another shape: values are never rescaled here.
    """
    picture = _picture(rgb)
    with atomic_write(path) as temporary:
        picture.save(temporary, format="PNG", compress_level=4)


def png_bytes(rgb: NDArray[np.uint8]) -> bytes:
    """Return an 8-bit picture, shape (Y, X, 3), or (Y, X) for grey, as the bytes of a PNG file."""
    buffer = BytesIO()
    _picture(rgb).save(buffer, format="PNG", optimize=True)
    return buffer.getvalue()


def palette_png(places: NDArray[np.uint8], palette: NDArray[np.uint8]) -> bytes:
    """Return a picture of few colours as the bytes of a small PNG file.

    Parameters
    ----------
    places
        (Y, X): row of the palette of each pixel.
    palette
        (n, 3): red, green and blue; with 16 colours or fewer a pixel takes half a byte before compression.
    """
    picture = Picture.fromarray(places, mode="P")
    picture.putpalette(palette.tobytes())
    buffer = BytesIO()
    picture.save(buffer, format="PNG", optimize=True)
    return buffer.getvalue()


def write_grey_png(ids: NDArray[np.uint16], path: str | Path) -> None:
    """Write ids up to 65,535, uint16 (Y, X), as a 16-bit PNG without a pixel size."""
    picture = Picture.fromarray(np.ascontiguousarray(ids, np.uint16))
    with atomic_write(path) as temporary:
        picture.save(temporary, format="PNG", compress_level=4)


def write_thumbnail(rgb: NDArray[np.uint8], path: str | Path, *, side: int = 360) -> None:
    """Write `rgb` as a PNG that fits into a square of `side` pixels, made smaller by averaging if need be."""
    picture = _picture(rgb)
    picture.thumbnail((side, side), Picture.Resampling.LANCZOS, reducing_gap=3.0)
    with atomic_write(path) as temporary:
        picture.save(temporary, format="PNG")


def thumbnail_webp(rgb: NDArray[np.uint8], side: int) -> bytes:
    """Return `rgb` as the bytes of a WebP that fits into a square of `side` pixels, never larger than it is."""
    picture = _picture(rgb)
    picture.thumbnail((side, side), Picture.Resampling.LANCZOS, reducing_gap=3.0)
    buffer = BytesIO()
    picture.save(buffer, format="WEBP", quality=85, method=2)
    return buffer.getvalue()


def _picture(rgb: NDArray[Any]) -> Picture.Image:
    grey = rgb.ndim == 2
    if rgb.dtype != np.uint8 or not (grey or (rgb.ndim == 3 and rgb.shape[2] == 3)):
        raise ParameterError(f"A picture is uint8 of shape (Y, X, 3) or (Y, X), not {rgb.dtype} of shape {rgb.shape}.")
    return Picture.fromarray(rgb)
