"""The step `measure` of a recipe."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from cellmetry.core.progress import SILENT
from cellmetry.core.step import Step
from cellmetry.measure.options import MeasureOptions
from cellmetry.measure.table import measure

if TYPE_CHECKING:
    from cellmetry.core.progress import Progress
    from cellmetry.core.sample import Sample

__all__ = ["Measure"]


class Measure(MeasureOptions, Step):
    """Measure every object of a label image and keep the table under a name."""

    name: ClassVar[str] = "measure"

    labels: str = "cells"
    """Name of the labels to measure."""
    table: str = "cells"
    """Name of the table that is made."""

    def __call__(self, sample: Sample, progress: Progress = SILENT) -> Sample:
        """Return the sample with the table added."""
        made = measure(sample.image, sample.need_labels(self.labels), self, progress=progress)
        return sample.with_table(self.table, made)
