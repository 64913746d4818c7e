"""What a comparison of tables does besides the statistics: gates, filters, figures, files."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from cellmetry.core.step import Parameters
from cellmetry.measure.conditions import columns_in
from cellmetry.report.style import FigureStyle
from cellmetry.study.questions import TableComparison, TableGate

__all__ = ["AREA", "FIELDS", "CompareSettings", "TableForm"]

FIELDS, AREA = "fields", "area_mm2"
"""Table with a row for each image; its column of the area that an image shows."""

TableForm = Literal["conditions", "workbook", "prism", "anndata", "r"]
"""Tables for others: a CSV per condition, an Excel workbook, Prism's columns, AnnData, a script for R."""


class CompareSettings(Parameters):
    """Everything that decides what a comparison of tables finds, shows and writes."""

    comparisons: tuple[TableComparison, ...] = Field(min_length=1)
    """What is compared, one entry a value."""
    gates: tuple[TableGate, ...] = ()
    """What makes a cell positive; each makes a column of true and false that can be compared."""
    table: str = "cells"
    """Table that is filtered, and whose objects are counted."""
    keep: tuple[str, ...] = ()
    """Conditions that a cell must meet: "area_um2 > 50"; what they leave out is counted and listed."""
    figures: tuple[str, ...] | None = None
    """Kinds of figures of each value; superplot and estimation, and the histogram with its gate, if left out."""
    against: str | None = None
    """Second measure, for the figure ``scatter``."""
    time: str | None = None
    """Column of the time, for the figure ``time``."""
    style: FigureStyle = Field(default_factory=FigureStyle)
    """How figures look."""
    tables: tuple[TableForm, ...] = ("workbook", "prism", "r")
    """Tables for others that are written."""
    workbook_most: int = Field(default=2_000_000, ge=1)
    """Values that an Excel workbook is written for at most; of more there are CSV and Parquet only."""
    shown: int = Field(default=2000, ge=100)
    """Cells that the interactive plot shows at most."""
    pictured: int = Field(default=600, ge=0)
    """Cells of which the interactive plot can show a picture, where the images are at hand."""

    def columns(self, *, besides: str = "") -> set[str]:
        """Return the columns that are needed besides those that gates make, and besides those of one of the tables."""
        named = {self.against, self.time}
        for each in self.comparisons:
            if each.table == besides:
                continue
            within = None if each.normalise is None else each.normalise.within
            named |= {each.value, each.by, each.replicate, each.total, each.plate, within, *each.nested}
        for gate in self.gates:
            named |= gate.columns_needed()
        for text in self.keep:
            named |= columns_in(text)
        return {name for name in named if name is not None} - {gate.column for gate in self.gates}
