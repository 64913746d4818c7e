"""Shading of a microscope from the images of a run: fields are gathered one by one, small, then taken together."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from cellmetry.core.image import UNKNOWN_PIXEL_SIZE, PixelSize, image_from_array
from cellmetry.core.progress import SILENT
from cellmetry.errors import InputError, MissingInput, ParameterError
from cellmetry.io.images import write_image
from cellmetry.ops.shading import shrink_field
from cellmetry.pipeline.checking import choose_evenly
from cellmetry.pipeline.inputs import find_images

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from cellmetry.core.image import Image
    from cellmetry.core.progress import Progress
    from cellmetry.pipeline.reading import Reading

__all__ = ["GatheredFields", "gather_fields", "open_fields", "write_shading_image"]


@dataclass(frozen=True)
class GatheredFields:
    """Fields of one channel, made smaller.

    Parameters
    ----------
    small
        float32 (N, y, x).
    shape
        Height and width of the fields as they are.
    channel
        Its name in the first image.
    pixel_size
        Of the first image.
    available
        How many fields there are, of which these were chosen.
    """

    small: NDArray[np.float32]
    shape: tuple[int, int]
    channel: str
    pixel_size: PixelSize = UNKNOWN_PIXEL_SIZE
    available: int = 0


def open_fields(inputs: Iterable[str | Path], reading: Reading, outputs: Iterable[Path] = ()) -> list[Image]:
    """Return the images of `inputs`, headers read, without files that an earlier call wrote among them (`outputs`).

    Raises
    ------
    MissingInput, InputError
        If there is no image, or one cannot be read.
    """
    own = {path.resolve() for path in outputs}
    images = [ref.open() for ref in find_images(inputs, reading).images if ref.path.resolve() not in own]
    if not images:
        raise MissingInput("There is no image among the inputs but the files that are to be written.")
    return images


def gather_fields(
    images: Sequence[Image],
    *,
    channel: str | None = None,
    most: int = 200,
    side_px: int = 128,
    progress: Progress = SILENT,
) -> GatheredFields:
    """Return the fields of images: every Z plane and frame of one channel, at most `most`, evenly chosen.

    Parameters
    ----------
    side_px
        Side of the square to which each field is made smaller.

    Raises
    ------
    InputError
        If the images differ in size, or have pixels without a number.
    ParameterError
        If no channel is named and there are several.
    """
    shape = _common_shape(images)
    channels = [_channel_of(image, channel) for image in images]
    places = [
        (image, c, t, z)
        for image, c in zip(images, channels, strict=True)
        for t in range(image.sizes["T"])
        for z in range(image.sizes["Z"])
    ]
    chosen = choose_evenly(places, most)
    progress.start("fields", len(chosen))
    small = []
    for image, c, t, z in chosen:
        small.append(_shrunk(image, (t, c, z), side_px))
        progress.advance()
    first = images[0]
    return GatheredFields(
        np.stack(small), shape, first.channel_names[channels[0]], first.pixel_size, available=len(places)
    )


def write_shading_image(values: NDArray[np.float32], path: Path, fields: GatheredFields) -> None:
    """Write a flat-field or dark-field as a 32-bit image with the channel and the pixel size of the fields."""
    image = image_from_array(values, "YX", channel_names=[fields.channel], name=path.stem)
    write_image(replace(image, pixel_size=fields.pixel_size._replace(z=None)), path)


def _common_shape(images: Sequence[Image]) -> tuple[int, int]:
    first = images[0]
    for image in images:
        if image.shape[-2:] != first.shape[-2:]:
            raise InputError(
                f"{image.name} is {image.sizes['Y']} × {image.sizes['X']} pixels and {first.name} "
                f"{first.sizes['Y']} × {first.sizes['X']}; shading is estimated from fields of one camera and binning."
            )
    return first.sizes["Y"], first.sizes["X"]


def _channel_of(image: Image, channel: str | None) -> int:
    if channel is None and len(image.channels) > 1:
        raise ParameterError(
            f"{image.name} has {len(image.channels)} channels, each with its own shading; say which with --channel: "
            f"{', '.join(image.channel_names)}."
        )
    return 0 if channel is None else image.channel_index(channel)


def _shrunk(image: Image, place: tuple[int, int, int], side_px: int) -> NDArray[np.float32]:
    t, c, z = place
    try:
        return shrink_field(image.plane(t=t, c=c, z=z), side_px)
    except InputError as error:
        raise InputError(f"{image.name}: {error}") from error
