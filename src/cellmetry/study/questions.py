"""What is asked of which table: values compared between conditions, and what makes an object positive."""

from __future__ import annotations

from cellmetry.stats.comparison.options import CompareOptions
from cellmetry.stats.gates import Gate

__all__ = ["TableComparison", "TableGate"]


class TableComparison(CompareOptions):
    """A value of a table, compared between conditions."""

    table: str = "cells"
    """Table of the run that has the value: cells, nuclei, …; fields has a row for each image, with counts."""


class TableGate(Gate):
    """What makes an object of a table positive."""

    table: str = "cells"
    """Table of the run that has the value: cells, nuclei, …"""
