"""Spots in cells: found plane by plane, measured against the ground around them, and counted for each cell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, Self

import numpy as np
from pydantic import Field, model_validator

from cellmetry.core.columns import Column
from cellmetry.core.progress import SILENT
from cellmetry.core.step import Step
from cellmetry.errors import ParameterError, PixelSizeNeeded
from cellmetry.measure.added import add_columns
from cellmetry.measure.fields import fields_of
from cellmetry.measure.options import StackOptions
from cellmetry.measure.spot_intensity import SpotShape, spot_intensity
from cellmetry.measure.spot_planes import SpotPlane
from cellmetry.measure.table import concatenate_columns, stack_fields
from cellmetry.ops.quotient import quotient
from cellmetry.ops.spots import local_maxima, shift_to_top, thin_out

if TYPE_CHECKING:
    import pandas as pd

    from cellmetry.core.image import Image
    from cellmetry.core.labels import Labels
    from cellmetry.core.progress import Progress
    from cellmetry.core.sample import Sample
    from cellmetry.measure.fields import Field as Plane
    from cellmetry.measure.spot_planes import SpotBand

__all__ = ["SPOT_COLUMNS", "FoundSpots", "SpotOptions", "Spots", "find_spots"]

_OURS = "Cellmetry"

SPOT_COLUMNS: tuple[Column, ...] = (
    Column("label", "1", "Id of the cell in which the spot's brightest pixel lies.", _OURS),
    Column("t", "1", "Frame, from 0.", _OURS),
    Column("z", "1", "Z plane, from 0.", _OURS),
    Column("y_px", "px", "Row of the spot's centre; the first row's centre is 0.", _OURS),
    Column("x_px", "px", "Column of the spot's centre; the first column's centre is 0.", _OURS),
    Column("y_um", "um", "The same in µm.", _OURS),
    Column("x_um", "um", "The same in µm.", _OURS),
    Column("height", "intensity", "What the filter answers: the height of a Gaussian spot of the set size.", _OURS),
    Column(
        "height_sd",
        "1",
        "Height less the median of filtered pixels well inside of cells, in their robust SDs.",
        _OURS,
    ),
    Column("roundness", "1", "Twice the weaker curvature over the sum of both; 1 round, 0 a line.", "after Lowe 2004"),
    Column("disc_px", "px", "Pixels of the spot's disc that lie in its cell.", _OURS),
    Column("background", "intensity", "Median of the ring around the spot, within its cell.", _OURS),
    Column("mean_intensity", "intensity", "Mean of the disc less the background.", _OURS),
    Column("sum_intensity", "intensity", "Sum over the disc of the pixels less the background.", _OURS),
    Column("contrast", "1", "(mean of the disc - background) / (mean of the disc + background).", "Michelson"),
)
"""Columns of the table of spots; ``t``, ``z`` and the lengths in µm where they are known."""

_CELL_COLUMNS = {
    "count": ("1", "Number of spots in the cell."),
    "mean_intensity": ("intensity", "Mean over its spots of the disc's mean less the background; missing of none."),
    "sum_intensity": ("intensity", "Sum over its spots of the disc's pixels less the background; 0 of none."),
    "density_um2": ("1/um2", "Number of spots over the cell's area in µm²."),
}


class SpotOptions(StackOptions):
    """What counts as a spot, and against what it is measured."""

    channel: str | int = 0
    """Name or index of the channel in which spots are found."""
    method: Literal["log", "dog"] = "log"
    """Filter: Laplacian of a Gaussian (log) or difference of two Gaussians (dog)."""
    diameter_px: float | None = Field(default=None, ge=1.5)
    """Diameter of a spot in pixels: 2√2 sigma of a Gaussian, 1.2 times its full width at half maximum."""
    diameter_um: float | None = Field(default=None, gt=0)
    """The same in µm."""
    threshold: float = Field(default=6.0, gt=0)
    """Least height of a spot, in the unit of threshold_unit."""
    threshold_unit: Literal["sd", "intensity"] = "sd"
    """sd: robust SDs of the filtered pixels well inside of all cells of the plane, above their median; intensity: as
    stored."""
    least_roundness: float = Field(default=0.4, ge=0, le=1)
    """Least roundness, 0 to 1: lines, and the bright side of edges, are below it."""
    least_rise: float = Field(default=0.25, ge=0, le=0.6)
    """Least mean of the disc above the ring, as a share of the height; a Gaussian spot has 0.63, an edge about 0."""
    least_distance: float = Field(default=0.5, gt=0)
    """Of two spots nearer than this, in diameters, only the higher one stays."""
    ring: tuple[float, float] = (2.0, 3.0)
    """Inner and outer radius of the ring of local background, in radii of a spot."""
    subpixel: bool = True
    """Whether places are given to fractions of a pixel, by a parabola through the filtered pixels."""

    @model_validator(mode="after")
    def _sizes_fit(self) -> Self:
        if (self.diameter_px is None) == (self.diameter_um is None):
            raise ValueError("give the diameter of a spot either in pixels (diameter_px) or in µm (diameter_um)")
        if not 1 <= self.ring[0] < self.ring[1]:
            raise ValueError(f"the ring lies around the spot: 1 <= inner < outer radius, not {self.ring}")
        if self.volume:
            raise ValueError("spots are found plane by plane; volume=true is not possible")
        return self


class FoundSpots(NamedTuple):
    """The spots of an image, one row each, and all its cells with what their spots amount to, one row each."""

    spots: pd.DataFrame
    cells: pd.DataFrame


def find_spots(image: Image, labels: Labels, options: SpotOptions, *, progress: Progress = SILENT) -> FoundSpots:
    """Return the spots in the cells of an image, and how many and how bright those of each cell are.

    Planes are read in bands; the numbers do not depend on the bands. No spot is found where a pixel that is not finite
    lies within the reach of the filter.

    Raises
    ------
    PixelSizeNeeded
        If the diameter is in µm and neither image nor labels have a pixel size.
    ParameterError
        If objects run through Z.
    """
    planes = fields_of(image, labels, options)
    if planes[0].volume:
        raise ParameterError(
            "Spots are found plane by plane, but these objects run through Z; set volume=false to count them in each "
            "plane, or project the stack first with stack=max."
        )
    channel = image.channel_index(options.channel)
    shape = _shape(planes[0], options)
    progress.start("spots", len(planes))
    spots, cells = [], []
    for plane in planes:
        found, objects = _in_plane(SpotPlane(plane, channel, options.method, shape), options)
        spots.append(found)
        cells.append(objects)
        progress.advance()
    return FoundSpots(_described(stack_fields(spots, planes)), stack_fields(cells, planes))


def _shape(plane: Plane, options: SpotOptions) -> SpotShape:
    if options.diameter_px is not None:
        return SpotShape((options.diameter_px / 2, options.diameter_px / 2), options.ring)
    if options.diameter_um is None or plane.sides_um is None:
        raise PixelSizeNeeded("diameter_um", plane.image.name)
    height, width = (options.diameter_um / 2 / side for side in plane.sides_um)
    if min(height, width) < 0.75:
        raise ParameterError(
            f"A spot of {options.diameter_um} µm is {2 * min(height, width):.2g} pixels of {plane.image.name}; "
            f"spots of less than 1.5 pixels cannot be told from noise."
        )
    return SpotShape((height, width), options.ring)


def _in_plane(plane: SpotPlane, options: SpotOptions) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the columns of the spots of a plane, by cell and from the top, and those of its cells."""
    middle, deviation = plane.noise
    limit = options.threshold if options.threshold_unit == "intensity" else middle + options.threshold * deviation
    parts, counts = [], []
    for band in plane:
        parts.append(_in_band(band, plane, limit, options))
        counts.append(np.unique(band.labels[band.inner.slices], return_counts=True))
    spots = _thinned(concatenate_columns(parts), plane, options.least_distance)
    spots["height_sd"] = (spots["height"] - middle) / (deviation or np.nan)
    return _in_order(spots, plane.plane), _of_cells(spots, counts, plane.plane)


def _in_band(band: SpotBand, plane: SpotPlane, limit: float, options: SpotOptions) -> dict[str, Any]:
    """Return the columns of the spots whose brightest pixel lies in the band."""
    allowed = np.zeros(band.labels.shape, np.bool_)
    inner = band.inner.slices
    allowed[inner] = (band.labels[inner] > 0) & (band.response[inner] > limit)
    places = local_maxima(band.response, allowed)
    shift = shift_to_top(band.response, places) if options.subpixel else np.zeros(places.shape)
    columns = {
        "label": band.labels[tuple(places.T)].astype(np.int64),
        "y_px": (places[:, 0] + band.box.y0) + shift[:, 0],
        "x_px": (places[:, 1] + band.box.x0) + shift[:, 1],
        "height": band.response[tuple(places.T)],
        "roundness": plane.roundness(band, places),
        **spot_intensity(band.pixels, band.labels, places, plane.shape),
    }
    at_edge = columns["mean_intensity"] < options.least_rise * columns["height"]
    kept = (columns["roundness"] >= options.least_roundness) & ~at_edge
    return {name: values[kept] for name, values in columns.items()}


def _thinned(spots: dict[str, Any], plane: SpotPlane, distance: float) -> dict[str, Any]:
    """Return the spots without those that lie too near to a higher one, in the order of cell, row and column."""
    places = np.stack([spots["y_px"], spots["x_px"]], axis=1)
    kept = thin_out(places / (2 * np.array(plane.shape.radii)), spots["height"], distance)
    kept = kept[np.lexsort((spots["x_px"][kept], spots["y_px"][kept], spots["label"][kept]))]
    return {name: values[kept] for name, values in spots.items()}


def _in_order(spots: dict[str, Any], plane: Plane) -> dict[str, Any]:
    """Return the columns as the table has them, with lengths in µm where they are known."""
    if plane.sides_um is not None:
        spots = {**spots, "y_um": spots["y_px"] * plane.sides_um[0], "x_um": spots["x_px"] * plane.sides_um[1]}
    return {column.name: spots[column.name] for column in SPOT_COLUMNS if column.name in spots}


def _of_cells(spots: dict[str, Any], counts: list[Any], plane: Plane) -> dict[str, Any]:
    """Return for each cell of the plane how many spots it has, how bright and how dense they are."""
    ids, index = np.unique(np.concatenate([found for found, _ in counts]), return_inverse=True)
    areas = np.bincount(index, np.concatenate([pixels for _, pixels in counts]), minlength=len(ids))
    ids, areas = ids[ids > 0].astype(np.int64), areas[ids > 0]
    cell = np.searchsorted(ids, spots["label"])
    number, mean, total = (
        np.bincount(cell, weights, minlength=len(ids))
        for weights in (None, spots["mean_intensity"], spots["sum_intensity"])
    )
    means = quotient(mean, number)
    out = {"label": ids, "count": number, "mean_intensity": means, "sum_intensity": total}
    area_um2 = plane.pixel_size.area_um2
    return out if area_um2 is None else {**out, "density_um2": number / (areas * area_um2)}


def _described(spots: pd.DataFrame) -> pd.DataFrame:
    spots.attrs["columns"] = tuple(column for column in SPOT_COLUMNS if column.name in spots)
    return spots


class Spots(SpotOptions, Step):
    """Find bright spots in cells: a table of spots, and their number and brightness in the table of cells."""

    name: ClassVar[str] = "spots"

    labels: str = "cells"
    """Name of the labels in which spots are found."""
    made: str = "spots"
    """Name of the table of spots."""
    table: str = "cells"
    """Name of the table of cells to which the columns are added; made if no step before made it."""
    prefix: str = Field(default="spot", min_length=1)
    """How the names of the added columns begin, so that spots of several channels fit in one table."""

    def __call__(self, sample: Sample, progress: Progress = SILENT) -> Sample:
        """Return the sample with the table of spots, and with their columns in the table of cells."""
        found = find_spots(sample.image, sample.need_labels(self.labels), self, progress=progress)
        names = {name: f"{self.prefix}_{name}" for name in _CELL_COLUMNS if name in found.cells}
        channel = sample.image.channel_names[sample.image.channel_index(self.channel)]
        columns = tuple(
            Column(names[name], unit, f"{definition} Spots of channel {channel}.", _OURS)
            for name, (unit, definition) in _CELL_COLUMNS.items()
            if name in names
        )
        table = add_columns(sample.tables.get(self.table), found.cells.rename(columns=names), columns)
        return sample.with_table(self.made, found.spots).with_table(self.table, table)
