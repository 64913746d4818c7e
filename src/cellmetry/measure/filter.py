"""Filtering a table by conditions, with a record of every row that was dropped and why."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple

import numpy as np
import pandas as pd
from pydantic import Field, field_validator

from cellmetry.core.columns import Column
from cellmetry.core.progress import SILENT
from cellmetry.core.step import Step
from cellmetry.errors import ParameterError
from cellmetry.measure.conditions import check_condition, evaluate_condition

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cellmetry.core.labels import Labels
    from cellmetry.core.progress import Progress
    from cellmetry.core.sample import Sample

__all__ = ["FilterCells", "Filtered", "filter_notes", "filter_table", "without_labels"]

_KEYS = ("label", "t", "z")
_FILTERED_COLUMNS = (
    Column("table", "", "Table from which the object was dropped.", "Cellmetry"),
    Column("label", "1", "Id of the object in the label image.", "Cellmetry"),
    Column("t", "1", "Frame, from 0.", "Cellmetry"),
    Column("z", "1", "Z plane, from 0.", "Cellmetry"),
    Column("condition", "", "Conditions that the object does not meet, with ; between them.", "Cellmetry"),
)


class Filtered(NamedTuple):
    """What came of a table.

    Parameters
    ----------
    kept
        Rows that meet all conditions.
    dropped
        ``label`` (``t``, ``z``) of the others and the ``condition`` that each does not meet, joined by ``; ``.
    unmet, unknown
        By condition: how many rows do not meet it, and for how many a missing value leaves that open.
    """

    kept: pd.DataFrame
    dropped: pd.DataFrame
    unmet: dict[str, int]
    unknown: dict[str, int]


def filter_table(table: pd.DataFrame, keep: Sequence[str], *, missing: Literal["keep", "drop"] = "keep") -> Filtered:
    """Return the rows that meet every condition of `keep`, and which were dropped for what.

    Parameters
    ----------
    missing
        What becomes of a row for which a missing value leaves a condition open.

    Raises
    ------
    ParameterError, UnknownName
        If a condition has a wrong form or names a column that the table lacks, or rows have no ``label``.
    """
    if "label" not in table:
        raise ParameterError("Only tables with one row for each object, with a column label, can be filtered.")
    met = {text: evaluate_condition(text, table) for text in dict.fromkeys(keep)}
    unmet = {text: int((~answer).sum()) for text, answer in met.items()}
    unknown = {text: int(answer.isna().sum()) for text, answer in met.items()}
    fails = {text: ~answer.fillna(missing == "keep").to_numpy(bool) for text, answer in met.items()}
    out = np.logical_or.reduce([np.zeros(len(table), bool), *fails.values()])
    dropped = table.loc[out, [name for name in _KEYS if name in table]].reset_index(drop=True)
    why = ["; ".join(text for text, failed in fails.items() if failed[row]) for row in np.flatnonzero(out)]
    dropped["condition"] = pd.Series(why, dtype="str", index=dropped.index)
    dropped.attrs = {}
    return Filtered(table.loc[~out].reset_index(drop=True), dropped, unmet, unknown)


def without_labels(labels: Labels, dropped: pd.DataFrame) -> Labels:
    """Return `labels` without the objects of `dropped`, which names them by label and, where it has these, t and z."""
    array = labels.read().copy()
    axes = [axis for axis in ("t", "z") if axis in dropped]
    groups = dropped.groupby(axes) if axes else [((), dropped)]
    for place, rows in groups:
        where: dict[str, Any] = dict(zip(axes, place, strict=True))
        part = array[tuple(where.get(axis, slice(None)) for axis in labels.axes.lower())]
        part[np.isin(part, rows["label"].to_numpy(np.uint32))] = 0
    return replace(labels, array=array)


class FilterCells(Step):
    """Drop rows that do not meet conditions, and list each dropped row with its reason in a table `filtered`."""

    name: ClassVar[str] = "filter_cells"

    table: str = "cells"
    """Name of the table to filter."""
    keep: tuple[str, ...] = ()
    """Conditions that a row must meet to stay: area_um2 > 50, not flag_saturation, 0.8 <= solidity < 1, …."""
    missing: Literal["keep", "drop"] = "keep"
    """What becomes of a row for which a missing value leaves a condition open."""
    keep_labels: bool = True
    """Leave the label image as it is (true), or take dropped objects out of it, too (false)."""
    labels: str = "cells"
    """Name of the label image of the table; used with keep_labels=false."""
    filtered: str = Field(default="filtered", min_length=1)
    """Name of the table of dropped rows; a second filter adds to it."""

    @field_validator("keep")
    @classmethod
    def _are_conditions(cls, texts: tuple[str, ...]) -> tuple[str, ...]:
        for text in texts:
            try:
                check_condition(text)
            except ParameterError as error:
                raise ValueError(str(error).removesuffix(".")) from error
        return texts

    def __call__(self, sample: Sample, progress: Progress = SILENT) -> Sample:
        """Return the sample with the table filtered and the dropped rows listed."""
        before = self._table(sample)
        found = filter_table(before, self.keep, missing=self.missing)
        if not self.keep_labels:
            sample = sample.with_labels(self.labels, without_labels(sample.need_labels(self.labels), found.dropped))
        sample = sample.with_table(self.table, found.kept).with_table(self.filtered, self._listed(sample, found))
        return sample.with_warnings(*filter_notes(found, self.table, missing=self.missing))

    def _table(self, sample: Sample) -> pd.DataFrame:
        if self.table not in sample.tables:
            made = ", ".join(sample.tables) or "none"
            raise ParameterError(f"No step before made a table named {self.table!r} (there are: {made}).")
        return sample.tables[self.table]

    def _listed(self, sample: Sample, found: Filtered) -> pd.DataFrame:
        """Return the dropped rows below those of filters before."""
        listed = found.dropped.copy()
        listed.insert(0, "table", pd.Series(self.table, dtype="str", index=listed.index))
        if self.filtered in sample.tables:
            listed = pd.concat([sample.tables[self.filtered], listed], ignore_index=True)
        listed.attrs["columns"] = tuple(column for column in _FILTERED_COLUMNS if column.name in listed)
        return listed


def filter_notes(found: Filtered, table: str, *, missing: Literal["keep", "drop"]) -> list[str]:
    """Return how many rows were dropped for what, and how many could not be told; nothing where all meet all."""
    notes = []
    total = len(found.kept) + len(found.dropped)
    rows = "1 row" if total == 1 else f"{total} rows"
    if len(found.dropped):
        reasons = "; ".join(f"{count} by {text}" for text, count in found.unmet.items() if count)
        why = reasons or "missing values"
        verb = "was" if len(found.dropped) == 1 else "were"
        notes.append(f"{len(found.dropped)} of {rows} of {table} {verb} filtered out ({why}).")
    taken = "met" if missing == "keep" else "not met"
    notes += [
        f"{count} of {rows} of {table} {'lacks' if count == 1 else 'lack'} a value for {text}, which counts as "
        f"{taken} (missing is {missing})."
        for text, count in found.unknown.items()
        if count
    ]
    return notes
