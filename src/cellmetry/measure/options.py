"""`StackOptions`: how stacks are read; `MeasureOptions`: also which features of which channels are measured."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from cellmetry.core.step import Parameters

__all__ = ["DEFAULT_FEATURES", "Feature", "MeasureOptions", "StackOptions"]

Feature = Literal[
    "size", "position", "shape", "feret", "intensity", "distribution", "mass", "edge", "neighbours", "texture"
]
"""A group of columns; `cellmetry.measure.columns` describes each column."""

DEFAULT_FEATURES: tuple[Feature, ...] = (
    "size",
    "position",
    "shape",
    "feret",
    "intensity",
    "distribution",
    "mass",
    "edge",
    "neighbours",
)
"""All groups but texture."""

Percentile = Annotated[float, Field(ge=0, le=100)]


class StackOptions(Parameters):
    """How the planes of a stack are read."""

    volume: bool | None = None
    """Measure labels with a Z axis as volumes (true) or each plane by itself, with a column z (false); if left out, as
    the labels say; an error if they do not."""
    project: Literal["max", "mean"] | None = None
    """For labels without Z on a Z stack: measure its maximum or mean projection."""
    plane: int | None = Field(default=None, ge=0)
    """For labels without Z on a Z stack: measure this plane."""


class MeasureOptions(StackOptions):
    """Which features of which channels are measured, and how stacks are read."""

    features: tuple[Feature, ...] = DEFAULT_FEATURES
    """Groups of columns to measure."""
    channels: tuple[str | int, ...] | None = None
    """Names or indices of the channels to measure; all of them if left out."""
    percentiles: tuple[Percentile, ...] = (5.0, 25.0, 75.0, 95.0)
    """Percentiles of the intensity in the group ``distribution``."""
    texture_levels: int = Field(default=32, ge=2, le=256)
    """Number of grey levels of the co-occurrence matrix."""
    texture_distance: int = Field(default=1, ge=1, le=64)
    """Distance in pixels between the two pixels of a pair."""
    texture_range: tuple[float, float] | None = None
    """Intensities that the grey levels span, low < high; each object's own minimum and maximum if left out."""

    @model_validator(mode="after")
    def _range_rises(self) -> Self:
        if self.texture_range is not None and not self.texture_range[0] < self.texture_range[1]:
            raise ValueError(f"texture_range must rise from low to high, not {self.texture_range}")
        return self
