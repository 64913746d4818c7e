"""Masks by brightness: which pixels of each cell, or of a region of it, are above a threshold and not saturated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from pydantic import Field, field_validator, model_validator

from cellmetry.core.image import Box
from cellmetry.core.parameters import parse_parameters
from cellmetry.core.progress import SILENT
from cellmetry.core.step import Parameters, Step
from cellmetry.errors import LabelsError, LimitExceeded
from cellmetry.measure.runs import places_of
from cellmetry.ops.cell_thresholds import cell_thresholds, plane_threshold
from cellmetry.ops.saturation import detector_maximum, parse_saturation
from cellmetry.quantify.cleaning import clean_part
from cellmetry.quantify.positions import PlaneCells, any_pixel, check_planes, new_mask

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from cellmetry.core.image import Image
    from cellmetry.core.labels import Labels
    from cellmetry.core.progress import Progress
    from cellmetry.core.sample import Sample
    from cellmetry.ops.cell_thresholds import CellThresholds, ThresholdMethod

__all__ = ["CombineMasks", "Mask", "MaskRule", "combine_masks", "mask_cells", "threshold_mask"]

_MOST_POOLED = 1 << 27

Method = Literal["none", "percentile", "otsu", "triangle", "li", "mean_sd", "value"]


class MaskRule(Parameters):
    """Which pixels of a region are kept."""

    method: Method = Field(
        "none",
        description="Threshold: none (all pixels that are not saturated), a percentile, Otsu, triangle, Li, the mean "
        "plus so many standard deviations, or a fixed value.",
    )
    scope: Literal["cell", "cells", "image"] = Field(
        "cell",
        description="Whose pixels make the threshold: each cell's own, all cells' together, or the whole plane's.",
    )
    percentile: float = Field(
        75.0, ge=0, le=100, description="The threshold is this percentile; at 75 the brightest quarter is kept."
    )
    sd: float = Field(2.0, description="With mean_sd: standard deviations above the mean; below it if negative.")
    value: float | None = Field(None, description="With value: the threshold, in the units of the pixels.")
    keep: Literal["above", "below"] = Field(
        "above", description="Keep pixels at or above the threshold, or those below it."
    )
    saturation: str = Field(
        "100%",
        description="Pixels of the original image at or above this are left out: on the scale 0–255 (254), stored "
        "(native:4000) or per cent of the detector's maximum (100%).",
    )
    min_object_px: int = Field(0, ge=0, description="Drop connected parts of fewer pixels (by 4 neighbours).")
    opening: bool = Field(False, description="Open each cell's mask with a cross of 3 × 3 pixels.")

    @field_validator("saturation")
    @classmethod
    def _known_form(cls, text: str) -> str:
        parse_saturation(text)
        return text

    @model_validator(mode="after")
    def _value_given(self) -> MaskRule:
        if (self.method == "value") != (self.value is not None):
            raise ValueError("a fixed threshold needs method value and a value, and no other method takes one")
        return self

    @property
    def found_by(self) -> ThresholdMethod | None:
        """The method that finds a threshold from pixels; None if there is none or it is given."""
        return None if self.method == "none" or self.method == "value" else self.method  # noqa: PLR1714  for mypy

    @property
    def parameter(self) -> float:
        """The number that the method needs."""
        return {"percentile": self.percentile, "mean_sd": self.sd}.get(self.method, 0.0)

    def limit(self, original: Image, channel: str | int) -> float:
        """Return from which stored value on a pixel of the original is saturated."""
        return parse_saturation(self.saturation).native(detector_maximum(original, channel))


@dataclass(frozen=True)
class MaskPixels:
    """One channel of an image, on which thresholds work, with its original, which tells what is saturated.

    Parameters
    ----------
    image, original
        Of one size.
    channel
        Index in both.
    limit
        Stored value from which on a pixel of the original is saturated.
    """

    image: Image
    original: Image
    channel: int
    limit: float

    def read(self, labels: Labels, lead: tuple[int, ...], box: Box) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Return the values in `box` of a plane of the labels, and which of them are valid."""
        place = dict(zip(labels.axes, lead, strict=False))
        t, z = place.get("T", 0), place.get("Z", 0)
        values = self.image.plane(t=t, c=self.channel, z=z, box=box).astype(np.float32)
        stored = self.original.plane(t=t, c=self.channel, z=z, box=box)
        return values, np.isfinite(values) & (stored < self.limit)


def threshold_mask(pixels: MaskPixels, region: Labels, rule: MaskRule, beyond: Labels | None = None) -> Labels:
    """Return the pixels of `region` that `rule` keeps, each with the id that it has there.

    Thresholds are found on the pixels that are not saturated, finite and, but for a whole plane's, in the region.

    Parameters
    ----------
    beyond
        Further pixels with the ids of the region (a ring round the cells) that are sorted out by the same thresholds.

    Raises
    ------
    LimitExceeded
        If a threshold of a whole plane is asked of a plane with too many pixels to sort.
    """
    whole = region if beyond is None else combine_masks(region, beyond, "or")

    def work(lead: tuple[int, ...]) -> Iterator[tuple[Box, NDArray[np.uint32]]]:
        common = _common_threshold(pixels, region, rule, lead)
        for block in PlaneCells(whole, lead, (1.0, 1.0)).blocks():
            part = block.read(whole, lead)
            values, valid = pixels.read(whole, lead, block.box)
            if common is not None:
                valid &= _passes(values, common, rule)
            elif rule.found_by is not None:
                source = part if beyond is None else block.read(region, lead)
                found = cell_thresholds(values, source, valid, rule.found_by, rule.parameter)
                valid &= _passes(values, _spread(found, part), rule)
            yield block.box, clean_part(np.where(valid, part, np.uint32(0)), rule.min_object_px, opening=rule.opening)

    return new_mask(whole, work)


def _passes(values: NDArray[np.float32], threshold: Any, rule: MaskRule) -> NDArray[np.bool_]:
    """Return which pixels are on the side that is kept; none where the threshold is NaN."""
    return np.asarray(values >= threshold if rule.keep == "above" else values < threshold)


def _spread(found: CellThresholds, part: NDArray[np.uint32]) -> NDArray[np.float64]:
    """Return at each pixel the threshold of its cell; NaN where there is none."""
    table = np.append(found.thresholds, np.nan)
    return np.asarray(table[places_of(found.ids, part.ravel())].reshape(part.shape))


def _common_threshold(pixels: MaskPixels, region: Labels, rule: MaskRule, lead: tuple[int, ...]) -> float | None:
    """Return the threshold that holds for a whole plane; None if there is none."""
    if rule.found_by is None or rule.scope == "cell":
        return rule.value
    height, width = region.shape[-2:]
    if height * width > _MOST_POOLED:
        raise LimitExceeded(
            f"A threshold of a whole plane of {height} × {width} pixels needs all of them at once; take each cell's "
            f"own threshold (scope cell), or a fixed value."
        )
    box = Box(0, height, 0, width)
    values, valid = pixels.read(region, lead, box)
    if rule.scope == "cells":
        valid &= np.asarray(region.array[(*lead, *box.slices)]) > 0
    return plane_threshold(values[valid], rule.found_by, rule.parameter)


def combine_masks(first: Labels, second: Labels, operation: Literal["and", "or", "minus"]) -> Labels:
    """Return the pixels of both masks, of either, or of the first alone, with their cells' ids.

    A pixel is in both only if both give it to the same cell. Where either does and they differ, the first wins.

    Raises
    ------
    LabelsError
        If the masks differ in axes or size.
    """
    if first.axes != second.axes or first.shape != second.shape:
        raise LabelsError(
            f"Two masks can be combined only if they are of one size: one is {first.axes} {first.shape}, the other "
            f"{second.axes} {second.shape}."
        )

    def work(lead: tuple[int, ...]) -> Iterator[tuple[Box, NDArray[np.uint32]]]:
        for band in PlaneCells(first, lead, (1.0, 1.0)).bands():
            one, other = (np.asarray(mask.array[(*lead, *band.slices)], np.uint32) for mask in (first, second))
            if operation == "or":
                yield band, np.where(one > 0, one, other)
            else:
                yield band, np.where((one == other) == (operation == "and"), one, np.uint32(0))

    return new_mask(first, work)


def mask_cells(
    image: Image, region: Labels, channel: str | int, *, original: Image | None = None, **rule: Any
) -> Labels:
    """Return the pixels of cells, or of a mask of them, that pass a threshold and are not saturated.

    Parameters
    ----------
    region
        Labels of the cells, or a mask with their ids; of every plane of the image.
    channel
        Name or index of the channel whose pixels decide.
    original
        The image as read, on which saturation is judged, where `image` is corrected.
    **rule
        Fields of `MaskRule`: ``method``, ``scope``, ``percentile``, ``saturation``, ….

    Raises
    ------
    LabelsError, AxesError
        If image and region differ in size, or the region lacks planes.
    UnknownName
        If the channel, or a field, does not exist.
    """
    check_planes(image, region)
    chosen = parse_parameters(MaskRule, rule, where="mask_cells")
    stored = image if original is None else original
    index = image.channel_index(channel)
    return threshold_mask(MaskPixels(image, stored, index, chosen.limit(stored, index)), region, chosen)


class Mask(MaskRule, Step):
    """Make a mask of the pixels of cells, or of regions of them, that pass a threshold and are not saturated."""

    name: ClassVar[str] = "mask"

    channel: str = Field(description="Channel whose pixels decide, by name or index.", coerce_numbers_to_str=True)
    region: str = Field("cells", description="Name of the labels or mask whose pixels are sorted out.")
    beyond: str | None = Field(
        None, description="Name of a mask (a ring, say) of which further pixels are sorted out by the same thresholds."
    )
    made: str = Field("mask", description="Name of the mask that is made.")
    pixels: Literal["corrected", "original"] = Field(
        "corrected", description="Whether thresholds work on corrected pixels or on those as read."
    )

    def detectors_used(self, image: Image) -> tuple[int, ...]:
        """Return the channel whose saturation is judged."""
        return (image.channel_index(self.channel),)

    def __call__(self, sample: Sample, progress: Progress = SILENT) -> Sample:
        """Return the sample with the mask added."""
        original = sample.unprocessed
        image = sample.image if self.pixels == "corrected" else original
        channel = image.channel_index(self.channel)
        region = sample.need_region(self.region)
        check_planes(image, region)
        limit = self.limit(original, channel)
        beyond = None if self.beyond is None else sample.need_region(self.beyond)
        made = threshold_mask(MaskPixels(image, original, channel, limit), region, self, beyond)
        return sample.with_masks({self.made: made}).with_warnings(*self._doubts(region, made))

    def _doubts(self, region: Labels, made: Labels) -> list[str]:
        """Return a sentence if nothing is left of a region."""
        filled = [any_pixel(labels) for labels in (region, made)]
        if filled[0] and not filled[1]:
            return [
                f"The mask {self.made} is empty: no pixel of {self.channel} is unsaturated and passes its threshold."
            ]
        return []


class CombineMasks(Step):
    """Make a mask of the pixels of both of two masks, of either, or of one without the other."""

    name: ClassVar[str] = "combine_masks"

    first: str = Field(description="Name of a mask or of labels.")
    second: str = Field(description="Name of another.")
    operation: Literal["and", "or", "minus"] = Field("and", description="Both, either, or first without second.")
    made: str = Field("mask", description="Name of the mask that is made.")

    def __call__(self, sample: Sample, progress: Progress = SILENT) -> Sample:
        """Return the sample with the mask added."""
        made = combine_masks(sample.need_region(self.first), sample.need_region(self.second), self.operation)
        return sample.with_masks({self.made: made})
