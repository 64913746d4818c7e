"""What is known of each image of a study: plate, well, condition, replicate, … and what is wrong with the design."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

from cellmetry.core.columns import Column

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["DESIGN_COLUMNS", "Finding", "StudyDesign"]

DESIGN_COLUMNS = (
    Column("image", "", "Name of the image, as in all tables.", "Cellmetry"),
    Column("plate", "", "Plate.", "study"),
    Column("well", "", "Well as row and column: B03.", "study"),
    Column("row", "", "Row of the plate: A, B, …", "study"),
    Column("column", "1", "Column of the plate, from 1.", "study"),
    Column("field", "", "Field of view within the well.", "study"),
    Column("time", "", "Time point.", "study"),
    Column("condition", "", "Condition (treatment) that is compared.", "study"),
    Column("dose", "", "Dose: an amount from 0, not a logarithm.", "study"),
    Column("replicate", "", "Independent biological repeat; never a cell, field or well of one.", "study"),
    Column("batch", "", "What was prepared or imaged together: day, stain, lot.", "study"),
    Column("excluded", "", "Whether the image is left out of the analysis.", "study"),
    Column("reason", "", "Why it is left out.", "study"),
)
"""Columns of a design; those that a study does not know are not there, others of its sheets follow."""


class Finding(NamedTuple):
    """Something about a design that a user must know.

    Parameters
    ----------
    severity
        ``error``: no analysis as asked; ``warning``: numbers may mislead; ``note``: good to know.
    kind
        One word for programs: ``unbalanced``, ``missing``, ``pseudoreplication``, ``confounded``, …
    text
        One plain sentence that says what it means and what to do.
    """

    severity: Literal["error", "warning", "note"]
    kind: str
    text: str


@dataclass(frozen=True)
class StudyDesign:
    """One row for each image with columns of `DESIGN_COLUMNS`, and what the check of it found."""

    images: pd.DataFrame
    findings: tuple[Finding, ...] = ()
