"""`CountCalibration`: the fitted numbers by which two counts become one with an interval; data of a model's card."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from cellmetry.core.step import Parameters

__all__ = ["CountCalibration", "Counters"]

Counters = Literal["both", "instances", "density"]
"""What was counted by: labelled objects and the sum of the density, or one of them."""


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
    images: int = Field(ge=1)
    """Images from which the factor was taken."""
    images_fitted: int = Field(ge=1)
    """Other images, on which the rest was fitted."""
    data: str = Field(default="", max_length=200)
    """The data set and split of these images."""
