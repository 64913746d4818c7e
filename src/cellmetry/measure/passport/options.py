"""`PassportOptions`: the threshold of every flag, and on which pixels it is judged."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from cellmetry.core.step import Parameters
from cellmetry.errors import ParameterError
from cellmetry.measure.options import MeasureOptions
from cellmetry.ops.saturation import parse_saturation

__all__ = ["PassportOptions"]


class PassportOptions(Parameters):
    """The threshold of every flag, and on which pixels it is judged."""

    channels: tuple[str | int, ...] | None = None
    """Names or indices of the channels to judge; all of them if left out."""
    pixels: Literal["original", "corrected"] = "original"
    """Pixels on which focus, background and contrast are judged; saturation is always judged on the original ones."""
    volume: bool | None = None
    """Judge labels with a Z axis as volumes (true) or each plane by itself (false); if left out, as the labels say."""
    project: Literal["max", "mean"] | None = None
    """For labels without Z on a Z stack: judge its maximum or mean projection (saturation: always the maximum)."""
    plane: int | None = Field(default=None, ge=0)
    """For labels without Z on a Z stack: judge this plane."""
    least_cells: int = Field(default=10, ge=3)
    """Cells that an image needs for what is usual in it; with fewer, flags that compare with it are missing."""
    saturation: str = "100%"
    """Value from which on a pixel is saturated: 254 (of 255), native:4000 (as stored) or 99% (of what the detector can
    give)."""
    saturations: dict[str, str] = Field(default_factory=dict)
    """The same for single channels, by name: {"GFP": "native:4000"}; they win over `saturation`."""
    saturated_fraction: float = Field(default=0.01, ge=0, lt=1)
    """flag_saturation: share of a cell's pixels that may be saturated in a channel."""
    focus_scale_px: float = Field(default=2.0, ge=0.5, le=32)
    """Standard deviation in pixels of the smoothing before blur is measured."""
    focus_margin_px: int = Field(default=3, ge=1, le=64)
    """Pixels of background round a cell on which its blur is measured too, so that its outline is in it."""
    focus_z: float = Field(default=3.5, gt=0)
    """flag_focus: standard deviations (robust) by which the blur may lie above the usual."""
    focus_spread: float = Field(default=0.2, gt=0)
    """Least standard deviation that blurs are taken to have, as a share of the usual blur, at least of
    focus_scale_px."""
    most_blur_px: float | None = Field(default=None, gt=0)
    """flag_focus: most blur in pixels, beside the comparison with the usual; none if left out."""
    edge_px: int = Field(default=0, ge=0)
    """flag_edge: pixels of a cell that may lie at the image's border."""
    ring_gap_px: int = Field(default=2, ge=0, le=256)
    """Pixels left out between a cell and the ring of its local background."""
    ring_width_px: int = Field(default=8, ge=1, le=256)
    """Width in pixels of the ring of its local background."""
    least_ring_px: int = Field(default=20, ge=1)
    """Pixels that a ring needs; with fewer, background and contrast are missing."""
    background_z: float = Field(default=3.5, gt=0)
    """flag_background: standard deviations (robust) by which the local background may differ from the usual."""
    background_spread: float = Field(default=0.1, gt=0)
    """Least standard deviation that local backgrounds are taken to have, as a share of the cells' usual signal."""
    debris_z: float = Field(default=3.5, gt=0)
    """flag_debris: standard deviations (robust) by which log2 of the size, or below it the solidity, may differ."""
    size_spread: float = Field(default=0.4, gt=0)
    """Least standard deviation that log2 of the size is taken to have."""
    solidity_spread: float = Field(default=0.03, gt=0)
    """Least standard deviation that solidities are taken to have."""
    least_contrast: float = Field(default=0.5, ge=0)
    """flag_contrast: least difference of cell and local background in some channel, in noise of that background."""
    confidence_map: str = "foreground"
    """Name of the map of the probability to be a cell, from which confidence is read, where a step kept it."""
    least_confidence: float = Field(default=0.6, ge=0, le=1)
    """flag_confidence: least mean probability inside a cell."""
    least_outline_step: float = Field(default=0.3, ge=0, le=1)
    """flag_confidence: least fall of the mean probability from inside a cell to the background at its outline."""
    outline_px: int = Field(default=3, ge=1, le=64)
    """Width in pixels of the background at a cell's outline that is compared with its inside."""
    report_share: float = Field(default=0.1, ge=0, le=1)
    """Share of flagged cells above which an image gets a warning; flag_edge is left out of this."""

    @field_validator("saturation")
    @classmethod
    def _is_a_limit(cls, text: str) -> str:
        try:
            parse_saturation(text)
        except ParameterError as error:
            raise ValueError(str(error).removesuffix(".")) from error
        return text

    @field_validator("saturations")
    @classmethod
    def _are_limits(cls, texts: dict[str, str]) -> dict[str, str]:
        for text in texts.values():
            parse_saturation(text)
        return texts

    def as_measured(self) -> MeasureOptions:
        """Return how stacks are read."""
        return MeasureOptions(volume=self.volume, project=self.project, plane=self.plane)
