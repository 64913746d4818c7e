"""PNG files: pictures for people, 8-bit RGB and never a source of numbers, and label images of 16 bits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image as Picture

from cellmetry.errors import ParameterError
from cellmetry.io.atomic import atomic_write

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["write_grey_png", "write_png", "write_thumbnail"]


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


def _picture(rgb: NDArray[Any]) -> Picture.Image:
    grey = rgb.ndim == 2
    if rgb.dtype != np.uint8 or not (grey or (rgb.ndim == 3 and rgb.shape[2] == 3)):
        raise ParameterError(f"A picture is uint8 of shape (Y, X, 3) or (Y, X), not {rgb.dtype} of shape {rgb.shape}.")
    return Picture.fromarray(rgb)
