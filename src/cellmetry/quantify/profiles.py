"""The step `profile`: intensity from the centre of each cell outwards."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple

import numpy as np
import pandas as pd
from pydantic import Field, model_validator

from cellmetry.core.columns import Column
from cellmetry.core.progress import SILENT
from cellmetry.core.step import Parameters, Step
from cellmetry.errors import ParameterError
from cellmetry.measure.names import safe_names
from cellmetry.measure.profiles import (
    Profiles,
    Windows,
    accumulate_profiles,
    merge_profiles,
    pool_profiles,
    sliding_windows,
)
from cellmetry.measure.smoothing import check_smoothing, smooth_profiles
from cellmetry.ops.distance import sides_of
from cellmetry.ops.quotient import quotient
from cellmetry.ops.radial import sure_positions
from cellmetry.ops.ratio import ratio_name
from cellmetry.quantify.positions import PlaneCells, check_planes, planes_of_labels
from cellmetry.stats.profile_means import average_profiles, describe_means

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from cellmetry.core.image import Box, Image
    from cellmetry.core.labels import Labels
    from cellmetry.core.progress import Progress
    from cellmetry.core.sample import Sample

__all__ = ["SUFFIX", "Profile", "ProfileOptions", "ProfileTables", "profile_cells"]

SUFFIX = {"percent": "pct", "px": "px", "um": "um"}
"""What columns in a unit end in."""
_OURS = "Cellmetry"
_UNIT_WORDS = {
    "percent": "per cent of the way from the cell's deepest pixel (0) to its boundary (100)",
    "px": "pixels from the cell's boundary, negative inside",
    "um": "µm from the cell's boundary, negative inside",
}


class ProfileOptions(Parameters):
    """Along what, and in what windows, the profile of a cell is taken."""

    channels: tuple[str | int, ...] | None = Field(None, description="Channels of the profile; all if left out.")
    ratio: tuple[str, str] | None = Field(
        None, description="Two channels whose ratio, of the means in each window, is worked out as well."
    )
    unit: Literal["percent", "px", "um"] = Field(
        "percent", description="Per cent of the way from centre to boundary, or distance from the boundary."
    )
    start: float = Field(0.0, description="Where the first window begins.")
    end: float = Field(150.0, description="Where the last window ends at the latest.")
    window: float = Field(5.0, gt=0, description="Width of a window.")
    stride: float = Field(1.0, gt=0, description="From the start of one window to that of the next.")
    smooth_window: int = Field(
        5, ge=0, description="Savitzky–Golay smoothing: windows taken together, an odd number; 0 for none."
    )
    smooth_order: int = Field(
        2, ge=0, description="Order of the polynomial of the smoothing, at most smooth_window - 2."
    )

    @model_validator(mode="after")
    def _windows_fit(self) -> ProfileOptions:
        check_smoothing(self.smooth_window, self.smooth_order)
        if self.unit == "percent" and self.start < 0:
            raise ValueError(f"a profile in per cent starts at 0, the centre, or above, not at {self.start:g}")
        if self.start + self.window > self.end:
            raise ValueError(f"a window of {self.window:g} does not fit between {self.start:g} and {self.end:g}")
        return self

    @property
    def windows(self) -> Windows:
        """The windows; a pixel at the end of one belongs to the next."""
        return sliding_windows(self.start, self.end, self.window, self.stride)._replace(closed=False)


class ProfileTables(NamedTuple):
    """Profiles as tables: one row a cell and window; one row a window for all cells; and the cells' smoothed."""

    cells: pd.DataFrame
    pooled: pd.DataFrame
    smoothed: pd.DataFrame


def profile_cells(
    image: Image, labels: Labels, options: ProfileOptions, *, kept: pd.DataFrame | None = None
) -> ProfileTables:
    """Return the profiles of all cells, plane by plane.

    Pixels outside count to the nearest cell; what the image's border leaves unsure counts nowhere, and so do pixels
    that are not finite. In per cent, cells that meet the border have no profile: their depth is unknown. Standard
    errors of a cell take its pixels as independent, which neighbouring ones are not: they tell how well the mean of
    this cell is known from its pixels, nothing about other cells.

    Parameters
    ----------
    kept
        Table of the cells to profile (``label``, ``t``, ``z``); all if None. The others are still cells: pixels near
        them are theirs.

    Raises
    ------
    PixelSizeNeeded
        If distances are in µm and the pixel size is unknown.
    UnknownName
        If a channel does not exist.
    """
    check_planes(image, labels)
    names = safe_names(image.channel_names)
    chosen = range(len(names)) if options.channels is None else [image.channel_index(c) for c in options.channels]
    channels = {names[index]: index for index in chosen}
    ratio = None if options.ratio is None else tuple(names[image.channel_index(c)] for c in options.ratio)
    if ratio is not None and not set(ratio) <= set(channels):
        raise ParameterError(f"The ratio {ratio_name(*ratio)} needs both channels in the profile; add them.")
    pair = None if ratio is None else (channels[ratio[0]], channels[ratio[1]])
    sides = sides_of(labels.pixel_size, um=options.unit == "um", what="The profile")
    cells, pooled, smoothed = [], [], []
    for lead in planes_of_labels(labels):
        place = dict(zip(labels.axes.lower(), lead, strict=False))
        plane = PlaneCells(labels, lead, sides)
        ids = plane.ids if kept is None else _ids_in(kept, place)
        found = _profile_plane(image, plane, _Pixels(list(channels.values()), pair, ids), options)
        writer = _Writer(options, tuple(channels), ratio, place)
        cells.append(writer.cells(found))
        pooled.append(writer.pooled(found))
        smoothed.append(writer.smoothed(found))
    columns = _describe(options, tuple(channels), ratio)
    return ProfileTables(*(_joined(tables, columns) for tables in (cells, pooled, smoothed)))


def _joined(tables: Sequence[pd.DataFrame], columns: dict[str, Column]) -> pd.DataFrame:
    table = pd.concat(tables, ignore_index=True)
    table.attrs["columns"] = tuple(columns[name] for name in table.columns)
    return table


def _ids_in(kept: pd.DataFrame, place: dict[str, int]) -> NDArray[np.uint32]:
    """Return the ids of a table's cells in one plane, rising."""
    for axis, index in place.items():
        kept = kept[kept[axis] == index] if axis in kept else kept
    return np.sort(kept["label"].to_numpy().astype(np.uint32))


class _Pixels(NamedTuple):
    """Which channels of which cells are profiled, and the two of a ratio, whose means are of pixels finite in both."""

    channels: list[int]
    pair: tuple[int, int] | None
    ids: NDArray[np.uint32]

    def read(self, image: Image, place: tuple[int, int], box: Box) -> list[NDArray[Any]]:
        """Return the channels in `box` of a plane, and of fractional images, behind them, the two of the ratio."""
        t, z = place
        values = [np.asarray(image.plane(t=t, c=c, z=z, box=box)) for c in self.channels]
        if self.pair is None or image.dtype.kind != "f":
            return values
        first, second = (values[self.channels.index(c)] for c in self.pair)
        finite = np.isfinite(first) & np.isfinite(second)
        return [*values, np.where(finite, first, np.nan), np.where(finite, second, np.nan)]


def _profile_plane(image: Image, plane: PlaneCells, pixels: _Pixels, options: ProfileOptions) -> Profiles:
    windows = options.windows
    percent = options.unit == "percent"
    depths = plane.depths if percent else plane.no_depths
    reach = (windows.ends.max() / 100 - 1) * depths.length.max(initial=0) if percent else windows.ends.max()
    place = dict(zip(plane.labels.axes, plane.lead, strict=False))
    t, z = place.get("T", 0), place.get("Z", 0)
    total: Profiles | None = None
    for part in plane.parts(max(0.0, float(reach))):
        values = pixels.read(image, (t, z), part.box)
        at = sure_positions(tuple(part.positions), part.index, tuple(depths))
        found = accumulate_profiles(part.positions.owner, at, windows, values, ids=pixels.ids)
        total = found if total is None else merge_profiles(total, found)
    if total is None:
        raise ParameterError(f"{image.name} has no pixels to profile.")
    return total


@dataclass(frozen=True)
class _Writer:
    """Profiles of one plane as rows of tables."""

    options: ProfileOptions
    channels: tuple[str, ...]
    ratio: tuple[str, ...] | None
    place: dict[str, int]

    def _frame(self, found: Profiles) -> pd.DataFrame:
        windows, unit = self.options.windows, SUFFIX[self.options.unit]
        count, width = len(found.ids), len(windows.starts)
        frame = {"label": np.repeat(found.ids.astype(np.int64), width)}
        frame |= {axis: np.full(count * width, index) for axis, index in self.place.items()}
        frame |= {
            f"start_{unit}": np.tile(windows.starts, count),
            f"end_{unit}": np.tile(windows.ends, count),
            f"center_{unit}": np.tile(windows.centres, count),
            "count_px": found.pixels.ravel(),
        }
        return pd.DataFrame(frame)

    def _ratio(self, means: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the ratio of the means; NaN where the lower one is not above 0."""
        if len(means) > len(self.channels):
            above, below = means[-2:]
        else:
            above, below = (means[self.channels.index(name)] for name in self.ratio or ())
        return quotient(above, below)

    def cells(self, found: Profiles) -> pd.DataFrame:
        """Return one row for each cell and window."""
        frame = self._frame(found)
        for index, name in enumerate(self.channels):
            frame[f"mean_{name}"] = found.means[index].ravel()
            frame[f"std_{name}"], frame[f"sem_{name}"] = found.std[index].ravel(), found.sem[index].ravel()
        if self.ratio:
            frame[f"ratio_{ratio_name(*self.ratio)}"] = self._ratio(found.means).ravel()
        return frame

    def smoothed(self, found: Profiles) -> pd.DataFrame:
        """Return the same means smoothed along each cell's profile, and the ratio of the smoothed means.

        Windows without a mean stay without one, though the smoothing of others looks across them.
        """
        frame = self._frame(found)
        smooth = smooth_profiles(found.means, self.options.smooth_window, self.options.smooth_order)
        smooth = np.where(np.isfinite(found.means), smooth, np.nan)
        for index, name in enumerate(self.channels):
            frame[f"mean_{name}"] = smooth[index].ravel()
        if self.ratio:
            frame[f"ratio_{ratio_name(*self.ratio)}"] = self._ratio(smooth).ravel()
        return frame

    def pooled(self, found: Profiles) -> pd.DataFrame:
        """Return one row for each window: all cells' pixels together, and the mean and its error over cells."""
        together = pool_profiles(found)
        frame = self._frame(together).drop(columns="label")
        frame["count_cells"] = (found.pixels > 0).sum(axis=0)
        for index, name in enumerate(self.channels):
            frame[f"mean_{name}"], frame[f"std_{name}"] = together.means[index, 0], together.std[index, 0]
        if self.ratio:
            frame[f"ratio_{ratio_name(*self.ratio)}"] = self._ratio(together.means)[0]
        return frame.join(self._over_cells(found), on=f"center_{SUFFIX[self.options.unit]}")

    def _over_cells(self, found: Profiles) -> pd.DataFrame:
        """Return mean and standard error over cells by the centre of the window; no row where no cell is."""
        center, series = f"center_{SUFFIX[self.options.unit]}", _series(self.channels, self.ratio)
        columns = {center: np.tile(self.options.windows.centres, len(found.ids))}
        columns |= {f"mean_{name}": found.means[index].ravel() for index, name in enumerate(self.channels)}
        if self.ratio:
            columns[f"ratio_{ratio_name(*self.ratio)}"] = self._ratio(found.means).ravel()
        means = average_profiles(pd.DataFrame(columns), series, SUFFIX[self.options.unit])
        return means.set_index(center).drop(columns=[f"n_cells_{name}" for name in series])


def _series(channels: Sequence[str], ratio: tuple[str, ...] | None) -> dict[str, str]:
    """Return, by the name that the means over cells have, the column of the cells' means of each channel and ratio."""
    names = {name: f"mean_{name}" for name in channels}
    return names if ratio is None else {**names, (column := f"ratio_{ratio_name(*ratio)}"): column}


def _describe(options: ProfileOptions, channels: Sequence[str], ratio: tuple[str, ...] | None) -> dict[str, Column]:
    unit, words = SUFFIX[options.unit], _UNIT_WORDS[options.unit]
    columns = [
        Column("label", "1", "Id of the cell.", _OURS),
        Column("t", "1", "Frame, from 0.", _OURS),
        Column("z", "1", "Z plane, from 0.", _OURS),
        Column(f"start_{unit}", unit, f"Where the window begins, in {words}.", _OURS),
        Column(f"end_{unit}", unit, "Where it ends; a pixel exactly there counts to the next.", _OURS),
        Column(f"center_{unit}", unit, "Middle of the window.", _OURS),
        Column("count_px", "px", "Pixels in the window.", _OURS),
        Column("count_cells", "1", "Cells that have pixels in the window.", _OURS),
    ]
    for name in channels:
        columns += [
            Column(f"mean_{name}", "intensity", f"Mean of the window's pixels in channel {name}.", _OURS),
            Column(f"std_{name}", "intensity", "Their standard deviation, divided by n - 1.", _OURS),
            Column(f"sem_{name}", "intensity", "Standard error of that mean, pixels taken as independent.", _OURS),
        ]
    if ratio:
        name = ratio_name(*ratio)
        columns += [
            Column(
                f"ratio_{name}", "1", "Ratio of the two channels' means; missing unless the second is above 0.", _OURS
            ),
        ]
    for name, column in _series(channels, ratio).items():
        columns += describe_means(name, column)
    return {column.name: column for column in columns}


class Profile(ProfileOptions, Step):
    """Work out how bright each cell is from its centre outwards, in sliding windows, in every channel."""

    name: ClassVar[str] = "profile"

    labels: str = Field("cells", description="Name of the labels of the cells.")
    tables: str = Field("radial_profile", description="What the names of the tables begin with.")
    only_in: str | None = Field(
        None, description="Name of a table; cells that are not in it, since they were filtered out, have no profile."
    )

    def __call__(self, sample: Sample, progress: Progress = SILENT) -> Sample:
        """Return the sample with the tables PREFIX_cells, PREFIX_pooled and PREFIX_smoothed added."""
        labels = sample.need_labels(self.labels)
        if not labels.pixel_size.known:
            labels = replace(labels, pixel_size=sample.image.pixel_size)
        kept = None if self.only_in is None else sample.need_table(self.only_in)
        made = profile_cells(sample.image, labels, self, kept=kept)
        sample = sample.with_warnings(*_without_profile(labels, self))
        for name, table in zip(ProfileTables._fields, made, strict=True):
            sample = sample.with_table(f"{self.tables}_{name}", table)
        return sample


def _without_profile(labels: Labels, options: ProfileOptions) -> list[str]:
    """Return a sentence about the cells whose depth is unknown, where that matters."""
    if options.unit != "percent":
        return []
    planes = [PlaneCells(labels, lead, (1.0, 1.0)) for lead in planes_of_labels(labels)]
    cut, count = sum(int(plane.cut.sum()) for plane in planes), sum(plane.ids.size for plane in planes)
    if not cut:
        return []
    return [
        f"{cut} of {count} cells meet the image's border, so their depth is unknown and they have no profile in per "
        f"cent; a profile in µm or px has them."
    ]
