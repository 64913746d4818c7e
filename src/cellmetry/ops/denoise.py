"""Denoising: median, Gaussian, non-local means; each pixel depends on its surroundings only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np
from pydantic import Field, model_validator
from scipy import ndimage
from skimage.restoration import denoise_nl_means

from cellmetry.core.image import Box
from cellmetry.core.progress import SILENT
from cellmetry.core.step import Step
from cellmetry.ops.correct import corrected, enlarged_box
from cellmetry.ops.quantiles import percentiles_of
from cellmetry.ops.spread import SD_OF_MAD

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from cellmetry.core.progress import Progress
    from cellmetry.core.sample import Sample
    from cellmetry.ops.correct import Correction, PlaneReader, ReadPart

__all__ = ["Denoise", "GaussianFilter", "MedianFilter", "NonLocalMeans", "noise_of"]

_TRUNCATE = 4.0
_BAND_PIXELS = 1 << 24
_TILE = 256

_DEFAULTS: dict[str, dict[str, Any]] = {
    "median": {"size_px": 3},
    "gaussian": {"sigma_px": 1.0},
    "nlm": {"patch_px": 5, "distance_px": 6, "strength": 0.8},
}


@dataclass(frozen=True)
class MedianFilter:
    """Gives each pixel the median of the square of `size_px` × `size_px` around it, mirrored at the image's edge."""

    size_px: int

    def prepare(self, plane: PlaneReader) -> ReadPart:
        """Return the reader of the filtered plane."""

        def part(box: Box) -> NDArray[np.float32]:
            outer = enlarged_box(box, plane.shape, self.size_px // 2)
            values = ndimage.median_filter(plane.values(outer), size=self.size_px, mode="reflect")
            return np.ascontiguousarray(values[box.within(outer).slices])

        return part


@dataclass(frozen=True)
class GaussianFilter:
    """Smooths with a Gaussian of standard deviation `sigma_px`, cut at four of them, mirrored at the image's edge."""

    sigma_px: float

    def prepare(self, plane: PlaneReader) -> ReadPart:
        """Return the reader of the filtered plane."""
        margin = int(_TRUNCATE * self.sigma_px + 0.5)

        def part(box: Box) -> NDArray[np.float32]:
            outer = enlarged_box(box, plane.shape, margin)
            values = ndimage.gaussian_filter(plane.values(outer), self.sigma_px, mode="reflect", truncate=_TRUNCATE)
            return np.ascontiguousarray(values[box.within(outer).slices])

        return part


@dataclass(frozen=True)
class NonLocalMeans:
    """Gives each pixel the mean of pixels near it, weighted by how alike the patches round them are.

    Buades, Coll & Morel 2005, by scikit-image's fast form (Darbon et al. 2008) in squares of one grid, so that parts
    of a plane equal the whole.

    Parameters
    ----------
    patch_px
        Side of the patches that are compared.
    distance_px
        How far away the pixels may lie.
    strength
        Of the filter, in units of the plane's noise.
    """

    patch_px: int
    distance_px: int
    strength: float

    def prepare(self, plane: PlaneReader) -> ReadPart:
        """Return the reader of the filtered plane; where no noise is found, it stays as it is."""
        noise = noise_of(plane)
        if not noise > 0:
            return plane.values

        def part(box: Box) -> NDArray[np.float32]:
            out = np.empty(box.shape, np.float32)
            for tile in _tiles_of(box, plane.shape):
                y0, y1 = max(tile.y0, box.y0), min(tile.y1, box.y1)
                x0, x1 = max(tile.x0, box.x0), min(tile.x1, box.x1)
                held = Box(y0, y1, x0, x1)
                out[held.within(box).slices] = self._tile(plane, tile, noise)[held.within(tile).slices]
            return out

        return part

    def _tile(self, plane: PlaneReader, tile: Box, noise: float) -> NDArray[np.float64]:
        outer = enlarged_box(tile, plane.shape, self.patch_px // 2 + self.distance_px + 1)
        values: NDArray[np.float64] = denoise_nl_means(
            plane.values(outer).astype(np.float64),
            patch_size=self.patch_px,
            patch_distance=self.distance_px,
            h=self.strength * noise,
            sigma=noise,
            preserve_range=True,
        )
        return values[tile.within(outer).slices]


def _tiles_of(box: Box, plane: tuple[int, int]) -> Iterator[Box]:
    """Yield the squares of the grid that a box touches."""
    for y in range(box.y0 // _TILE * _TILE, box.y1, _TILE):
        for x in range(box.x0 // _TILE * _TILE, box.x1, _TILE):
            yield Box(y, min(y + _TILE, plane[0]), x, min(x + _TILE, plane[1]))


def noise_of(plane: PlaneReader) -> float:
    """Return the standard deviation of a plane's noise, if that is white; 0 if it has none or is too small.

    It is the median of the absolute diagonal differences of blocks of 2 × 2 pixels (Haar wavelet, halved sum), zeros
    left out, times 1.4826 (Donoho & Johnstone 1994); structures larger than pixels hardly move it.
    """
    height, width = plane.shape
    rows = max(2, _BAND_PIXELS // max(1, width) // 2 * 2)

    def details() -> Iterator[NDArray[np.float32]]:
        for y in range(0, height // 2 * 2, rows):
            band = plane.values(Box(y, min(y + rows, height // 2 * 2), 0, width // 2 * 2))
            detail = np.abs(band[::2, ::2] - band[::2, 1::2] - band[1::2, ::2] + band[1::2, 1::2]) / 2
            yield detail[detail > 0]

    found = float(percentiles_of(details, (50.0,))[0]) * SD_OF_MAD
    return 0.0 if np.isnan(found) else found


class Denoise(Step):
    """Take noise from each plane."""

    name: ClassVar[str] = "denoise"

    channels: tuple[str | int, ...] | None = None
    """Names or indices of the channels to denoise; all of them if left out."""
    method: Literal["median", "gaussian", "nlm"] = "median"
    """median, gaussian, or nlm (non-local means: keeps edges, slow)."""
    size_px: int | None = Field(default=None, ge=3, le=99)
    """Side of the square whose median is taken, an odd number of pixels, with median; 3 if left out."""
    sigma_px: float | None = Field(default=None, gt=0, le=200)
    """Standard deviation of the Gaussian in pixels, with gaussian; 1 if left out."""
    patch_px: int | None = Field(default=None, ge=3, le=25)
    """Side of the patches that are compared, an odd number of pixels, with nlm; 5 if left out."""
    distance_px: int | None = Field(default=None, ge=1, le=50)
    """How far away like patches are looked for, in pixels, with nlm; 6 if left out."""
    strength: float | None = Field(default=None, gt=0, le=20)
    """Strength of the filter in units of the noise that is found in the plane, with nlm; 0.8 if left out."""

    @model_validator(mode="after")
    def _parameters_fit(self) -> Self:
        for method, names in _DEFAULTS.items():
            given = [name for name in names if getattr(self, name) is not None]
            if given and method != self.method:
                raise ValueError(f"{given[0]} goes with the method {method}, not {self.method}.")
        even = [name for name in ("size_px", "patch_px") if (getattr(self, name) or 1) % 2 == 0]
        if even:
            raise ValueError(f"{even[0]} must be odd, so that a pixel is the middle of its square.")
        return self

    def __call__(self, sample: Sample, progress: Progress = SILENT) -> Sample:
        """Return the sample with the denoised image."""
        return sample.with_image(corrected(sample.image, self._correction(), self.channels))

    def _correction(self) -> Correction:
        kinds = {"median": MedianFilter, "gaussian": GaussianFilter, "nlm": NonLocalMeans}
        given = {name: getattr(self, name) for name in _DEFAULTS[self.method]}
        values = {name: _DEFAULTS[self.method][name] if value is None else value for name, value in given.items()}
        correction: Correction = kinds[self.method](**values)
        return correction
