"""Readouts of an assay into a folder: dose response and fraction positive, with tables, figures and a record."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from cellmetry.core.columns import Column
from cellmetry.errors import ParameterError
from cellmetry.io.atomic import atomic_folder
from cellmetry.io.hashing import content_hash
from cellmetry.io.tables import read_header, read_table, table_file, write_table
from cellmetry.pipeline.record import versions
from cellmetry.stats.dosing import (
    DoseAnalysis,
    DoseResult,
    analyse_doses,
    describe_fits,
    describe_points,
    describe_screen,
)
from cellmetry.stats.gates import control_values, find_threshold
from cellmetry.stats.positive import POSITIVE_COLUMNS, count_positive
from cellmetry.stats.units import Assignment, assign, join_plate_map, need_columns

if TYPE_CHECKING:
    from collections.abc import Container, Mapping, Sequence

    import pandas as pd
    from matplotlib.figure import Figure

    from cellmetry.stats.gates import Gate
    from cellmetry.stats.positive import Threshold

__all__ = [
    "DOSE_RECORD",
    "POSITIVE_RECORD",
    "Positive",
    "TableSource",
    "dose_response_to",
    "fit_doses",
    "positive_to",
    "write_dose_response",
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

    def read(self, columns: Container[str] | None = None) -> pd.DataFrame:
        """Return the table with assigned columns and everything that the plate maps say.

        Parameters
        ----------
        columns
            Columns of the table that are wanted, if it has them; what plate maps are joined on comes too. All if left
            out.
        """
        table = read_table(self.path, columns=None if columns is None else self._wanted(columns))
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

    def _wanted(self, columns: Container[str]) -> list[str]:
        shared = {name for path in self.plate_maps for name in read_header(path)}
        shared |= {each.where for each in self.assignments} | set(self.join.values())
        return [name for name in read_header(self.path) if name in columns or name in shared]

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
    result = fit_doses(source.read(), analysis)
    with atomic_folder(out, marker=DOSE_RECORD) as folder:
        write_dose_response(folder, result)
        said = {"analysis": analysis.model_dump(mode="json"), "caution": result.caution}
        _write_record(folder / DOSE_RECORD, source, said)
    return result


def fit_doses(table: pd.DataFrame, analysis: DoseAnalysis) -> DoseResult:
    """Return curves and screen quality of a table of cells; with a column of replicates also a curve of each."""
    result = analyse_doses(table, analysis)
    if analysis.replicate is None:
        return result
    return replace(result, replicates=import_module(_REPLICATES).fit_replicates(result))


def write_dose_response(folder: Path, result: DoseResult) -> Figure:
    """Return the figure of curves and screen quality after writing it and their tables into a folder."""
    analysis = result.analysis
    write_table(result.points, folder / "points.csv", _present(describe_points(analysis), result.points))
    write_table(result.fits, folder / "fits.csv", _present(describe_fits(analysis), result.fits))
    if result.screen is not None:
        write_table(result.screen, folder / "screen.csv", describe_screen())
    _write_replicates(result, folder)
    figure: Figure = import_module("cellmetry.report.dose_figures").draw_dose_response(result, _paper())
    _write_figure(figure, folder, "dose_response")
    return figure


def _write_replicates(result: DoseResult, folder: Path) -> None:
    if result.replicates is None:
        return
    for name in ("fits", "halves", "contrasts"):
        table = getattr(result.replicates, name)
        write_table(table, folder / f"{'replicates' if name == 'fits' else name}.csv", table.attrs["columns"])


def positive_to(
    out: str | Path, source: TableSource, gate: Gate, *, by: Sequence[str] = (), confidence: float = 0.95
) -> Positive:
    """Return fractions of positive cells after writing ``positive.csv``, the histogram with the threshold, a record.

    Parameters
    ----------
    by
        Columns whose values are counted apart.

    Raises
    ------
    ParameterError
        If the gate has parts of its own (`Gate.within`), or the values do not yield a threshold; says why.
    """
    if gate.within is not None:
        raise ParameterError("One histogram shows one threshold; leave out within.")
    source.refuse_inside(Path(out))
    table = source.read()
    need_columns(table, [gate.value, *by])
    threshold = find_threshold(table, gate)
    counted = count_positive(table, gate.value, threshold, by=by, confidence=confidence)
    said = [Column(name, "", "Group of cells.", "Cellmetry") for name in by]
    with atomic_folder(out, marker=POSITIVE_RECORD) as folder:
        write_table(counted, folder / "positive.csv", (*said, *POSITIVE_COLUMNS))
        drawing = import_module("cellmetry.report.positive_figure")
        values, control = table[gate.value].to_numpy(np.float64), control_values(table, gate)
        figure = drawing.draw_threshold(values, threshold, _paper(), name=gate.value, control=control)
        _write_figure(figure, folder, "threshold")
        asked = {**gate.model_dump(mode="json"), "by": list(by)}
        found = {"value": threshold.value, "source": threshold.source}
        _write_record(folder / POSITIVE_RECORD, source, {"analysis": asked, "threshold": found})
    return Positive(counted, threshold)


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
