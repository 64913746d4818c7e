"""How the images of a run are opened: what the files do not say."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from cellmetry.core.step import Parameters
from cellmetry.io.opening import list_scenes, open_image
from cellmetry.ops.channels import rename_channels

if TYPE_CHECKING:
    from pathlib import Path

    from cellmetry.core.image import Image

__all__ = ["Reading"]


class Reading(Parameters):
    """What the user says about the files of a run."""

    axes: str | None = Field(None, description="Axes of the files where they do not say, as in ZYX.")
    rgb: Literal["colour", "channels"] = Field(
        "colour", description="Whether RGB files are colour pictures or three channels."
    )
    pixel_size_um: float | None = Field(None, gt=0, description="Side of a pixel in µm; wins over the files'.")
    pixel_size_y_um: float | None = Field(
        None, gt=0, description="Height of a pixel in µm where it differs from its width; wins over the files'."
    )
    pixel_size_z_um: float | None = Field(None, gt=0, description="Distance of planes in µm; wins over the files'.")
    detector_bits: int | None = Field(
        None, ge=1, le=32, description="Bits of the detector where the files do not say; wins over what they say."
    )
    pattern: str | None = Field(
        None, description="File-name pattern that makes one image of several files, as in {well}_w{channel}.tif."
    )
    roles: dict[str, str] = Field(
        default_factory=dict, description="Names of channels by their index, name, or value in file names."
    )

    def open(self, path: Path | str, scene: int | None = None) -> Image:
        """Return the image at `path`."""
        return self._named(self._sized(open_image(path, scene=scene, axes=self.axes, rgb=self.rgb)))

    def scenes(self, path: Path | str) -> list[Image]:
        """Return all scenes of the file at `path`."""
        return [self._named(self._sized(image)) for image in list_scenes(path, axes=self.axes, rgb=self.rgb)]

    def _sized(self, image: Image) -> Image:
        if self.pixel_size_um is not None:
            image = image.with_pixel_size(self.pixel_size_um)
        if self.pixel_size_y_um is not None:
            image = replace(image, pixel_size=image.pixel_size._replace(y=self.pixel_size_y_um))
        if self.pixel_size_z_um is not None:
            image = replace(image, pixel_size=image.pixel_size._replace(z=self.pixel_size_z_um))
        return image if self.detector_bits is None else image.with_detector_bits(self.detector_bits)

    def _named(self, image: Image) -> Image:
        if not self.roles or self.pattern is not None:
            return image
        roles: dict[str | int, str] = dict(self.roles.items())
        return rename_channels(image, roles)
