"""What two analyses of the same images have in common and what not: the tables and sentences of a difference."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import pandas as pd
from pydantic import Field

from cellmetry.core.columns import Column
from cellmetry.core.step import Parameters

__all__ = [
    "CELL_CHANGES",
    "CONTRAST_CHANGES",
    "FIELD_CHANGES",
    "RESULT_CHANGES",
    "RUN_SECTIONS",
    "Change",
    "DiffOptions",
    "Difference",
    "Part",
]

_OURS = "Cellmetry"

RUN_SECTIONS = ("recipe", "filters", "engine", "versions", "reading", "files", "images")
"""Sections of changes that the records of two runs tell."""
Part = Literal["run", "labels", "study", "comparison"]
"""What can be compared: records of runs, label images, studies, comparisons."""

FIELD_CHANGES = (
    Column("image", "", "Name of the image.", _OURS),
    Column("labels", "", "Name of the label image.", _OURS),
    Column("kept", "1", "Objects with the same pixels in both.", _OURS),
    Column("changed", "1", "Objects that are in both with another outline.", _OURS),
    Column("new", "1", "Objects of the second analysis without a partner in the first.", _OURS),
    Column("lost", "1", "Objects of the first analysis without a partner in the second.", _OURS),
    Column("reason", "", "Why the labels were not compared; empty if they were.", _OURS),
)
"""One row for each label image of an image that both have. In a series or in unlinked planes, objects of each plane."""

CELL_CHANGES = (
    Column("image", "", "Name of the image.", _OURS),
    Column("labels", "", "Name of the label image.", _OURS),
    Column("plane", "", "Frame or plane, as in t=3 z=0, from 0; empty where there is one.", _OURS),
    Column("change", "", "changed, new or lost.", _OURS),
    Column("label_before", "1", "Id in the first analysis; missing if new.", _OURS),
    Column("label_after", "1", "Id in the second analysis; missing if lost.", _OURS),
    Column("iou", "1", "Intersection over union of both outlines.", _OURS),
    Column("area_before_px", "px", "Pixels (or voxels) in the first analysis.", _OURS),
    Column("area_after_px", "px", "Pixels (or voxels) in the second analysis.", _OURS),
)
"""One row for each object that is not kept."""

RESULT_CHANGES = (
    Column("table", "", "Name of the table.", _OURS),
    Column("column", "", "Name of the column.", _OURS),
    Column("image", "", "Name of the image; empty where a table names none.", _OURS),
    Column("before", "as column", "Median of its rows in the first analysis.", _OURS),
    Column("after", "as column", "Median of its rows in the second analysis.", _OURS),
    Column("change", "as column", "after - before.", _OURS),
    Column("relative", "1", "change / |before|; missing where before is 0.", _OURS),
)
"""One row for each column and image whose medians differ."""

CONTRAST_CHANGES = (
    Column("comparison", "", "Folder of the comparison, relative to that of the analysis.", _OURS),
    Column("value", "", "Column that is compared.", _OURS),
    Column("condition", "", "Condition that is compared …", _OURS),
    Column("reference", "", "… with this one.", _OURS),
    *(
        Column(f"{name}_{when}", unit, f"{words} in the {which} analysis.", _OURS)
        for name, unit, words in (
            ("estimate", "as value", "Estimate"),
            ("ci_low", "as value", "Lower end of its interval"),
            ("ci_high", "as value", "Upper end of its interval"),
            ("p", "1", "p-value (corrected, where several were tested)"),
            ("n_replicates", "1", "Replicates (pairs; where unpaired, those of both conditions together)"),
            ("n_cells", "1", "Cells of both conditions"),
            ("method", "", "Test in words"),
            ("conclusion", "", "significantly higher or lower, not significant, no test, or absent,"),
        )
        for when, which in (("before", "first"), ("after", "second"))
    ),
    Column("conclusion_changed", "", "Whether both have the contrast and conclude otherwise.", _OURS),
)
"""One row for each contrast that either analysis has."""


class DiffOptions(Parameters):
    """What counts as the same cell and as another conclusion, and how much is shown."""

    iou: float = Field(default=0.5, gt=0, le=1)
    """Two outlines are of one cell if their intersection over union is at least this."""
    significance: float = Field(default=0.05, gt=0, lt=1)
    """A p-value below this is called significant."""
    pictures: int = Field(default=6, ge=0, le=200)
    """How many of the most changed fields are pictured."""


class Change(NamedTuple):
    """One thing that differs between two analyses.

    Parameters
    ----------
    section
        One of `RUN_SECTIONS`, ``edits``, ``columns``, ``design``, ``study``, ``comparison`` or ``contrasts``.
    what
        ``segment.diameter_px``, say.
    before, after
        JSON values; None where there was nothing.
    """

    section: str
    what: str
    before: Any
    after: Any


@dataclass(frozen=True)
class Difference:
    """What changed between two analyses.

    Parameters
    ----------
    before, after
        Their folders.
    options
        What counts as the same.
    changes
        Of recipe, engine, versions, reading, images, edits, design, questions and what contrasts rest on.
    fields, cells, results, contrasts
        Tables with the columns of `FIELD_CHANGES`, `CELL_CHANGES`, `RESULT_CHANGES` and `CONTRAST_CHANGES`.
    notes
        Sentences about what could not be told, or what is odd.
    parts
        What both have, so that it was compared.
    """

    before: str
    after: str
    options: DiffOptions
    changes: tuple[Change, ...]
    fields: pd.DataFrame
    cells: pd.DataFrame
    results: pd.DataFrame
    contrasts: pd.DataFrame
    notes: tuple[str, ...] = ()
    parts: tuple[Part, ...] = ()

    @property
    def equal(self) -> bool:
        """Whether nothing differs and everything could be compared."""
        told = bool(self.changes or self.notes or len(self.cells) or len(self.results))
        return bool(self.parts) and not told and not self.contrasts_differ and not (self.fields["reason"] != "").any()

    @property
    def contrasts_differ(self) -> bool:
        """Whether any contrast has another estimate, interval or p-value."""
        pairs = [(f"{name}_before", f"{name}_after") for name in ("estimate", "ci_low", "ci_high", "p", "conclusion")]
        return any(not self.contrasts[first].equals(self.contrasts[second]) for first, second in pairs)

    @property
    def counts(self) -> dict[str, int]:
        """Number of objects that are kept, changed, new and lost."""
        return {name: int(self.fields[name].sum()) for name in ("kept", "changed", "new", "lost")}

    @property
    def amounts(self) -> pd.Series:
        """How much each row of `fields` changed: objects new or lost, and of each changed one 1 - IoU."""
        share = 1 - self.cells["iou"].astype(float).where(self.cells["change"] == "changed", 0)
        summed = share.groupby([self.cells["image"], self.cells["labels"]]).sum()
        keys = zip(self.fields["image"], self.fields["labels"], strict=True)
        return pd.Series([float(summed.get(key, 0)) for key in keys], self.fields.index, dtype=float)

    @property
    def columns(self) -> pd.DataFrame:
        """One row for each column that changed, the largest relative change first.

        ``table``, ``column``, ``images`` (in how many its median differs), ``before``, ``after`` (medians of these
        images' medians), ``relative`` ((after - before) / |before|).
        """
        groups = self.results.groupby(["table", "column"], sort=False)
        medians = {name: (name, "median") for name in ("before", "after")}
        found = groups.agg(images=("image", "size"), **medians).reset_index()
        change, before = found["after"] - found["before"], found["before"].abs()
        found["relative"] = change / before.where(before > 0)
        return found.sort_values("relative", key=abs, ascending=False, kind="stable", ignore_index=True)
