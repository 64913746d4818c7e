"""`CountCalibration`: the fitted numbers by which two counts become one with an interval; data of a model's card."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from cellmetry.core.step import Parameters

__all__ = ["CountCalibration", "CountedBy", "Counters"]

Counters = Literal["both", "instances", "density"]
"""What was counted by: labelled objects and the sum of the density, or one of them."""


class CountedBy(Parameters):
    """What counted some images: an engine, and its model with the hash of the weights as far as there is one."""

    engine: str = Field(min_length=1, max_length=200)
    """Name of the engine."""
    model: str | None = Field(default=None, max_length=1000)
    """Name or path of its model; None for an engine without models."""
    sha256: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")
    """Of the model's weights; None where the engine does not tell it."""

    def same_as(self, other: CountedBy) -> bool:
        """Return whether both count alike: the same weights under whatever name, or else the same names."""
        if self.sha256 and other.sha256:
            return (self.engine, self.sha256) == (other.engine, other.sha256)
        return self == other

    def __str__(self) -> str:
        """Return it in words."""
        if self.model is None:
            return f"the engine {self.engine}"
        proof = f", weights {self.sha256[:12]}…" if self.sha256 else ""
        return f"the model {self.model} (engine {self.engine}{proof})"


class CountCalibration(Parameters):
    """How a model's counts were joined and how wrong they were on images that it was not trained on.

    `cellmetry.counting.calibration.calibrate` fits it; `cellmetry.counting.combine` says what the numbers do.
    """

    counters: Counters = "both"
    """The counters that were calibrated; intervals hold for the same ones only."""
    coverage: float = Field(default=0.9, gt=0, lt=1)
    """Share of images whose true count lies in the interval, if they are like the calibration images."""
    toward_more: float = Field(default=0.5, ge=0, le=1)
    """How far the count goes from the instances to the density where the density counts more."""
    toward_fewer: float = Field(default=0.5, ge=0, le=1)
    """How far it goes where the density counts fewer."""
    growth: float = Field(default=0.5, ge=0, le=1)
    """Width of intervals grows with the count to this power."""
    pull: float = Field(default=0.5, ge=0)
    """How much wider an interval is for each standard unit by which the two counters disagree."""
    factor: float = Field(ge=0)
    """Half width of an interval in units of its spread: the conformal quantile."""
    largest_count: float = Field(ge=0)
    """Largest count among the calibration images; above it no interval is given."""
    largest_disagreement: float = Field(ge=0)
    """Largest disagreement among the calibration images; above it no interval is given."""
    largest_unfamiliarity: float = Field(default=1, ge=1)
    """Largest unfamiliarity among the calibration images, 1 at least; above it no interval is given."""
    images: int = Field(ge=1)
    """Images from which the factor was taken."""
    images_fitted: int = Field(ge=1)
    """Other images, on which the rest was fitted."""
    data: str = Field(default="", max_length=200)
    """The data set and split of these images."""
    counted_by: CountedBy | None = None
    """What counted these images, and so may use the calibration; None if that was not written down."""
