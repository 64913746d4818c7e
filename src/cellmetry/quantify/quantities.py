"""The step `quantify`: area and intensity of every channel in each cell and in masks of it, and their ratios."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from pydantic import Field

from cellmetry.core.progress import SILENT
from cellmetry.core.step import Parameters, Step
from cellmetry.errors import LabelsError, ParameterError
from cellmetry.measure.columns import describe_columns
from cellmetry.measure.names import safe_names
from cellmetry.measure.options import MeasureOptions
from cellmetry.measure.runs import places_of
from cellmetry.measure.step import missing_pixels
from cellmetry.measure.table import measure
from cellmetry.ops.ratio import finite_in_both, masked_image, ratio_image, ratio_name
from cellmetry.quantify.positions import PlaneCells, planes_of_labels

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
    ParameterError
        If the ids of a mask are not those of the cells.
    UnknownName
        If a channel does not exist.
    """
    for name, mask in masks.items():
        _refuse_other_ids(labels, mask, name)
    whole = _measure_region(image, labels, options)
    keys = [name for name in _KEYS if name in whole]
    position = measure(image, labels, _options(options, ("position",), ()))
    centres = [name for name in position if str(name).startswith("centroid_")]
    out = whole[keys].merge(position[[*keys, *centres]], on=keys)
    columns = [*describe_columns(out)]
    regions = {_CELL: whole, **{name: _measure_region(image, mask, options) for name, mask in masks.items()}}
    for prefix, table in regions.items():
        named = table.rename(columns={name: f"{prefix}_{name}" for name in table if name not in keys})
        out = out.merge(named, on=keys, how="left", validate="one_to_one")
        for size in _SIZES:
            if f"{prefix}_{size}" in out:
                out[f"{prefix}_{size}"] = out[f"{prefix}_{size}"].fillna(0).astype(table[size].dtype)
        of_region = describe_columns(table.drop(columns=keys))
        columns += [
            each._replace(name=f"{prefix}_{each.name}", definition=f"Of the {prefix}: {each.definition}")
            for each in of_region
        ]
    out.attrs["columns"] = tuple(columns)
    return out


def _refuse_other_ids(labels: Labels, mask: Labels, name: str) -> None:
    """Refuse a mask whose ids are not those of the cells, as labels of nuclei that were found by themselves have."""
    if name == _CELL:
        raise ParameterError(f"A mask cannot be named {_CELL!r}, which stands for the whole cell; rename it.")
    if (mask.axes, mask.shape) != (labels.axes, labels.shape):
        raise LabelsError(
            f"The mask {name!r} is {mask.axes} {mask.shape}, the cells {labels.axes} {labels.shape}; let them be alike."
        )
    own = other = strangers = 0
    for lead in planes_of_labels(labels):
        cells = PlaneCells(labels, lead, (1.0, 1.0))
        for band in cells.bands():
            part, here = np.asarray(mask.array[(*lead, *band.slices)]), cells.read(band)
            strangers += int(np.count_nonzero((places_of(cells.ids, part.ravel()) < 0) & (part.ravel() > 0)))
            inside = (part > 0) & (here > 0)
            own += int(np.count_nonzero(inside & (part == here)))
            other += int(np.count_nonzero(inside & (part != here)))
    if strangers or other > own:
        raise ParameterError(
            f"The mask {name!r} has other ids than the cells ({strangers} of its pixels have an id that no cell has, "
            f"{other} lie in another cell than they say); a mask gives each pixel the id of its cell. Nuclei that were "
            f"found by themselves are measured with their cells by the step measure_nested."
        )


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
    for pair in options.ratios:
        name = ratio_name(*_channel_names(image, pair))
        if options.rule != "mean_of_ratios":
            above, below = _means(image, region, options, table, pair)
            if options.smoothing is None:
                out[f"ratio_of_means_{name}"] = above / below.where(below > 0)
            else:
                out[f"ratio_of_smoothed_means_{name}"] = (above + options.smoothing) / (below + options.smoothing)
        if options.rule != "ratio_of_means":
            out |= _pixel_ratios(image, region, options, pair)
    return out


def _pixel_ratios(
    image: Image, region: Labels, options: QuantifyOptions, pair: tuple[str, str]
) -> dict[str, pd.Series]:
    """Return mean and standard deviation of each pixel's ratio."""
    name = ratio_name(*_channel_names(image, pair))
    quotients = ratio_image(image, [pair], epsilon=options.smoothing)
    found = measure(quotients, region, _options(options, ("size", "intensity"), None))
    kind = "ratios" if options.smoothing is None else "smoothed_ratios"
    column = safe_names(quotients.channel_names)[0]
    out = {f"mean_of_{kind}_{name}": found[f"mean_{column}"], f"std_of_{kind}_{name}": found[f"std_{column}"]}
    if options.smoothing is None:
        size = found["area_px" if "area_px" in found else "volume_px"]
        out[f"ratio_px_{name}"] = size - found.get(f"nan_px_{column}", 0)
    return out


def _means(
    image: Image, region: Labels, options: QuantifyOptions, table: pd.DataFrame, pair: tuple[str, str]
) -> list[pd.Series]:
    """Return the means of two channels in each region over the same pixels: those that are finite in both."""
    names = _channel_names(image, pair)
    in_table = all(f"mean_{name}" in table for name in names)
    if not in_table or any(f"nan_px_{name}" in table for name in names):
        both = finite_in_both(image, pair)
        table = measure(both, region, _options(options, ("intensity",), None))
        names = safe_names(both.channel_names)
    return [table[f"mean_{name}"] for name in names]


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
        sample = sample.with_table(self.table, made).with_warnings(*missing_pixels(_of_cells(made)))
        if self.ratio_map is None or not self.ratios:
            return sample
        quotients = ratio_image(sample.image, self.ratios[:1], epsilon=self.smoothing)
        return sample.with_maps({self.ratio_map: masked_image(quotients, sample.need_region(self.ratio_mask))})


def _of_cells(table: pd.DataFrame) -> pd.DataFrame:
    """Return the columns of whole cells under their plain names."""
    return table.rename(columns=lambda name: str(name).removeprefix(f"{_CELL}_"))
