"""The words of OME-Zarr 0.5: what a group says about its axes, levels, pixel size and channels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cellmetry.core.image import PixelSize

__all__ = ["VERSION", "multiscales"]

VERSION = "0.5"
_AXIS_TYPES = {"t": "time", "c": "channel", "z": "space", "y": "space", "x": "space"}


def multiscales(axes: str, pixel_size: PixelSize, levels: int, *, averaged: bool) -> list[dict[str, Any]]:
    """Return the entry ``multiscales`` for `levels` levels, each half the size of the one before in Y and X.

    Parameters
    ----------
    averaged
        Whether a pixel stands for a block of the finer level, whose centre lies half a pixel further, rather than
        for one pixel of it.
    """
    return [
        {
            "name": "image" if averaged else "labels",
            "type": "mean" if averaged else "nearest",
            "axes": [_axis(letter.lower(), pixel_size) for letter in axes],
            "datasets": [_dataset(axes, pixel_size, level, averaged=averaged) for level in range(levels)],
        }
    ]


def _axis(letter: str, pixel_size: PixelSize) -> dict[str, str]:
    known = letter in "xyz" and getattr(pixel_size, letter) is not None
    return {"name": letter, "type": _AXIS_TYPES[letter], **({"unit": "micrometer"} if known else {})}


def _dataset(axes: str, pixel_size: PixelSize, level: int, *, averaged: bool) -> dict[str, Any]:
    steps = {"T": 1.0, "C": 1.0, "Z": pixel_size.z or 1.0, "Y": pixel_size.y or 1.0, "X": pixel_size.x or 1.0}
    factor = {axis: 2**level if axis in "YX" else 1 for axis in axes}
    moves: list[dict[str, Any]] = [{"type": "scale", "scale": [steps[axis] * factor[axis] for axis in axes]}]
    if averaged and level > 0:
        shift = [steps[axis] * (factor[axis] - 1) / 2 for axis in axes]
        moves.append({"type": "translation", "translation": shift})
    return {"path": str(level), "coordinateTransformations": moves}
