"""The step `measure` of a recipe."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from cellmetry.core.progress import SILENT
from cellmetry.core.step import Step
from cellmetry.measure.options import MeasureOptions
from cellmetry.measure.table import measure

if TYPE_CHECKING:
    import pandas as pd

    from cellmetry.core.progress import Progress
    from cellmetry.core.sample import Sample

__all__ = ["Measure", "missing_pixels"]


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
        return sample.with_table(self.table, made).with_warnings(*missing_pixels(made))


def missing_pixels(table: pd.DataFrame) -> list[str]:
    """Return a sentence for each channel that has pixels without a finite value in its objects."""
    counts = {str(name): int(table[name].sum()) for name in table if str(name).startswith("nan_px_")}
    return [
        f"{count} pixels of channel {name.removeprefix('nan_px_')} in objects are NaN or infinite and were left out."
        for name, count in counts.items()
    ]
