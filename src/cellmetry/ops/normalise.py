"""Normalising planes: z-score, robust z-score, minimum to maximum, percentile to percentile."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal, NamedTuple, Self

import numpy as np
from pydantic import Field, model_validator

from cellmetry.core.progress import SILENT
from cellmetry.core.step import Step
from cellmetry.errors import ParameterError
from cellmetry.ops.correct import corrected
from cellmetry.ops.quantiles import percentiles_of
from cellmetry.ops.spread import SD_OF_MAD

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from cellmetry.core.image import Box
    from cellmetry.core.progress import Progress
    from cellmetry.core.sample import Sample
    from cellmetry.ops.correct import PlaneReader, ReadPart

__all__ = ["Normalisation", "Normalise", "NormaliseMethod", "Scale", "plane_scale"]

NormaliseMethod = Literal["z", "robust", "minmax", "percentile"]
"""How the scale of a plane is found."""

_LEAST = 1e-12  # added to deviations, as in DualCellQuant, so that a flat plane becomes 0
_DEFAULT_LIMITS = (1.0, 99.0)
_WARNED: dict[NormaliseMethod, str] = {
    "z": "Values after z-score normalisation can be negative; ratios of them mean nothing.",
    "robust": "Values after robust normalisation can be negative; ratios of them mean nothing.",
}


class Scale(NamedTuple):
    """What becomes of a value v: (v - zero) / unit; 0 throughout where the unit is infinite, as in flat planes."""

    zero: float
    unit: float


def plane_scale(plane: PlaneReader, method: NormaliseMethod, limits: tuple[float, float] = _DEFAULT_LIMITS) -> Scale:
    """Return the scale of a plane from all its finite pixels; `limits` are percentiles, for the method percentile.

    The methods are ``z``: mean and population standard deviation; ``robust``: median and 1.4826 times the median
    absolute deviation; ``minmax``: minimum and the way to the maximum; ``percentile``: the lower percentile and the
    way to the upper one.

    Raises
    ------
    ParameterError
        If half of the pixels have one value, but not all, with the method robust.
    """
    if method == "z":
        return _mean_and_deviation(plane)
    if method == "robust":
        return _median_and_deviation(plane)
    low, high = percentiles_of(plane.bands, (0.0, 100.0) if method == "minmax" else limits).tolist()
    return Scale(low, high - low if high > low else float("inf"))


def _mean_and_deviation(plane: PlaneReader) -> Scale:
    """Return mean and standard deviation, in 64-bit sums of differences, so that those of a flat plane are exact."""
    start = next((values[0] for values in _finite(plane) if values.size), np.nan)
    sums = np.sum([(values.size, (values - start).sum()) for values in _finite(plane)], axis=0)
    if sums[0] == 0:
        return Scale(float("nan"), float("nan"))
    mean = start + sums[1] / sums[0]
    variance = sum(float(np.square(values - mean).sum()) for values in _finite(plane)) / sums[0]
    return Scale(float(mean), float(np.sqrt(variance)) + _LEAST)


def _finite(plane: PlaneReader) -> Iterator[NDArray[np.float64]]:
    for band in plane.bands():
        values = np.asarray(band, np.float32)
        yield values[np.isfinite(values)].astype(np.float64)


def _median_and_deviation(plane: PlaneReader) -> Scale:
    """Return the median and its scaled median absolute deviation."""
    low, median, high = percentiles_of(plane.bands, (0.0, 50.0, 100.0)).tolist()

    def away() -> Iterator[NDArray[np.float64]]:
        return (np.abs(np.asarray(band, np.float32) - np.float64(median)) for band in plane.bands())

    deviation = float(percentiles_of(away, (50.0,))[0])
    if deviation == 0 and low < high:
        raise ParameterError(
            f"Half of the pixels of {plane.image.name} (channel {plane.image.channel_names[plane.c]}, t={plane.t}, "
            f"z={plane.z}) or more have one value, so that robust normalisation finds no scale; use another method, "
            f"or subtract the background with negatives = 'keep' before."
        )
    return Scale(median, SD_OF_MAD * deviation + _LEAST)


@dataclass(frozen=True)
class Normalisation:
    """Brings each plane to its own scale.

    Parameters
    ----------
    method
        How the scale is found.
    limits
        Percentiles that become 0 and 1, for the method percentile; what lies outside is clipped.
    """

    method: NormaliseMethod
    limits: tuple[float, float] = _DEFAULT_LIMITS

    def prepare(self, plane: PlaneReader) -> ReadPart:
        """Return the reader of the plane on its scale."""
        scale = plane_scale(plane, self.method, self.limits)

        def part(box: Box) -> NDArray[np.float32]:
            with np.errstate(invalid="ignore"):  # an infinite pixel of a flat plane has no place on its scale
                values = (plane.values(box) - np.float64(scale.zero)) / scale.unit
            values = np.clip(values, 0.0, 1.0) if self.method == "percentile" else values
            return np.asarray(values, np.float32)

        return part


class Normalise(Step):
    """Bring each plane of each channel to a scale of its own; intensities of different images lose their relation."""

    name: ClassVar[str] = "normalise"

    channels: tuple[str | int, ...] | None = None
    """Names or indices of the channels to normalise; all of them if left out."""
    method: NormaliseMethod
    """z (mean 0, standard deviation 1), robust (the same by median and median absolute deviation), minmax (0 to 1), or
    percentile (0 to 1 between two percentiles, clipped)."""
    low_percentile: float | None = Field(default=None, ge=0, le=100)
    """Percentile that becomes 0, with the method percentile; 1 if left out."""
    high_percentile: float | None = Field(default=None, ge=0, le=100)
    """Percentile that becomes 1, with the method percentile; 99 if left out."""

    @model_validator(mode="after")
    def _limits_fit(self) -> Self:
        given = self.low_percentile is not None or self.high_percentile is not None
        if given and self.method != "percentile":
            raise ValueError(f"low_percentile and high_percentile go with the method percentile, not {self.method}.")
        low, high = self._limits()
        if low >= high:
            raise ValueError(f"low_percentile ({low:g}) must lie below high_percentile ({high:g}).")
        return self

    def __call__(self, sample: Sample, progress: Progress = SILENT) -> Sample:
        """Return the sample with the normalised image, and a warning where values can be negative."""
        image = corrected(sample.image, Normalisation(self.method, self._limits()), self.channels)
        notes = [_WARNED[self.method]] if self.method in _WARNED else []
        return sample.with_image(image).with_warnings(*notes)

    def _limits(self) -> tuple[float, float]:
        low, high = _DEFAULT_LIMITS
        low = low if self.low_percentile is None else self.low_percentile
        return low, high if self.high_percentile is None else self.high_percentile
