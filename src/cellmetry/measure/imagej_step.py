"""The step `measure_imagej` of a recipe: what Fiji's Measure would say of the same objects, in its words."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field, field_validator

from cellmetry.core.columns import Column
from cellmetry.core.progress import SILENT
from cellmetry.core.step import Step
from cellmetry.measure.imagej import measure_imagej

if TYPE_CHECKING:
    from cellmetry.core.progress import Progress
    from cellmetry.core.sample import Sample

__all__ = ["IMAGEJ_COLUMNS", "MeasureImageJ"]

_IMAGEJ = "ImageJ"

IMAGEJ_COLUMNS = (
    Column("Area", "px", "Number of pixels.", _IMAGEJ),
    Column("Mean", "intensity", "Mean of the pixels.", _IMAGEJ),
    Column("StdDev", "intensity", "Standard deviation of the pixels (n - 1).", _IMAGEJ),
    Column("Mode", "intensity", "Most frequent value.", _IMAGEJ),
    Column("Min", "intensity", "Smallest value.", _IMAGEJ),
    Column("Max", "intensity", "Largest value.", _IMAGEJ),
    Column("X", "px", "Mean column of the pixels; the middle of the first is 0.5.", _IMAGEJ),
    Column("Y", "px", "Mean row of the pixels; the middle of the first is 0.5.", _IMAGEJ),
    Column("XM", "px", "The same column, weighted by the values.", _IMAGEJ),
    Column("YM", "px", "The same row, weighted by the values.", _IMAGEJ),
    Column("Perim.", "px", "Length of the traced outline with its corners cut.", _IMAGEJ),
    Column("BX", "px", "Left side of the bounding box.", _IMAGEJ),
    Column("BY", "px", "Upper side of the bounding box.", _IMAGEJ),
    Column("Width", "px", "Width of the bounding box.", _IMAGEJ),
    Column("Height", "px", "Height of the bounding box.", _IMAGEJ),
    Column("Major", "px", "Long axis of the ellipse of equal area and second moments.", _IMAGEJ),
    Column("Minor", "px", "Short axis of that ellipse.", _IMAGEJ),
    Column("Angle", "deg", "Angle of its long axis to the X axis.", _IMAGEJ),
    Column("Circ.", "1", "4π Area / Perim.², at most 1.", _IMAGEJ),
    Column("Feret", "px", "Longest distance of two points of the outline.", _IMAGEJ),
    Column("IntDen", "intensity", "Area times Mean, the area in pixels.", _IMAGEJ),
    Column("Median", "intensity", "Median of the pixels.", _IMAGEJ),
    Column("Skew", "1", "Third moment about the mean.", _IMAGEJ),
    Column("Kurt", "1", "Fourth moment about the mean, less 3.", _IMAGEJ),
    Column("%Area", "1", "Percentage of the pixels that are not 0.", _IMAGEJ),
    Column("RawIntDen", "intensity", "Sum of the pixels.", _IMAGEJ),
    Column("FeretX", "px", "Column at which the longest diameter begins.", _IMAGEJ),
    Column("FeretY", "px", "Row at which it begins.", _IMAGEJ),
    Column("FeretAngle", "deg", "Its angle to the X axis, 0 to 180.", _IMAGEJ),
    Column("MinFeret", "px", "Shortest width of the outline.", _IMAGEJ),
    Column("AR", "1", "Major over Minor.", _IMAGEJ),
    Column("Round", "1", "4 Area / (π Major²).", _IMAGEJ),
    Column("Solidity", "1", "Area over the area of the convex hull.", _IMAGEJ),
)
"""What ImageJ's words mean for objects that are measured in pixels."""

_NAMES = tuple(column.name for column in IMAGEJ_COLUMNS)


class MeasureImageJ(Step):
    """Measure one channel of every object of a plane as ImageJ's Measure does, in pixels and under its names."""

    name: ClassVar[str] = "measure_imagej"

    channel: str | int = 0
    """Channel to measure, by name or index."""
    labels: str = "cells"
    """Name of the labels to measure."""
    columns: tuple[str, ...] = Field(default=("Area", "Mean", "Min", "Max", "IntDen", "RawIntDen"), min_length=1)
    """Which of ImageJ's columns to keep, in this order."""
    table: str = "imagej"
    """Name of the table that is made."""

    @field_validator("columns")
    @classmethod
    def _known(cls, columns: tuple[str, ...]) -> tuple[str, ...]:
        wrong = [name for name in columns if name not in _NAMES]
        if wrong or len(set(columns)) < len(columns):
            raise ValueError(f"{(wrong or columns)[0]!r} is no column of ImageJ's, or named twice; there are {_NAMES}")
        return columns

    def __call__(self, sample: Sample, progress: Progress = SILENT) -> Sample:
        """Return the sample with the table added."""
        made = measure_imagej(sample.image, sample.need_labels(self.labels), self.channel, progress=progress)
        table = made[["label", *self.columns]]
        table.attrs["columns"] = tuple(column for column in IMAGEJ_COLUMNS if column.name in self.columns)
        return sample.with_table(self.table, table)
