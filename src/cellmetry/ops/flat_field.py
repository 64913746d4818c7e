"""Flat-field and dark-field correction: what the light and the camera add to a picture is taken out of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cellmetry.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from cellmetry.core.image import Box
    from cellmetry.ops.correct import PlaneReader, ReadPart

__all__ = ["FlatFieldCorrection", "Illumination", "check_size", "correct_flat_field", "illumination"]


@dataclass(frozen=True)
class Illumination:
    """How a microscope lights its field and what its camera adds.

    Parameters
    ----------
    flat
        Brightness of each place, float32 (Y, X), of mean 1, nowhere 0 or less.
    dark
        What the camera counts without light, float32 (Y, X); None for nothing.
    """

    flat: NDArray[np.float32]
    dark: NDArray[np.float32] | None = None


def illumination(flat: NDArray[np.float32], dark: NDArray[np.float32] | None = None) -> Illumination:
    """Return the illumination that a flat-field image of any brightness tells.

    Raises
    ------
    InputError
        If the flat-field has pixels of 0 or less or without a number, if the dark-field has ones without a number, or
        if the two differ in size.
    """
    if dark is not None and dark.shape != flat.shape:
        raise InputError(f"The flat-field is {_size(flat.shape)} pixels and the dark-field {_size(dark.shape)}.")
    if dark is not None and not np.isfinite(dark).all():
        raise InputError("The dark-field has pixels that are NaN or infinite.")
    bad = int(flat.size - np.count_nonzero((flat > 0) & np.isfinite(flat)))
    if bad:
        raise InputError(
            f"{bad:,} of {flat.size:,} pixels of the flat-field are 0, negative or not a number, and nothing can be "
            f"divided by them; take or estimate another one (`cellmetry shading`)."
        )
    return Illumination((flat / flat.mean(dtype=np.float64)).astype(np.float32), dark)


def correct_flat_field(
    pixels: NDArray[np.float32], flat: NDArray[np.float32], dark: NDArray[np.float32] | None = None
) -> NDArray[np.float32]:
    """Return (pixels − dark) / flat, float32; `flat` has mean 1. Values below the dark-field become negative."""
    lit = pixels if dark is None else pixels - dark
    return np.asarray(lit / flat, dtype=np.float32)


@dataclass(frozen=True)
class FlatFieldCorrection:
    """The correction of planes, by channel.

    Parameters
    ----------
    by_channel
        Illumination of each channel that is corrected.
    """

    by_channel: Mapping[int, Illumination]

    def prepare(self, plane: PlaneReader) -> ReadPart:
        """Return the function that reads corrected parts of `plane`.

        Raises
        ------
        InputError
            If the plane is of another size than the flat-field.
        """
        light = self.by_channel[plane.c]
        check_size(light, plane.shape)

        def part(box: Box) -> NDArray[np.float32]:
            dark = None if light.dark is None else light.dark[box.slices]
            return correct_flat_field(plane.values(box), light.flat[box.slices], dark)

        return part


def check_size(light: Illumination, shape: tuple[int, int]) -> None:
    """Refuse planes of another size than the flat-field.

    Raises
    ------
    InputError
        If `shape` differs.
    """
    if light.flat.shape != shape:
        raise InputError(
            f"The flat-field is {_size(light.flat.shape)} pixels but the image {_size(shape)} (height × width); it "
            f"must come from the same camera, with the same binning and region."
        )


def _size(shape: tuple[int, ...]) -> str:
    return " × ".join(str(side) for side in shape)
