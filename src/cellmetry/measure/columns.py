"""What the columns of a table of objects mean, each described once."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cellmetry.core.columns import Column

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["CHANNEL_COLUMNS", "OBJECT_COLUMNS", "describe_columns"]

_OURS, _SKIMAGE, _IMAGEJ = "Cellmetry", "scikit-image", "ImageJ"

OBJECT_COLUMNS: tuple[Column, ...] = (
    Column("label", "1", "Id of the object in the label image.", _OURS),
    Column("t", "1", "Frame, from 0.", _OURS),
    Column("z", "1", "Z plane, from 0, of objects measured plane by plane.", _OURS),
    Column("area_px", "px", "Number of pixels.", _SKIMAGE),
    Column("volume_px", "px", "Number of voxels.", _SKIMAGE),
    Column("volume_um3", "um3", "Number of voxels times the volume of one.", _OURS),
    Column("equivalent_diameter_px", "px", "Diameter of the disc (or ball) of equal area (or volume).", _SKIMAGE),
    Column("centroid_z_px", "px", "Mean Z of the voxel centres; the first plane is 0.", _SKIMAGE),
    Column("centroid_y_px", "px", "Mean row of the pixel centres; the first row's centre is 0.", _SKIMAGE),
    Column("centroid_x_px", "px", "Mean column of the pixel centres; the first column's centre is 0.", _SKIMAGE),
    Column("bbox_z0_px", "px", "First plane of the bounding box.", _SKIMAGE),
    Column("bbox_z1_px", "px", "Plane after the last of the bounding box.", _SKIMAGE),
    Column("bbox_y0_px", "px", "First row of the bounding box.", _SKIMAGE),
    Column("bbox_y1_px", "px", "Row after the last of the bounding box.", _SKIMAGE),
    Column("bbox_x0_px", "px", "First column of the bounding box.", _SKIMAGE),
    Column("bbox_x1_px", "px", "Column after the last of the bounding box.", _SKIMAGE),
    Column("major_axis_px", "px", "Long axis of the ellipse with the second moments of the pixel centres.", _SKIMAGE),
    Column("minor_axis_px", "px", "Short axis of the ellipse with the second moments of the pixel centres.", _SKIMAGE),
    Column("orientation_deg", "deg", "Direction of the long axis, -90 to 90, from the Y axis towards X.", _SKIMAGE),
    Column("eccentricity", "1", "Eccentricity of that ellipse: 0 a circle, 1 a line.", _SKIMAGE),
    Column("aspect_ratio", "1", "Long axis over short axis; missing where the short one is 0.", _OURS),
    Column("perimeter_px", "px", "Perimeter, holes included, by Crofton's formula in four directions.", _SKIMAGE),
    Column("perimeter_skimage_px", "px", "Length of the line through the boundary pixels' centres.", _SKIMAGE),
    Column("perimeter_imagej_px", "px", "Length of the traced outline with its corners cut.", _IMAGEJ),
    Column("circularity", "1", "4π area / perimeter², with Crofton's perimeter; above 1 for few pixels.", _OURS),
    Column("circularity_skimage", "1", "4π area / perimeter_skimage²; missing where that is 0.", _OURS),
    Column("circularity_imagej", "1", "4π area / perimeter_imagej², at most 1.", _IMAGEJ),
    Column("convex_area_px", "px", "Pixels with their centre in the hull round the pixels' side middles.", _SKIMAGE),
    Column("solidity", "1", "Area over convex_area_px.", _SKIMAGE),
    Column("solidity_imagej", "1", "Area over the area of the hull round the pixels' corners.", _IMAGEJ),
    Column("extent", "1", "Area over the area of the bounding box.", _SKIMAGE),
    Column("euler_number", "1", "Parts less holes; pixels that touch at a corner are one part.", _SKIMAGE),
    Column("feret_max_px", "px", "Largest distance between two corners of pixels of the object.", _IMAGEJ),
    Column("feret_min_px", "px", "Smallest distance between two parallel lines that hold the object.", _IMAGEJ),
    Column("feret_angle_deg", "deg", "Direction of feret_max, 0 to 180, from the X axis towards the top.", _IMAGEJ),
    Column("feret_max_skimage_px", "px", "Largest distance between side middles of the convex image.", _SKIMAGE),
    Column("touching_count", "1", "Number of other objects in the eight pixels round any pixel of this one.", _OURS),
    Column("touching_fraction", "1", "Share of the pixel sides of the boundary that face another object.", _OURS),
    Column("nearest_distance_px", "px", "Distance from this centroid to the nearest other one.", _OURS),
    Column("parent_label", "1", "Id of the object of the outer labels that overlaps this one most; 0 if none.", _OURS),
    Column("parent_overlap", "1", "Share of this object's pixels that lie in its parent.", _OURS),
    Column("children", "1", "Number of objects of the inner labels that belong to this one.", _OURS),
)
"""Columns of the object itself. Lengths and areas have a twin in µm that stands beside them."""

CHANNEL_COLUMNS: tuple[Column, ...] = (
    Column("mean", "intensity", "Mean of the finite pixels.", _SKIMAGE),
    Column("sum", "intensity", "Sum of the finite pixels; if uncorrected, ImageJ's raw integrated density.", _IMAGEJ),
    Column("std", "intensity", "Standard deviation, divided by the number of pixels.", _SKIMAGE),
    Column("sample_std", "intensity", "Standard deviation, divided by the number of pixels less one.", _IMAGEJ),
    Column("min", "intensity", "Smallest finite pixel.", _SKIMAGE),
    Column("max", "intensity", "Largest finite pixel.", _SKIMAGE),
    Column("integrated_density_um2", "intensity um2", "Sum of the pixels times the area of one in µm².", _IMAGEJ),
    Column("integrated_density_um3", "intensity um3", "Sum of the voxels times the volume of one in µm³.", _OURS),
    Column("nan_px", "px", "Pixels that are not finite and were left out; only where a channel has any.", _OURS),
    Column("median", "intensity", "Middle of the sorted finite pixels; mean of the two middle ones.", _OURS),
    Column("skewness", "1", "Third central moment over std³; missing where all pixels are equal.", _IMAGEJ),
    Column("kurtosis", "1", "Fourth central moment over std⁴, less 3; missing where all pixels are equal.", _IMAGEJ),
    Column(
        "ratio_of_means",
        "1",
        "Mean of the first channel over that of the second; missing unless that is above 0.",
        _OURS,
    ),
    Column("mean_of_ratios", "1", "Mean over pixels of first over second channel, where the second is above 0.", _OURS),
    Column("std_of_ratios", "1", "Standard deviation of these ratios, divided by their number.", _OURS),
    Column("ratio_px", "px", "Pixels where the second channel is above 0, which have a ratio.", _OURS),
    Column(
        "ratio_of_smoothed_means",
        "1",
        "Mean of the first channel plus epsilon over that of the second plus epsilon.",
        _OURS,
    ),
    Column("mean_of_smoothed_ratios", "1", "Mean over pixels of first plus epsilon over second plus epsilon.", _OURS),
    Column("std_of_smoothed_ratios", "1", "Standard deviation of these ratios, divided by their number.", _OURS),
    Column("weighted_z_px", "px", "Mean Z weighted with the intensity.", _SKIMAGE),
    Column("weighted_y_px", "px", "Mean row weighted with the intensity.", _SKIMAGE),
    Column("weighted_x_px", "px", "Mean column weighted with the intensity.", _SKIMAGE),
    Column("edge_gradient", "intensity/px", "Mean Sobel gradient over the boundary pixels.", _OURS),
    Column("texture_contrast", "1", "Mean squared difference of grey levels of a pair.", "Haralick 1973"),
    Column("texture_dissimilarity", "1", "Mean difference of grey levels of a pair.", _SKIMAGE),
    Column("texture_homogeneity", "1", "Mean of 1 / (1 + squared difference) of a pair.", "Haralick 1973"),
    Column("texture_asm", "1", "Sum of the squared shares of all kinds of pairs.", "Haralick 1973"),
    Column("texture_correlation", "1", "Correlation of the grey levels of a pair.", "Haralick 1973"),
    Column("texture_entropy", "bit", "Entropy of the shares of all kinds of pairs.", "Haralick 1973"),
)
"""Columns of one channel, each followed by ``_`` and the channel's name."""

_LENGTHS = {column.name for column in (*OBJECT_COLUMNS, *CHANNEL_COLUMNS) if column.name.endswith("_px")}
_COUNTS = {"nan_px", "ratio_px", "volume_px"} | {name for name in _LENGTHS if name.startswith("bbox_")}
_PERCENTILE = re.compile(r"p(\d+(?:_\d+)?)_")


def _in_um(column: Column) -> Column:
    """Return the description of the twin in µm of a column in pixels."""
    squared = column.name in ("area_px", "convex_area_px")
    unit = "um2" if squared else "um"
    return column._replace(name=column.name.removesuffix("px") + unit, unit=unit)


def _with_um(columns: tuple[Column, ...]) -> dict[str, Column]:
    twins = [_in_um(column) for column in columns if column.name in _LENGTHS - _COUNTS]
    return {column.name: column for column in (*columns, *twins)}


_OF_OBJECT, _OF_CHANNEL = _with_um(OBJECT_COLUMNS), _with_um(CHANNEL_COLUMNS)
_BY_LENGTH = sorted(_OF_CHANNEL, key=len, reverse=True)


def describe_columns(table: pd.DataFrame) -> tuple[Column, ...]:
    """Return the description of each column of a table that `measure` or `join_regions` made.

    Columns from elsewhere are described by their makers, in ``table.attrs["columns"]``; one without any description
    (the name of the image, say) is left out.
    """
    own = {column.name: column for column in table.attrs.get("columns", ())}
    found = (own.get(str(name)) or _describe(str(name)) for name in table.columns)
    return tuple(column for column in found if column is not None)


def _describe(name: str) -> Column | None:
    plain = _describe_plain(name)
    return _describe_region(name) if plain is None else plain


def _describe_plain(name: str) -> Column | None:
    if name in _OF_OBJECT:
        return _OF_OBJECT[name]
    for prefix in _BY_LENGTH:
        if name.startswith(f"{prefix}_"):
            column = _OF_CHANNEL[prefix]
            channel = name[len(prefix) + 1 :]
            words = f"Channels {channel.replace('_to_', ' over ')}." if "ratio" in prefix else f"Channel {channel}."
            return column._replace(name=name, definition=f"{column.definition} {words}")
    percentile = _PERCENTILE.match(name)
    if percentile:
        share = percentile[1].replace("_", ".")
        definition = f"{share}th percentile of the finite pixels, interpolated. Channel {name[percentile.end() :]}."
        return Column(name, "intensity", definition, "NumPy")
    return None


def _describe_region(name: str) -> Column | None:
    for region in _prefixes(name):
        inner = _describe_plain(name.removeprefix(f"{region}_"))
        if inner is not None:
            return inner._replace(name=name, definition=f"Of the {region}: {inner.definition}")
    return None


def _prefixes(name: str) -> list[str]:
    """Return what may be the name of a region at the start of a column's: each part that ends before an underscore."""
    return [name[: match.start()] for match in re.finditer("_", name)]
