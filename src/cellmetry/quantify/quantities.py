"""The step `quantify`: area and intensity of every channel in each cell and in masks of it, and their ratios."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from cellmetry.core.progress import SILENT
from cellmetry.core.step import Parameters, Step
from cellmetry.measure.names import safe_names
from cellmetry.measure.options import MeasureOptions
from cellmetry.measure.step import missing_pixels
from cellmetry.measure.table import measure
from cellmetry.ops.ratio import masked_image, ratio_image, ratio_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from cellmetry.core.image import Image
    from cellmetry.core.labels import Labels
    from cellmetry.core.progress import Progress
    from cellmetry.core.sample import Sample

__all__ = ["Quantify", "QuantifyOptions", "quantify_cells"]

_KEYS = ("label", "t", "z")
_SIZES = ("area_px", "area_um2", "volume_px", "volume_um3")
_CELL = "cell"
Statistic = Literal["sum", "mean", "std", "median", "min", "max", "sample_std"]


class QuantifyOptions(Parameters):
    """What is measured in cells and masks, and how ratios are made."""

    channels: tuple[str | int, ...] | None = Field(None, description="Channels to measure; all of them if left out.")
    statistics: tuple[Statistic, ...] = Field(
        ("sum", "mean", "std", "median"), description="What is worked out of each channel."
    )
    ratios: tuple[tuple[str, str], ...] = Field(
        (), description="Pairs of channels, as in [['target', 'reference']]: the first over the second."
    )
    rule: Literal["ratio_of_means", "mean_of_ratios", "epsilon_smoothed"] = Field(
        "ratio_of_means",
        description="Mean over mean; mean of each pixel's ratio where the second channel is above 0; or the mean of "
        "ratios, and the ratio of means, with epsilon added to both channels.",
    )
    epsilon: float = Field(1e-6, gt=0, description="With epsilon_smoothed: what is added, in units of the pixels.")
    volume: bool | None = Field(
        None,
        description="Measure labels with a Z axis as volumes, or plane by plane (false); as they say if left out.",
    )

    @property
    def smoothing(self) -> float | None:
        """What is added to both channels of a ratio; None if nothing."""
        return self.epsilon if self.rule == "epsilon_smoothed" else None


def quantify_cells(image: Image, labels: Labels, masks: dict[str, Labels], options: QuantifyOptions) -> pd.DataFrame:
    """Return one row for each cell: its own measurements (``cell_…``) and those of its part of each mask (``MASK_…``).

    A cell of which a mask holds nothing has an area of 0 there and no intensities.

    Parameters
    ----------
    masks
        Label images with the ids of the cells, by name.

    Raises
    ------
    LabelsError
        If labels, masks and image differ in size.
    UnknownName
        If a channel does not exist.
    """
    whole = _measure_region(image, labels, options)
    keys = [name for name in _KEYS if name in whole]
    position = measure(image, labels, _options(options, ("position",), ()))
    centres = [name for name in position if str(name).startswith("centroid_")]
    out = whole[keys].merge(position[[*keys, *centres]], on=keys)
    regions = {_CELL: whole, **{name: _measure_region(image, mask, options) for name, mask in masks.items()}}
    for prefix, table in regions.items():
        named = table.rename(columns={name: f"{prefix}_{name}" for name in table if name not in keys})
        out = out.merge(named, on=keys, how="left", validate="one_to_one")
        for size in _SIZES:
            if f"{prefix}_{size}" in out:
                out[f"{prefix}_{size}"] = out[f"{prefix}_{size}"].fillna(0).astype(table[size].dtype)
    return out


def _options(options: QuantifyOptions, features: Sequence[str], channels: Sequence[str | int] | None) -> MeasureOptions:
    return MeasureOptions(features=tuple(features), channels=channels, percentiles=(), volume=options.volume)


def _measure_region(image: Image, region: Labels, options: QuantifyOptions) -> pd.DataFrame:
    """Return label, sizes, the chosen statistics of each channel, and ratios, of the pixels with each id."""
    sorted_ones = {"median", "sample_std"} & set(options.statistics)
    groups = ("size", "intensity", *(["distribution"] if sorted_ones else []))
    table = measure(image, region, _options(options, groups, options.channels))
    names = _channel_names(image, options.channels)
    wanted = [f"{statistic}_{name}" for name in names for statistic in (*options.statistics, "nan_px")]
    ratios = _ratios(image, region, options, table)
    out = table[[name for name in (*_KEYS, *_SIZES, *wanted) if name in table]].copy()
    return out.assign(**ratios)


def _channel_names(image: Image, channels: Sequence[str | int] | None) -> list[str]:
    names = safe_names(image.channel_names)
    return names if channels is None else [names[image.channel_index(channel)] for channel in channels]


def _ratios(image: Image, region: Labels, options: QuantifyOptions, table: pd.DataFrame) -> dict[str, pd.Series]:
    """Return the columns of the ratios by the rule of the options."""
    out: dict[str, pd.Series] = {}
    for above, below in options.ratios:
        name = ratio_name(*_channel_names(image, (above, below)))
        means = [_mean(image, region, options, table, channel) for channel in (above, below)]
        if options.rule == "ratio_of_means":
            out[f"ratio_of_means_{name}"] = means[0] / means[1].where(means[1] > 0)
            continue
        smoothed = options.smoothing is not None
        if smoothed:
            out[f"ratio_of_smoothed_means_{name}"] = (means[0] + options.epsilon) / (means[1] + options.epsilon)
        quotients = ratio_image(image, [(above, below)], epsilon=options.smoothing)
        found = measure(quotients, region, _options(options, ("size", "intensity"), None))
        kind = "smoothed_ratios" if smoothed else "ratios"
        column = safe_names(quotients.channel_names)[0]
        out[f"mean_of_{kind}_{name}"], out[f"std_of_{kind}_{name}"] = found[f"mean_{column}"], found[f"std_{column}"]
        if not smoothed:
            size = found["area_px" if "area_px" in found else "volume_px"]
            out[f"ratio_px_{name}"] = size - found.get(f"nan_px_{column}", 0)
    return out


def _mean(image: Image, region: Labels, options: QuantifyOptions, table: pd.DataFrame, channel: str | int) -> pd.Series:
    """Return the mean of a channel in each region, from the table where it was measured."""
    column = f"mean_{_channel_names(image, (channel,))[0]}"
    if column in table:
        return table[column]
    return measure(image, region, _options(options, ("intensity",), (channel,)))[column]


class Quantify(QuantifyOptions, Step):
    """Measure every channel in each cell and in masks of it, with ratios of channels, as one row a cell."""

    name: ClassVar[str] = "quantify"

    labels: str = Field("cells", description="Name of the labels of the cells.")
    masks: tuple[str, ...] = Field((), description="Names of masks, or labels with the cells' ids, to measure as well.")
    table: str = Field("cells", description="Name of the table that is made.")
    ratio_map: str | None = Field(
        None,
        description="Name under which an image of each pixel's ratio, of the first pair, is kept; none if left out.",
    )
    ratio_mask: str = Field("cells", description="Name of the mask or labels within which that image is defined.")

    def __call__(self, sample: Sample, progress: Progress = SILENT) -> Sample:
        """Return the sample with the table, and the ratio image if one is wanted, added."""
        masks = {name: sample.need_region(name) for name in self.masks}
        made = quantify_cells(sample.image, sample.need_labels(self.labels), masks, self)
        sample = sample.with_table(self.table, made).with_warnings(*missing_pixels(made))
        if self.ratio_map is None or not self.ratios:
            return sample
        quotients = ratio_image(sample.image, self.ratios[:1], epsilon=self.smoothing)
        return sample.with_maps({self.ratio_map: masked_image(quotients, sample.need_region(self.ratio_mask))})
