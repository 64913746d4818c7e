"""Chromatic shift: by how much each channel of a calibration image (beads) lies off a reference channel."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from pydantic import Field

from cellmetry.core.step import Parameters
from cellmetry.errors import InputError, ParameterError
from cellmetry.ops.project import project_z
from cellmetry.ops.shift import measure_shift

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from cellmetry.core.image import Image
    from cellmetry.ops.shift import Shift

__all__ = ["MeasuredChannel", "ShiftOptions", "measure_channel_shifts"]


class ShiftOptions(Parameters):
    """How the shifts of a calibration image are measured."""

    largest_px: int = Field(default=40, ge=1, le=1000)
    """Largest shift in each direction that is looked for, in pixels."""
    smooth_px: float = Field(default=1.5, gt=0, le=100)
    """Standard deviation of the smoothing before edges are compared, in pixels."""
    least_sharpness: float = Field(default=9.0, ge=0)
    """Least height of the correlation's peak, in standard deviations, for a shift to be trusted."""
    parts: int = Field(default=3, ge=1, le=10)
    """The picture is cut into parts × parts, and the shift measured in each, to tell how alike it is everywhere."""


class MeasuredChannel(NamedTuple):
    """How a channel lies against the reference.

    Parameters
    ----------
    channel
        Its name.
    shift
        By how much it must be moved to lie on the reference, and how sharp the correlation is.
    residual_px
        Root mean square distance of the shifts of single parts of the picture from it; NaN if no part can be trusted.
        Half a pixel or more says that the channels also differ in size or direction, which no shift mends.
    parts
        How many parts could be trusted.
    """

    channel: str
    shift: Shift
    residual_px: float
    parts: int


def measure_channel_shifts(image: Image, reference: str, options: ShiftOptions | None = None) -> list[MeasuredChannel]:
    """Return the shift of each other channel against `reference`; of a Z stack, of its brightest pixels along Z.

    Raises
    ------
    ParameterError
        If there is one channel only, or more than one frame.
    InputError
        If the shift of a channel cannot be trusted.
    """
    options = options or ShiftOptions()
    if len(image.channels) < 2 or image.sizes["T"] > 1:
        raise ParameterError(
            f"{image.name} has {len(image.channels)} channels and {image.sizes['T']} frames; shifts between channels "
            f"are measured on an image of two channels or more and one frame."
        )
    flat = project_z(image, "max")
    fixed_index = image.channel_index(reference)
    fixed = flat.plane(c=fixed_index)
    found = [
        _measure(name, fixed, flat.plane(c=c), options)
        for c, name in enumerate(image.channel_names)
        if c != fixed_index
    ]
    blurred = [each for each in found if each.shift.sharpness < options.least_sharpness]
    if blurred:
        said = ", ".join(f"{each.channel} ({each.shift.sharpness:.1f})" for each in blurred)
        raise InputError(
            f"{image.name}: the shift against {reference} cannot be trusted in {said}: the correlation's sharpness is "
            f"below {options.least_sharpness:g}. Take an image of beads that shine in all channels, in focus."
        )
    return found


def _measure(name: str, fixed: NDArray[Any], moving: NDArray[Any], options: ShiftOptions) -> MeasuredChannel:
    how = {"largest_px": options.largest_px, "smooth_px": options.smooth_px}
    whole = measure_shift(fixed, moving, **how)  # type: ignore[arg-type]
    local = [measure_shift(*pair, **how) for pair in _cut(fixed, moving, options.parts)]  # type: ignore[arg-type]
    trusted = [each for each in local if each.sharpness >= options.least_sharpness]
    squares = [(each.y - whole.y) ** 2 + (each.x - whole.x) ** 2 for each in trusted]
    residual = float(np.sqrt(np.mean(squares))) if squares else float("nan")
    return MeasuredChannel(name, whole, residual, len(trusted))


def _cut(first: NDArray[Any], second: NDArray[Any], parts: int) -> Iterator[tuple[NDArray[Any], NDArray[Any]]]:
    """Yield the same part of both planes, parts × parts times."""
    rows, columns = (np.linspace(0, size, parts + 1).astype(int) for size in first.shape)
    for y0, y1 in pairwise(rows):
        for x0, x1 in pairwise(columns):
            yield first[y0:y1, x0:x1], second[y0:y1, x0:x1]
