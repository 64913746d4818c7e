"""Readouts of an assay into a folder: dose response and fraction positive, with tables, figures and a record."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
import pandas as pd

from cellmetry.core.columns import Column
from cellmetry.errors import ParameterError
from cellmetry.io.atomic import atomic_folder
from cellmetry.io.hashing import content_hash
from cellmetry.io.tables import read_table, table_file, write_table
from cellmetry.pipeline.record import versions
from cellmetry.stats.dosing import (
    DoseAnalysis,
    DoseResult,
    analyse_doses,
    describe_fits,
    describe_points,
    describe_screen,
)
from cellmetry.stats.positive import (
    POSITIVE_COLUMNS,
    ControlRule,
    Threshold,
    control_threshold,
    count_positive,
    fixed_threshold,
    population_threshold,
)
from cellmetry.stats.units import Assignment, assign, join_plate_map, matches, need_columns

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.figure import Figure

__all__ = [
    "DOSE_RECORD",
    "POSITIVE_RECORD",
    "Positive",
    "PositiveAnalysis",
    "TableSource",
    "dose_response_to",
    "positive_to",
]

DOSE_RECORD, POSITIVE_RECORD = "dose_response.json", "positive.json"
"""Files that mark a folder as a readout's, and say what was done."""

_REPLICATES = "cellmetry.stats.comparison.per_replicate"
"""Loaded only where replicates are asked for, since statsmodels is slow to import."""
_FORMATS: tuple[Literal["png", "svg", "pdf"], ...] = ("png", "svg", "pdf")


@dataclass(frozen=True)
class TableSource:
    """A table of cells with what is known of its wells.

    Parameters
    ----------
    path
        CSV, Parquet or Excel; of a workbook the first sheet, or the one of ``plate.xlsx#Layout``.
    plate_maps
        Tables joined to it, one after the other.
    join
        Column of a plate map → column of the table. A map that has none of these is joined on the columns that both
        have.
    assignments
        Columns made from others of the table, before plate maps are joined.
    """

    path: Path
    plate_maps: tuple[Path, ...] = ()
    join: Mapping[str, str] = field(default_factory=dict)
    assignments: tuple[Assignment, ...] = ()

    def read(self) -> pd.DataFrame:
        """Return the table with assigned columns and everything that the plate maps say."""
        table = read_table(self.path)
        table.attrs = {}
        table = assign(table, self.assignments)
        unused = set(self.join)
        for path in self.plate_maps:
            plate_map = read_table(path)
            pairs = {theirs: ours for theirs, ours in self.join.items() if theirs in plate_map.columns}
            unused -= set(pairs)
            table = join_plate_map(table, plate_map, pairs)
        if unused:
            raise ParameterError(f"No plate map has the column {sorted(unused)[0]!r} that --join names.")
        return table

    def refuse_inside(self, out: Path) -> None:
        """Refuse to replace a folder that holds one of these files."""
        for path in (self.path, *self.plate_maps):
            if table_file(path).resolve().is_relative_to(out.resolve()):
                raise ParameterError(f"{path} lies in {out}, which would be replaced; choose another --out.")

    def record(self) -> dict[str, Any]:
        """Return the files with their hashes, and how they were put together, as JSON values."""
        files = [
            {"path": str(path), "sha256": content_hash(table_file(path))} for path in (self.path, *self.plate_maps)
        ]
        return {"inputs": files, "join": dict(self.join), "assigned": [each._asdict() for each in self.assignments]}


class PositiveAnalysis(NamedTuple):
    """What positive means: exactly one of a threshold, a control (column and value) with its rule, or a mixture."""

    value: str
    threshold: float | None = None
    control: tuple[str, str] | None = None
    rule: ControlRule | None = None
    mixture: bool = False
    by: tuple[str, ...] = ()


class Positive(NamedTuple):
    """The fractions of each group with the threshold that they are counted by."""

    table: pd.DataFrame
    threshold: Threshold


def dose_response_to(out: str | Path, source: TableSource, analysis: DoseAnalysis) -> DoseResult:
    """Return curves and screen quality after writing ``fits.csv``, ``points.csv``, ``screen.csv``, figure and record.

    With a column of replicates also ``replicates.csv`` (a curve each), ``halves.csv`` (EC50 of each group among
    replicates) and ``contrasts.csv`` (their ratios). The folder appears when everything is done; one that holds an
    earlier dose response is replaced.

    Raises
    ------
    ParameterError
        If columns, controls or the plate map do not fit the table.
    """
    source.refuse_inside(Path(out))
    result = analyse_doses(source.read(), analysis)
    if analysis.replicate is not None:
        result = replace(result, replicates=import_module(_REPLICATES).fit_replicates(result))
    with atomic_folder(out, marker=DOSE_RECORD) as folder:
        write_table(result.points, folder / "points.csv", _present(describe_points(analysis), result.points))
        write_table(result.fits, folder / "fits.csv", _present(describe_fits(analysis), result.fits))
        if result.screen is not None:
            write_table(result.screen, folder / "screen.csv", describe_screen())
        _write_replicates(result, folder)
        drawing = import_module("cellmetry.report.dose_figures")
        _write_figure(drawing.draw_dose_response(result, _paper()), folder, "dose_response")
        said = {"analysis": analysis.model_dump(mode="json"), "caution": result.caution}
        _write_record(folder / DOSE_RECORD, source, said)
    return result


def _write_replicates(result: DoseResult, folder: Path) -> None:
    if result.replicates is None:
        return
    for name in ("fits", "halves", "contrasts"):
        table = getattr(result.replicates, name)
        write_table(table, folder / f"{'replicates' if name == 'fits' else name}.csv", table.attrs["columns"])


def positive_to(out: str | Path, source: TableSource, analysis: PositiveAnalysis, *, confidence: float) -> Positive:
    """Return fractions of positive cells after writing ``positive.csv``, the histogram with the threshold, a record.

    Raises
    ------
    ParameterError
        If not exactly one way to a threshold is given, or the values do not yield one; says why.
    """
    source.refuse_inside(Path(out))
    table = source.read()
    need_columns(table, [analysis.value, *analysis.by])
    if not pd.api.types.is_numeric_dtype(table[analysis.value]):
        raise ParameterError(f"The column {analysis.value!r} does not hold numbers; choose one that does.")
    values = table[analysis.value].to_numpy(np.float64)
    control = _control(table, analysis)
    threshold = _threshold(values, control, analysis)
    counted = count_positive(table, analysis.value, threshold, by=analysis.by, confidence=confidence)
    said = [Column(name, "", "Group of cells.", "Cellmetry") for name in analysis.by]
    with atomic_folder(out, marker=POSITIVE_RECORD) as folder:
        write_table(counted, folder / "positive.csv", (*said, *POSITIVE_COLUMNS))
        drawing = import_module("cellmetry.report.positive_figure")
        figure = drawing.draw_threshold(values, threshold, _paper(), name=analysis.value, control=control)
        _write_figure(figure, folder, "threshold")
        asked = {**analysis._asdict(), "rule": analysis.rule.model_dump() if analysis.rule else None}
        found = {"value": threshold.value, "source": threshold.source}
        _write_record(folder / POSITIVE_RECORD, source, {"analysis": asked, "threshold": found})
    return Positive(counted, threshold)


def _threshold(
    values: np.ndarray[Any, np.dtype[np.float64]],
    control: np.ndarray[Any, np.dtype[np.float64]] | None,
    analysis: PositiveAnalysis,
) -> Threshold:
    ways = [analysis.threshold is not None, control is not None, analysis.mixture]
    if sum(ways) != 1:
        raise ParameterError("Say what positive means in one way: --threshold, --control COLUMN=VALUE or --mixture.")
    if analysis.rule is not None and control is None:
        raise ParameterError("A percentile, or standard deviations above the mean, need a control: --control.")
    if analysis.threshold is not None:
        return fixed_threshold(analysis.threshold)
    return population_threshold(values) if control is None else control_threshold(control, analysis.rule)


def _control(table: pd.DataFrame, analysis: PositiveAnalysis) -> np.ndarray[Any, np.dtype[np.float64]] | None:
    if analysis.control is None:
        return None
    column, value = analysis.control
    need_columns(table, [column])
    chosen = matches(table[column], value)
    if not chosen.any():
        raise ParameterError(f"No cell has {column} = {value}, so there is no control.")
    return np.asarray(table.loc[chosen, analysis.value], np.float64)


def _present(columns: Sequence[Column], table: pd.DataFrame) -> tuple[Column, ...]:
    return tuple(column for column in columns if column.name in table.columns)


def _paper() -> Any:
    return import_module("cellmetry.report.figures").PAPER


def _write_figure(figure: Figure, folder: Path, name: str) -> None:
    """Write a figure as PNG, SVG and PDF; matplotlib, slow to import, is loaded only for it."""
    for form in _FORMATS:
        (folder / f"{name}.{form}").write_bytes(import_module("cellmetry.report.figures").figure_bytes(figure, form))


def _write_record(path: Path, source: TableSource, said: dict[str, Any]) -> None:
    record = {**source.record(), **said, "versions": versions()}
    path.write_text(json.dumps(record, indent=1), encoding="utf-8")
