"""Rolling ball background in three named variants, and the step that subtracts it.

``imagej`` is ImageJ's Subtract Background to the last bit; ``native`` and ``unit`` are scikit-image's rolling ball on
stored values and on values from 0 to 1. They give different numbers: ImageJ smooths and shrinks the plane before and
takes what the ball's surface touches, scikit-image takes the height of the ball's top at every pixel; and on values
from 0 to 1 the same ball is as many times higher as the detector has grey levels, so it enters far narrower gaps.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cache, partial
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from pydantic import Field, model_validator
from skimage.restoration import rolling_ball

from cellmetry.core.progress import SILENT
from cellmetry.core.step import Step
from cellmetry.errors import InputError
from cellmetry.ops.correct import corrected, enlarged_box
from cellmetry.ops.imagej_ball import imagej_ball, mean_3x3, roll_ball
from cellmetry.ops.paraboloid import paraboloid_background
from cellmetry.ops.saturation import detector_maximum

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from cellmetry.core.image import Box, Image
    from cellmetry.core.progress import Progress
    from cellmetry.core.sample import Sample
    from cellmetry.ops.correct import Correction, PlaneReader, ReadPart

    Subtract = Callable[[NDArray[Any]], NDArray[np.float32]]

__all__ = ["RollingBall", "Variant", "imagej_background", "subtract_imagej", "subtract_skimage"]

Variant = Literal["imagej", "native", "unit"]
"""Whose rolling ball; see `RollingBall`."""


def imagej_background(
    values: NDArray[np.float32],
    radius_px: float,
    *,
    light_background: bool = False,
    sliding_paraboloid: bool = False,
    smooth: bool = True,
) -> NDArray[np.float32]:
    """Return the background of a plane as ImageJ estimates it, before any rounding; same shape, float32."""
    landscape = -values if light_background else values
    if sliding_paraboloid:
        background = paraboloid_background(landscape, radius_px, smooth=smooth)
    else:
        background = roll_ball(mean_3x3(landscape) if smooth else landscape, imagej_ball(radius_px))
    return -background if light_background else background


def subtract_imagej(
    pixels: NDArray[Any],
    radius_px: float,
    *,
    light_background: bool = False,
    create_background: bool = False,
    sliding_paraboloid: bool = False,
    smooth: bool = True,
) -> NDArray[np.float32]:
    """Return what ImageJ's Subtract Background makes of a plane, as float32.

    For pixels of an integer dtype the results are whole numbers of its range, rounded and clipped as ImageJ does; a
    light background becomes the dtype's largest value. Fractional pixels are neither rounded nor clipped, and a light
    background becomes 0.

    Parameters
    ----------
    create_background
        Return the background itself.
    """
    values = pixels.astype(np.float32)
    background = imagej_background(
        values, radius_px, light_background=light_background, sliding_paraboloid=sliding_paraboloid, smooth=smooth
    )
    result = background if create_background else values - background
    if pixels.dtype.kind == "f":
        return result
    lowest, highest = (0, 1) if pixels.dtype.kind == "b" else (np.iinfo(pixels.dtype).min, np.iinfo(pixels.dtype).max)
    if not create_background:
        result += np.float32(highest if light_background else 0) + np.float32(0.5)
        lowest = lowest if light_background else 0
    else:
        result += np.float32(0.5)
    return np.clip(np.floor(result, out=result), np.float32(lowest), np.float32(highest), out=result)


def subtract_skimage(pixels: NDArray[Any], radius_px: float, *, maximum: float = 1.0) -> NDArray[np.float32]:
    """Return a plane less the background of scikit-image's `rolling_ball`, clipped at 0; float32, not rounded.

    Parameters
    ----------
    maximum
        By which values are divided before, and multiplied after: the ball is `radius_px` times this high.
    """
    values = pixels.astype(np.float32) / np.float32(maximum)
    above: NDArray[np.float32] = values - rolling_ball(values, radius=radius_px)
    return np.maximum(above, 0) * np.float32(maximum)


@dataclass(frozen=True)
class _Local:
    """Subtracts in a part of a plane, which is read with the margin that has a say in it."""

    subtract: Subtract
    margin_px: int
    grid: int = 1

    def prepare(self, plane: PlaneReader) -> ReadPart:
        """Return the function that reads corrected parts."""

        def read(box: Box) -> NDArray[np.float32]:
            around = enlarged_box(box, plane.shape, self.margin_px, grid=self.grid)
            return self.subtract(_finite(plane, around))[box.within(around).slices]

        return read


@dataclass(frozen=True)
class _Unit:
    """Subtracts on values from 0 to 1, by the largest value that the detector can give in each channel."""

    radius_px: float
    maximum: Callable[[int], float]

    def prepare(self, plane: PlaneReader) -> ReadPart:
        """Return the function that reads corrected parts."""
        subtract = partial(subtract_skimage, radius_px=self.radius_px, maximum=self.maximum(plane.c))
        return _Local(subtract, math.ceil(self.radius_px)).prepare(plane)


@dataclass(frozen=True)
class _Whole:
    """Subtracts in the whole plane at once; keeps the last plane, of which parts are read."""

    subtract: Subtract
    kept: list[tuple[PlaneReader, NDArray[np.float32]]] = field(default_factory=list)

    def prepare(self, plane: PlaneReader) -> ReadPart:
        """Return the function that reads corrected parts."""

        def read(box: Box) -> NDArray[np.float32]:
            if not self.kept or self.kept[0][0] is not plane:
                self.kept[:] = [(plane, self.subtract(_finite(plane, None)))]
            return self.kept[0][1][box.slices]

        return read


def _finite(plane: PlaneReader, box: Box | None) -> NDArray[Any]:
    """Return the pixels of a part, in the stored dtype.

    Raises
    ------
    InputError
        If any is NaN or infinite.
    """
    pixels = plane.read(box)
    if pixels.dtype.kind == "f" and not np.isfinite(pixels).all():
        name = plane.image.channel_names[plane.c]
        raise InputError(
            f"{plane.image.name}: no ball can roll below the channel {name}, which has NaN or infinite pixels; "
            "crop these away or give them a value before."
        )
    return pixels


class RollingBall(Step):
    """Subtract a background under which a ball rolls, from each plane of the image.

    Later steps see the corrected pixels, float32; saturation is still judged on the original ones.
    """

    name: ClassVar[str] = "rolling_ball"

    channels: tuple[str | int, ...] | None = None
    """Channels to correct, by name or index; all if not given."""
    variant: Variant = "imagej"
    """``imagej``: exactly as ImageJ. ``native``: scikit-image's ball, on values as stored. ``unit``: the same on values
    divided by the detector's maximum, multiplied again after; this ball is that many times higher."""
    radius_px: float = Field(default=50.0, gt=0)
    """Radius of the ball in pixels; larger than the objects. With ``imagej`` below 1 only for the paraboloid."""
    light_background: bool = False
    """Only ``imagej``: objects are darker than the background, which becomes the dtype's largest value (0 for
    fractional pixels)."""
    create_background: bool = False
    """Only ``imagej``: put the background itself in place of the image."""
    sliding_paraboloid: bool = False
    """Only ``imagej``: slide a paraboloid of this radius of curvature instead of rolling a ball; needs whole planes in
    memory."""
    smooth: bool | None = None
    """Whether the background is sought below an image smoothed over 3 × 3 pixels; if not given, as the variant does:
    ``imagej`` yes (false is its "disable smoothing"), the others no, and they cannot."""

    @model_validator(mode="after")
    def _only_imagej(self) -> RollingBall:
        options = ("light_background", "create_background", "sliding_paraboloid", "smooth")
        wrong = [name for name in options if getattr(self, name)]
        if self.variant != "imagej" and wrong:
            raise ValueError(f"the variant {self.variant} has no {', '.join(wrong)}; only imagej has")
        if self.variant == "imagej" and self.radius_px < 1 and not self.sliding_paraboloid:
            raise ValueError("ImageJ's ball has a radius_px of at least 1; only its sliding paraboloid can be smaller")
        return self

    def detectors_used(self, image: Image) -> tuple[int, ...]:
        """Return the channels whose values are divided by the detector's largest."""
        every = range(len(image.channels)) if self.variant == "unit" else ()
        return tuple(map(image.channel_index, self.channels)) if every and self.channels is not None else tuple(every)

    def correction(self, original: Image) -> Correction:
        """Return what this step does to a plane, for an image whose detector gave `original`."""
        if self.variant == "native":
            return _Local(partial(subtract_skimage, radius_px=self.radius_px), math.ceil(self.radius_px))
        if self.variant == "unit":
            return _Unit(self.radius_px, cache(partial(detector_maximum, original)))
        subtract = partial(
            subtract_imagej,
            radius_px=self.radius_px,
            light_background=self.light_background,
            create_background=self.create_background,
            sliding_paraboloid=self.sliding_paraboloid,
            smooth=self.smooth is not False,
        )
        ball = imagej_ball(self.radius_px)
        return _Whole(subtract) if self.sliding_paraboloid else _Local(subtract, ball.margin_px, ball.shrink)

    def __call__(self, sample: Sample, progress: Progress = SILENT) -> Sample:
        """Return the sample with its image corrected when read."""
        return sample.with_image(corrected(sample.image, self.correction(sample.unprocessed), self.channels))
