"""`ModelCard`: what a model is, where it comes from and how an engine feeds it; data beside the weights."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from cellmetry.core.step import Parameters
from cellmetry.models.count_calibration import CountCalibration
from cellmetry.models.licences import NonCommercial, stated_by_licence
from cellmetry.ops.flows import FlowDecoding

__all__ = ["Head", "ModelCard", "Score", "TrainingData"]

Head = Literal["foreground", "flow", "density", "boundary"]
"""What a network can put out: probability of a cell, direction to its centre (y, x), cells per pixel, probability
of a cell's edge: the outermost line of pixels of every cell, towards background or another cell."""


def _ascending(values: tuple[float, float] | None) -> tuple[float, float] | None:
    if values is not None and not values[0] < values[1]:
        raise ValueError("The first of two limits must be below the second.")
    return values


def _not_falling(values: tuple[float, float] | None) -> tuple[float, float] | None:
    if values is not None and values[0] > values[1]:
        raise ValueError("The first of two sizes must not be above the second.")
    return values


Percentiles = Annotated[
    tuple[Annotated[float, Field(ge=0, le=100)], Annotated[float, Field(ge=0, le=100)]], AfterValidator(_ascending)
]
Limits = Annotated[
    tuple[Annotated[float, Field(gt=0)], Annotated[float, Field(gt=0)]] | None, AfterValidator(_ascending)
]
Span = Annotated[
    tuple[Annotated[float, Field(gt=0)], Annotated[float, Field(gt=0)]] | None, AfterValidator(_not_falling)
]


class TrainingData(Parameters):
    """One data set that a model has learnt from."""

    name: str = Field(min_length=1, max_length=200)
    """As its makers call it."""
    licence: str = Field(min_length=1, max_length=200)
    """SPDX identifier, or the words of its makers."""
    non_commercial: NonCommercial = Field(default_factory=stated_by_licence)
    """Whether the licence forbids commercial use."""
    source: str = Field(default="", max_length=1000)
    """Public home of the data, or the paper."""
    images: int | None = Field(default=None, ge=1)
    """How many of its images were used."""


class Score(Parameters):
    """How good a model was on images that it was not trained on."""

    data: str = Field(min_length=1, max_length=200)
    """The data set and split."""
    measure: str = Field(min_length=1, max_length=100)
    """What was computed, for example ``AP at IoU 0.5``."""
    value: float
    """The result, mean over images."""
    images: int | None = Field(default=None, ge=1)
    """How many images."""


class ModelCard(Parameters):
    """A model in words and numbers. The weights are an ONNX file beside the card.

    The network has one input of shape (1, channels, Y, X), float32, for any Y and X that `stride` divides, and one
    output of the same Y and X for each of `heads`, named like the head: one channel, two (y, x) for ``flow``.
    """

    format: Literal[1] = 1
    """Version of this form of card."""
    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")
    """Word by which ``--model`` addresses it."""
    version: str = Field(min_length=1, max_length=64)
    """Grows with each training."""
    engine: Literal["cellmetry"] = "cellmetry"
    """Engine that runs it."""
    summary: str = Field(default="", max_length=2000)
    """What it is for."""
    licence: str = Field(min_length=1, max_length=200)
    """SPDX identifier of the licence of the weights."""
    non_commercial: NonCommercial = Field(default_factory=stated_by_licence)
    """Whether commercial use is forbidden; it is where the licence or any of the training data forbids it."""
    citation: str = Field(default="", max_length=2000)
    """What to cite."""
    training_data: tuple[TrainingData, ...] = Field(max_length=200)
    """All data sets it has learnt from, those of the model it was started from included."""
    pixel_size_um: Span = None
    """Smallest and largest pixel size of the training images, µm, as far as it is known; None if it is of none."""
    diameter_px: float | None = Field(default=None, gt=0, le=1000)
    """Working diameter of cells, to which images are rescaled; None to run at the image's own scale."""
    diameters_px: Limits = None
    """Smallest and largest diameter of cells that it knows at their own scale; where `diameter_px` is None, images with
    others are rescaled just so far, by the diameter that is given or that the network finds itself."""
    channels: tuple[str, ...] = Field(default=("grey",), min_length=1, max_length=16)
    """What each input channel shows."""
    percentiles: Percentiles = (1.0, 99.8)
    """Percentiles of the whole plane that are stretched to 0 and 1; values beyond are kept."""
    heads: tuple[Head, ...] = Field(default=("foreground", "flow"), min_length=1, max_length=4)
    """Outputs of the network, in their order."""
    stride: int = Field(default=1, ge=1, le=256)
    """Input sides are multiples of this, and tiles start at multiples of it."""
    margin_px: int = Field(ge=0, le=2048)
    """Context that the network needs around a cell, in working pixels: its receptive field."""
    decoding: FlowDecoding = FlowDecoding()
    """How labels are read off its outputs."""
    recipe: tuple[str, ...] = Field(default=(), max_length=200)
    """Every choice of its last training, as ``part.name=value``."""
    scores: tuple[Score, ...] = Field(default=(), max_length=1000)
    """Results on held-out images."""
    counting: CountCalibration | None = None
    """How its counts are joined, and how wide their intervals are; None if that was never calibrated."""
    file: str = Field(pattern=r"^[^/\\:]{1,200}\.onnx$")
    """Name of the weights, in the card's folder."""
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    """Of the weights."""
    size_bytes: int = Field(gt=0)
    """Of the weights."""

    @model_validator(mode="after")
    def _agree(self) -> ModelCard:
        if len(set(self.heads)) != len(self.heads):
            raise ValueError("Each head can stand once only.")
        forbidding = [data.name for data in self.training_data if data.non_commercial]
        if forbidding and not self.non_commercial:
            raise ValueError(f"Non_commercial must be true, because the licence of {forbidding[0]} forbids it.")
        return self

    @property
    def segments(self) -> bool:
        """Whether it can label cells, rather than count or map them only."""
        return {"foreground", "flow"} <= set(self.heads)
