"""Reading pictures that hold a truth: label images, masks, colours; never resized, never cut to fewer bits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cc3d
import numpy as np

from cellmetry.errors import LabelsError
from cellmetry.io.labels import read_labels
from cellmetry.io.opening import open_image

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["check_size", "equal_parts", "read_channels", "read_label_plane", "read_mask"]


def check_size(found: tuple[int, ...], shape: tuple[int, int], path: object, image: object) -> None:
    """Refuse a truth that is not of the size of its image.

    Raises
    ------
    LabelsError
        Naming both files and sizes.
    """
    if found != shape:
        said = " × ".join(map(str, found))
        raise LabelsError(
            f"{path} is {said} pixels, but its image {image} is {shape[0]} × {shape[1]}; a truth is never resized. "
            f"Check that the two belong together."
        )


def read_label_plane(path: Path, shape: tuple[int, int], image: object) -> NDArray[np.uint32]:
    """Return the label image in a file, ids as stored, checked against the size of its image."""
    labels = read_labels(path)
    plane = labels.read()
    if any(side > 1 for side in plane.shape[:-2]):
        raise LabelsError(f"{path} has the shape {plane.shape}; the truth of an item is one plane.")
    plane = plane.reshape(plane.shape[-2:])
    check_size(plane.shape, shape, path, image)
    return plane


def read_channels(path: Path, shape: tuple[int, int], image: object) -> NDArray[Any]:
    """Return a picture as channels (C, Y, X), without alpha, checked against the size of its image."""
    picture = open_image(path, rgb="channels")
    check_size((picture.sizes["Y"], picture.sizes["X"]), shape, path, image)
    if picture.sizes["T"] * picture.sizes["Z"] > 1:
        raise LabelsError(f"{path} is a stack; the truth of an item is one plane.")
    return np.stack([picture.plane(c=c) for c in range(picture.sizes["C"])])


def read_mask(path: Path, shape: tuple[int, int], image: object) -> NDArray[np.bool_]:
    """Return where a picture is not black, bool (Y, X)."""
    return np.any(read_channels(path, shape, image) > 0, axis=0, keepdims=False)  # type: ignore[no-any-return]


def equal_parts(values: NDArray[Any], *, split: bool) -> NDArray[np.uint32]:
    """Return labels of a picture (C, Y, X) in which an object is one colour; black is background.

    Parameters
    ----------
    split
        Whether parts of one colour that do not touch, not even at a corner, are objects of their own.
    """
    codes = _codes(values)
    if not split or not codes.any():
        return codes
    parts: NDArray[np.uint32] = cc3d.connected_components(  # type: ignore[assignment]
        codes, connectivity=8, out_dtype=np.uint32
    )
    return parts


def _codes(values: NDArray[Any]) -> NDArray[np.uint32]:
    """Return a number for each colour, from 1 without gaps, 0 for black."""
    flat = values.reshape(len(values), -1)
    colours, which = np.unique(flat, axis=1, return_inverse=True)
    numbers = np.cumsum(colours.any(axis=0)) * colours.any(axis=0)
    codes: NDArray[np.uint32] = numbers[which.ravel()].reshape(values.shape[1:]).astype(np.uint32)
    return codes
