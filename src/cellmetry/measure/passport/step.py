"""The step `passport` of a recipe."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from cellmetry.core.progress import SILENT
from cellmetry.core.step import Step
from cellmetry.measure.added import add_columns
from cellmetry.measure.passport.options import PassportOptions
from cellmetry.measure.passport.table import passport, passport_notes

if TYPE_CHECKING:
    from cellmetry.core.image import Image
    from cellmetry.core.progress import Progress
    from cellmetry.core.sample import Sample

__all__ = ["Passport"]

_OWN_TABLE = "passport"


class Passport(PassportOptions, Step):
    """Flag what is doubtful about each cell: saturation, focus, border, background, shape, contrast, confidence."""

    name: ClassVar[str] = "passport"

    labels: str = "cells"
    """Name of the labels to judge."""
    table: str = "cells"
    """Name of the table to which values and flags are added; if no step before made it, they are a table `passport`."""

    @property
    def tables(self) -> tuple[str, str]:
        """The tables of which one gets the passport."""
        return self.table, _OWN_TABLE

    def detectors_used(self, image: Image) -> tuple[int, ...]:
        """Return the channels whose saturation is judged."""
        every = range(len(image.channels))
        return tuple(every if self.channels is None else map(image.channel_index, self.channels))

    def __call__(self, sample: Sample, progress: Progress = SILENT) -> Sample:
        """Return the sample with the passport in its table."""
        made = passport(sample, sample.need_labels(self.labels), self, progress=progress)
        sample = sample.with_warnings(*passport_notes(made, self))
        if self.table not in sample.tables:
            return sample.with_table(_OWN_TABLE, made)
        columns = tuple(column for column in made.attrs["columns"] if column.name not in ("label", "t", "z"))
        return sample.with_table(self.table, add_columns(sample.tables[self.table], made, columns))
