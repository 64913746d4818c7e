"""What is asked of which table: values compared between conditions, and what makes an object positive."""

from __future__ import annotations

from typing import Any

from pydantic import model_validator

from cellmetry.stats.comparison.options import CompareOptions
from cellmetry.stats.gates import Gate

__all__ = ["TableComparison", "TableGate"]


class TableComparison(CompareOptions):
    """A value of a table, compared between conditions."""

    table: str = "cells"
    """Table of the run that has the value: cells, nuclei, …; fields has a row for each image, with counts."""

    @model_validator(mode="before")
    @classmethod
    def _rows_are_of_the_table(cls, given: Any) -> Any:
        """Let rows be called as the table is, unless they are named another way."""
        if not isinstance(given, dict) or "rows" in given or "table" not in given or given.get("total"):
            return given
        return {**given, "rows": given["table"]}


class TableGate(Gate):
    """What makes an object of a table positive."""

    table: str = "cells"
    """Table of the run that has the value: cells, nuclei, …"""
