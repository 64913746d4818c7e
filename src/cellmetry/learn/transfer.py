"""Labels from another channel: which objects found in one channel may teach another channel of the same field.

What is doubtful becomes *not annotated*, never background: a cell that the stain shows badly is still a cell.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np
from pydantic import Field, model_validator
from scipy.ndimage import gaussian_filter

from cellmetry.core.columns import Column
from cellmetry.core.image import image_from_array
from cellmetry.core.labels import labels_from_array
from cellmetry.core.step import Parameters
from cellmetry.learn.fields import median_diameter
from cellmetry.measure.options import MeasureOptions
from cellmetry.measure.table import measure
from cellmetry.ops.cleanup import drop
from cellmetry.ops.distance import nearest_labels
from cellmetry.ops.spread import SD_OF_MAD

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["OBJECT_COLUMNS", "Judged", "TransferQuality", "judge_objects", "not_annotated"]

OBJECT_COLUMNS = (
    Column("label", "", "Id of the object in the channel that was segmented.", "Cellmetry"),
    Column("area_px", "px", "Pixels of the object.", "Cellmetry"),
    Column("solidity", "1", "Area over the area of the convex hull.", "scikit-image"),
    Column("contrast", "1", "Mean above the surround's, in standard deviations of the surround.", "Cellmetry"),
    Column("at_border", "", "Whether the object touches the border of the image.", "Cellmetry"),
    Column("accepted", "", "Whether the object became a label.", "Cellmetry"),
    Column("reason", "", "Why it did not; empty if it did.", "Cellmetry"),
)
"""Columns of the table of objects."""

_SURROUND = (2.0, 8.0)
_SMOOTH_PX = 1.5
_RANGE = (2.0, 99.8)
_SMOOTHED_GRAIN = SD_OF_MAD / (2 * np.sqrt(np.pi) * _SMOOTH_PX)
"""From the median deviation of pixels from their smoothed surround to the noise that smoothing leaves."""
_SURE = 8.0
_MEASURED = MeasureOptions(features=("size", "shape"))


class TransferQuality(Parameters):
    """What makes an object of the segmented channel good enough to teach another channel."""

    min_area_px: float = Field(default=20.0, ge=0)
    """Least area, in pixels."""
    max_area_px: float | None = Field(default=None, gt=0)
    """Largest area, in pixels; no limit if left out."""
    min_relative_area: float = Field(default=0.2, ge=0, le=1)
    """Least area, as a part of the median of the field's objects; those cut by the border may be smaller."""
    max_relative_area: float = Field(default=5.0, ge=1)
    """Largest area, in medians of the field's objects: larger ones are clumps."""
    min_solidity: float = Field(default=0.75, ge=0, le=1)
    """Least part of its convex hull that an object fills; branched cells need less."""
    min_contrast: float = Field(default=1.5)
    """Least distance of an object's mean from its surround, in standard deviations of the surround."""
    keep_border: bool = True
    """Whether objects cut by the border of the image may teach."""
    faint: float | None = Field(default=0.15, gt=0, le=1)
    """Light outside objects above this part of the way from the field's darkest to its brightest pixels is not
    annotated: it may be a cell that was missed. None: everything outside objects is background."""
    margin_px: float = Field(default=2.0, ge=0)
    """Width of the zone round a rejected object that is not annotated either, in pixels."""
    max_shift_px: float = Field(default=5.0, ge=0)
    """Largest shift between the channels, in pixels; a field that is shifted further teaches nothing. Relief pictures
    (DIC) show edges a few pixels beside where they are."""
    min_sharpness: float = Field(default=9.0, ge=0)
    """From which sharpness on a measured shift is believed (standard deviations of the correlation)."""
    align: bool = False
    """Whether labels are moved by a shift that is believed, instead of refusing the field."""

    @model_validator(mode="after")
    def _areas_rise(self) -> Self:
        if self.max_area_px is not None and self.max_area_px < self.min_area_px:
            raise ValueError("max_area_px is below min_area_px")
        return self


class Judged(NamedTuple):
    """What became of the objects of a field.

    Parameters
    ----------
    labels
        int32 (Y, X): accepted objects, under the ids that they had.
    annotated
        bool (Y, X): False where objects were rejected, or may have been missed.
    table
        One row an object; `OBJECT_COLUMNS`.
    """

    labels: NDArray[np.int32]
    annotated: NDArray[np.bool_]
    table: pd.DataFrame


def judge_objects(labels: NDArray[np.int32], source: NDArray[np.float32], quality: TransferQuality) -> Judged:
    """Return the objects that are good enough, where nothing can be said, and why objects were rejected.

    Parameters
    ----------
    labels
        int32 (Y, X): what an engine found in `source`.
    source
        float32 (Y, X): the channel in which objects are bright.
    """
    table = _describe(labels, source)
    table["reason"] = _reasons(table, quality)
    table["accepted"] = table["reason"] == ""
    keep = np.zeros(int(labels.max(initial=0)) + 1, bool)
    keep[table.loc[table["accepted"], "label"].to_numpy()] = True
    accepted = drop(labels, keep)
    rejected = drop(labels, ~keep)
    hidden = _widened(rejected, quality.margin_px) | _faint_light(labels, source, quality)
    columns = [column.name for column in OBJECT_COLUMNS]
    return Judged(accepted, ~hidden | (accepted > 0), table[columns])


def not_annotated(labels: NDArray[np.int32], table: pd.DataFrame, reason: str) -> Judged:
    """Return the same field with nothing accepted and nothing annotated, for one reason that holds for all of it."""
    refused = table.assign(accepted=False, reason=table["reason"].where(table["reason"] != "", reason))
    return Judged(np.zeros_like(labels), np.zeros(labels.shape, bool), refused)


def _describe(labels: NDArray[np.int32], source: NDArray[np.float32]) -> pd.DataFrame:
    """Return area, solidity, contrast and place of each object."""
    ids = labels_from_array(labels.astype(np.uint32))
    measured = measure(image_from_array(source, "YX"), ids, _MEASURED)
    table = measured[["label", "area_px", "solidity"]].copy()
    rows = table["label"].to_numpy()
    table["contrast"] = _contrast(labels, source)[rows]
    border = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    table["at_border"] = np.isin(rows, border)
    return table


def _contrast(labels: NDArray[np.int32], source: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return, for each id (index), by how many deviations of its surround an object is brighter than it.

    Objects without free ground round them are compared with all free ground of the field.
    """
    count = int(labels.max(initial=0)) + 1
    ring = nearest_labels(labels.astype(np.uint32), *_SURROUND)
    free = source[labels == 0]
    ground = (float(free.mean()), float(free.std())) if free.size else (float(source.min()), float(source.std()))
    n, mean, deviation = _moments(ring, source, count)
    few = n < _SURROUND[1]
    mean, deviation = np.where(few, ground[0], mean), np.where(few, ground[1], deviation)
    inside = _moments(labels, source, count)[1]
    return (inside - mean) / np.maximum(deviation, np.finfo(np.float32).tiny)


def _moments(
    ids: NDArray[Any], values: NDArray[np.float32], count: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return number, mean and standard deviation of the values under each id."""
    flat, weights = ids.ravel(), values.ravel().astype(np.float64)
    n = np.bincount(flat, minlength=count).astype(np.float64)
    mean = np.bincount(flat, weights, minlength=count) / np.maximum(n, 1)
    square = np.bincount(flat, (weights - mean[flat]) ** 2, minlength=count)
    return n, mean, np.sqrt(square / np.maximum(n, 1))


def _reasons(table: pd.DataFrame, quality: TransferQuality) -> NDArray[np.str_]:
    """Return the first reason for which each object is rejected, empty for none."""
    area = table["area_px"].to_numpy(float)
    usual = float(np.median(area)) if len(area) else 1.0
    top = np.inf if quality.max_area_px is None else quality.max_area_px
    whole = ~table["at_border"].to_numpy(bool)
    checks = {
        "smaller than the least area": area < quality.min_area_px,
        "larger than the largest area": area > top,
        "much smaller than the field's usual object": whole & (area < quality.min_relative_area * usual),
        "much larger than the field's usual object": area > quality.max_relative_area * usual,
        "not compact": table["solidity"].to_numpy(float) < quality.min_solidity,
        "hardly brighter than its surround": table["contrast"].to_numpy(float) < quality.min_contrast,
        "cut by the border of the image": ~whole & (not quality.keep_border),
    }
    return np.select(list(checks.values()), [np.array(reason) for reason in checks], default="")


def _widened(rejected: NDArray[np.int32], margin_px: float) -> NDArray[np.bool_]:
    if margin_px == 0:
        return rejected > 0
    return np.asarray((rejected > 0) | (nearest_labels(rejected.astype(np.uint32), 0.0, margin_px) > 0))


def _faint_light(labels: NDArray[np.int32], source: NDArray[np.float32], quality: TransferQuality) -> NDArray[np.bool_]:
    """Return where the channel shines outside objects, too strongly for background, beyond the glow of objects.

    Measured against the field's own darkest and brightest pixels, not against the objects found: where few were found,
    or only the brightest, the others would pass for background.
    """
    free = labels == 0
    if quality.faint is None or not free.any():
        return np.zeros(labels.shape, bool)
    smooth = gaussian_filter(source, _SMOOTH_PX)
    dark, bright = np.percentile(smooth, _RANGE)
    grain = float(np.median(np.abs(source - smooth))) * _SMOOTHED_GRAIN
    level = dark + max(quality.faint * (bright - dark), _SURE * grain)
    return np.asarray(free & ~_glow(labels) & (smooth > level))


def _glow(labels: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Return what lies so near to an object that the object may shine there."""
    diameter = median_diameter(labels)
    if diameter is None:
        return np.zeros(labels.shape, bool)
    return np.asarray(nearest_labels(labels.astype(np.uint32), 0.0, 0.15 * diameter + 1.0) > 0)
