"""The step `flat_field`: images are corrected by a flat-field image, and a dark-field one, from files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from pydantic import Field

from cellmetry.core.progress import SILENT
from cellmetry.core.step import Step
from cellmetry.errors import InputError, ParameterError
from cellmetry.io.opening import open_image
from cellmetry.ops.correct import corrected
from cellmetry.ops.flat_field import FlatFieldCorrection, Illumination, check_size, illumination

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cellmetry.core.image import Image
    from cellmetry.core.progress import Progress
    from cellmetry.core.sample import Sample

__all__ = ["FlatField"]


class FlatField(Step):
    """Even out the illumination: (pixels − dark) / flat · mean(flat), in 32-bit floats."""

    name: ClassVar[str] = "flat_field"

    flat: Path
    """File of the flat-field image: one plane for all channels, or as many channels as the image."""
    dark: Path | None = None
    """File of the dark-field image, likewise; nothing is subtracted without it."""
    channels: tuple[str, ...] | None = Field(default=None, min_length=1)
    """Names or indices of the channels to correct; all if left out."""
    flat_has_dark: bool = False
    """Whether the dark-field is still in the flat-field image, as in one that the camera took: it is subtracted there
    too. What `cellmetry shading` writes is free of it."""

    def files_read(self) -> tuple[Path, ...]:
        """Return the files of the flat-field and the dark-field."""
        return (self.flat,) if self.dark is None else (self.flat, self.dark)

    def __call__(self, sample: Sample, progress: Progress = SILENT) -> Sample:
        """Return the sample with its image corrected; the original is kept."""
        image = sample.image
        if self.flat_has_dark and self.dark is None:
            raise ParameterError("flat_field: flat_has_dark needs the dark-field image, as the parameter dark.")
        names = image.channel_names if self.channels is None else self.channels
        chosen = [image.channel_index(name) for name in names]
        flats = _read_planes(self.flat, image, chosen)
        darks = dict.fromkeys(chosen) if self.dark is None else _read_planes(self.dark, image, chosen)
        lights = {c: self._light(image, flats[c], darks[c]) for c in chosen}
        return sample.with_image(corrected(image, FlatFieldCorrection(lights), self.channels))

    def _light(self, image: Image, flat: NDArray[np.float32], dark: NDArray[np.float32] | None) -> Illumination:
        """Return the illumination of one channel, checked against the size of the image."""
        try:
            light = illumination(flat - dark if self.flat_has_dark and dark is not None else flat, dark)
            check_size(light, (image.sizes["Y"], image.sizes["X"]))
        except InputError as error:
            raise InputError(f"{self.flat.name}: {error}") from error
        return light


def _read_planes(path: Path, image: Image, channels: list[int]) -> dict[int, NDArray[np.float32]]:
    """Return the plane of a file for each of these channels of `image`; its only plane is for all of them."""
    opened = open_image(path)
    sizes = opened.sizes
    if sizes["T"] * sizes["Z"] > 1 or sizes["C"] not in (1, image.sizes["C"]):
        raise InputError(
            f"{path.name} has {sizes['T']} frames, {sizes['C']} channels and {sizes['Z']} Z planes; a flat-field or "
            f"dark-field is one plane, or one for each of the {image.sizes['C']} channels of the image."
        )
    if sizes["C"] == 1:
        return dict.fromkeys(channels, opened.plane().astype(np.float32))
    places = _by_name(path, opened, image, channels)
    return {c: opened.plane(c=places[c]).astype(np.float32) for c in channels}


def _by_name(path: Path, opened: Image, image: Image, channels: list[int]) -> dict[int, int]:
    """Return which channel of the opened file is for each channel of the image: by name, else in order."""
    known = [name.casefold() for name in opened.channel_names]
    wanted = {c: image.channel_names[c].casefold() for c in channels}
    found = [name in known for name in wanted.values()]
    if all(found):
        return {c: known.index(name) for c, name in wanted.items()}
    if any(found):
        raise InputError(
            f"{path.name} has the channels {', '.join(opened.channel_names)}, the image "
            f"{', '.join(image.channel_names)}; some names agree and some do not. Name them alike, or correct one "
            f"channel at a time with a file of one plane."
        )
    return {c: c for c in channels}
