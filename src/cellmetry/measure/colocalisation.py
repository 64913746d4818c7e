"""Colocalisation of two channels in each object: how their pixels vary together and lie in the same places.

Bolte & Cordelières (2006), doi:10.1111/j.1365-2818.2006.01706.x, compare the coefficients.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from cellmetry.core.columns import Column
from cellmetry.core.progress import SILENT
from cellmetry.core.step import Step
from cellmetry.errors import LabelsError
from cellmetry.measure.blocks import blocks_of, empty_block, find_objects, rows_of_block
from cellmetry.measure.columns import describe_columns
from cellmetry.measure.fields import fields_of
from cellmetry.measure.options import StackOptions
from cellmetry.measure.pair_statistics import PairRule, pair_statistics
from cellmetry.measure.pair_thresholds import background_threshold, costes_thresholds, otsu_threshold
from cellmetry.measure.pair_values import ChannelPair, sampled_pair
from cellmetry.measure.table import concatenate_columns, stack_fields
from cellmetry.ops.saturation import detector_maximum, parse_saturation

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from cellmetry.core.image import Image
    from cellmetry.core.labels import Labels
    from cellmetry.core.progress import Progress
    from cellmetry.core.sample import Sample
    from cellmetry.measure.blocks import Block
    from cellmetry.measure.fields import Field as Plane

__all__ = ["COLOCALISATION_COLUMNS", "ColocalisationOptions", "Colocalise", "colocalisation"]

_OURS, _MANDERS = "Cellmetry", "Manders 1993"

COLOCALISATION_COLUMNS: tuple[Column, ...] = (
    Column("used_px", "px", "Pixels that all coefficients rest on.", _OURS),
    Column("saturated_px", "px", "Pixels left out because a channel is saturated there.", _OURS),
    Column("nan_px", "px", "Pixels left out because a channel is not finite there.", _OURS),
    Column("pearson", "1", "Pearson's r of the two intensities; missing where a channel is constant.", "Pearson 1896"),
    Column("spearman", "1", "Pearson's r of the ranks; missing where a channel is constant.", "Spearman 1904"),
    Column("li_icq", "1", "Share of pixels that deviate from both means alike, less 0.5.", "Li 2004"),
    Column("manders_overlap", "1", "Σ ab / √(Σ a² Σ b²).", _MANDERS),
    Column("manders_k1", "1", "Σ ab / Σ a².", _MANDERS),
    Column("manders_k2", "1", "Σ ab / Σ b².", _MANDERS),
    Column("threshold_first", "intensity", "The first channel is above its threshold beyond this value.", _OURS),
    Column("threshold_second", "intensity", "The second channel is above its threshold beyond this value.", _OURS),
    Column("manders_m1", "1", "Σ a where both channels are above / Σ a where the first is.", _MANDERS),
    Column("manders_m2", "1", "Σ b where both channels are above / Σ b where the second is.", _MANDERS),
    Column("intersection_1", "1", "Pixels where both channels are above, over those where the first is.", _OURS),
    Column("intersection_2", "1", "Pixels where both channels are above, over those where the second is.", _OURS),
)
"""Columns of the table, beside ``label`` and, where there are such axes, ``t`` and ``z``."""


class ColocalisationOptions(StackOptions):
    """Which two channels are compared, and what counts as signal and as saturated."""

    first: str | int = 0
    """Name or index of the first channel."""
    second: str | int = 1
    """Name or index of the second channel."""
    threshold: Literal["value", "otsu", "costes", "background"] = "otsu"
    """Above what a channel has signal, for Manders' M1 and M2: the two values given, Otsu's threshold, Costes' pair, or
    a limit above the background."""
    per: Literal["cell", "image"] = "cell"
    """Whether otsu and costes look at the pixels of each cell, or at those of all cells of a plane together."""
    first_threshold: float | None = None
    """Threshold of the first channel, in its own intensities; with threshold=value."""
    second_threshold: float | None = None
    """Threshold of the second channel, in its own intensities; with threshold=value."""
    background_sd: float = Field(default=3.0, ge=0)
    """How many robust SDs (1.4826 MAD) above the background's median the threshold lies; with threshold=background."""
    spearman: bool = True
    """Whether ranks are correlated as well."""
    saturation: str = "100%"
    """Pixels at or above this in either channel, as the detector gave it, are left out: 254 (of 255), native:4000 (as
    stored) or 99% (of the detector's maximum); none: no pixel is left out."""

    @model_validator(mode="after")
    def _values_are_given(self) -> Self:
        given = [value is not None for value in (self.first_threshold, self.second_threshold)]
        if self.threshold == "value" and not all(given):
            raise ValueError("threshold=value needs first_threshold and second_threshold")
        if self.threshold != "value" and any(given):
            raise ValueError(f"first_threshold and second_threshold go with threshold=value, not {self.threshold}")
        return self


def colocalisation(
    image: Image,
    regions: Labels,
    options: ColocalisationOptions,
    *,
    original: Image | None = None,
    outside: Labels | None = None,
    progress: Progress = SILENT,
) -> pd.DataFrame:
    """Return how two channels go together in each object, one row each; `COLOCALISATION_COLUMNS` says what is there.

    Parameters
    ----------
    regions
        Objects of the same T, Y and X as the image: cells, or the parts of cells in a mask.
    original
        The image as the detector gave it, for saturation; `image` itself if left out.
    outside
        Labels outside of which is background, for ``threshold="background"``; the regions if left out.

    Raises
    ------
    UnknownName
        If a channel does not exist.
    LabelsError
        If labels and image differ in size.
    """
    planes = fields_of(image, regions, options)
    around = planes if outside is None else fields_of(image, outside, options)
    if len(around) != len(planes):
        raise LabelsError(
            f"The labels that bound the background have {len(around)} planes or volumes to measure, the regions have "
            f"{len(planes)}; they must have the same axes."
        )
    pairs = _pairs(planes, image if original is None else original, options)
    rows = rows_of_block(planes[0])
    progress.start("colocalise", len(planes) * -(-image.sizes["Y"] // rows))
    parts = []
    for pair, beyond in zip(pairs, around, strict=True):
        parts.append(_in_field(pair, _rule(pair, beyond, options), rows, progress))
    table = stack_fields(parts, planes)
    table.attrs["columns"] = _described(table, image, options)
    return table


def _pairs(planes: Sequence[Plane], original: Image, options: ColocalisationOptions) -> list[ChannelPair]:
    image = planes[0].image
    channels = image.channel_index(options.first), image.channel_index(options.second)
    if options.saturation == "none":
        return [ChannelPair(plane, channels) for plane in planes]
    limit = parse_saturation(options.saturation)
    first, second = (limit.native(detector_maximum(original, channel)) for channel in channels)
    return [ChannelPair(plane, channels, _as_detected(plane, original), (first, second)) for plane in planes]


def _as_detected(plane: Plane, original: Image) -> Plane:
    """Return the plane of the original; of projected planes the maximum, which shows all saturation."""
    return replace(plane, image=original, project=None if plane.project is None else "max")


def _rule(pair: ChannelPair, around: Plane, options: ColocalisationOptions) -> PairRule:
    """Return the thresholds that hold for all objects of a field, or that each has its own."""
    first, second = np.nan, np.nan
    if options.first_threshold is not None and options.second_threshold is not None:
        first, second = options.first_threshold, options.second_threshold
    elif options.threshold == "background":
        values = sampled_pair(pair, around, inside=False)
        first, second = (background_threshold(channel, options.background_sd) for channel in values)
    elif options.per == "cell":
        return PairRule(options.threshold, first, second, options.spearman)
    elif options.threshold == "otsu":
        first, second = map(otsu_threshold, sampled_pair(pair, pair.field, inside=True))
    else:
        first, second = costes_thresholds(*sampled_pair(pair, pair.field, inside=True))
    return PairRule(None, first, second, options.spearman)


def _in_field(pair: ChannelPair, rule: PairRule, rows: int, progress: Progress) -> dict[str, NDArray[Any]]:
    objects = find_objects(pair.field, rows, progress)
    blocks = blocks_of(pair.field, objects, rows) if len(objects.ids) else iter([empty_block(pair.field)])
    columns = concatenate_columns([_in_block(block, pair, rule) for block in blocks])
    order = np.argsort(columns["label"], kind="stable")
    return {name: values[order] for name, values in columns.items()}


def _in_block(block: Block, pair: ChannelPair, rule: PairRule) -> dict[str, NDArray[Any]]:
    return {"label": block.objects.ids.astype(np.int64), **pair_statistics(block, pair.read(block.box), rule)}


def _described(table: pd.DataFrame, image: Image, options: ColocalisationOptions) -> tuple[Column, ...]:
    """Return the description of each column, with the names of the channels and the kind of threshold."""
    first, second = (image.channel_names[image.channel_index(name)] for name in (options.first, options.second))
    pair = f"First channel (a) {first}, second (b) {second}."
    way = f"Threshold: {options.threshold}" + (
        f" per {options.per}." if options.threshold in ("otsu", "costes") else "."
    )
    own = {column.name: column for column in COLOCALISATION_COLUMNS}
    threshold = ("threshold", "manders_m", "intersection")
    described = list(describe_columns(table[[name for name in ("label", "t", "z") if name in table]]))
    for name in (name for name in map(str, table) if name in own):
        words = f"{own[name].definition} {pair}" + (f" {way}" if name.startswith(threshold) else "")
        described.append(own[name]._replace(definition=words))
    return tuple(described)


class Colocalise(ColocalisationOptions, Step):
    """Compare two channels in each cell, or in a mask inside the cells, and keep the table."""

    name: ClassVar[str] = "colocalise"

    region: str = "cells"
    """Name of the mask or labels in which pixels are compared."""
    outside: str = "cells"
    """Name of the labels outside of which is background; with threshold=background."""
    table: str = "colocalisation"
    """Name of the table that is made."""

    def detectors_used(self, image: Image) -> tuple[int, ...]:
        """Return the channels whose saturation is judged."""
        return () if self.saturation == "none" else tuple(map(image.channel_index, (self.first, self.second)))

    def __call__(self, sample: Sample, progress: Progress = SILENT) -> Sample:
        """Return the sample with the table added."""
        made = colocalisation(
            sample.image,
            sample.need_region(self.region),
            self,
            original=sample.unprocessed,
            outside=sample.need_labels(self.outside) if self.threshold == "background" else None,
            progress=progress,
        )
        return sample.with_table(self.table, made)
