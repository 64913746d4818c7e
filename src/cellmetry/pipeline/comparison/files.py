"""What a comparison leaves on the disk beside its report: ``comparison.json``, tables, figures, tables for others."""

from __future__ import annotations

import math
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pandas as pd

from cellmetry.core.columns import Column
from cellmetry.export.condition_tables import file_stems, write_condition_tables
from cellmetry.export.prism import column_table, replicate_table
from cellmetry.io.tables import write_table
from cellmetry.pipeline.comparison.settings import FIELDS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from cellmetry.pipeline.comparison.prepare import Compared, Tables
    from cellmetry.pipeline.comparison.settings import CompareSettings

__all__ = ["RECORD", "comparison_values", "rows_as_json", "write_for_others", "write_tables"]

RECORD = "comparison.json"
"""File that marks a folder as a comparison's, and holds what was found."""

_COMPARED = Column("compared", "", "Column that was compared.", "Cellmetry")


def comparison_values(each: Compared) -> dict[str, Any]:
    """Return what was asked and found of one value as JSON values; what is missing is null."""
    found = each.comparison
    return {
        "options": each.asked.model_dump(mode="json"),
        "kind": found.design.kind,
        "paired": found.design.paired,
        "conditions": list(found.design.conditions),
        "replicates": list(found.design.replicates),
        "estimation_only": found.design.estimation_only,
        "omnibus": found.omnibus,
        "notes": list(found.notes),
        **{name: rows_as_json(getattr(found, name)) for name in ("contrasts", "groups", "power")},
        "replicate_values": rows_as_json(found.replicates),
    }


def rows_as_json(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows as JSON values with all their digits; missing and infinite ones are None."""
    return [{str(name): _value(value) for name, value in row.items()} for row in table.to_dict("records")]


def _value(value: Any) -> Any:
    if isinstance(value, str | bool):
        return value
    if pd.isna(value) or (isinstance(value, float) and not math.isfinite(value)):
        return None
    return value.item() if hasattr(value, "item") else value


def write_tables(folder: Path, ready: Tables, compared: Sequence[Compared], columns: Sequence[Column]) -> None:
    """Write contrasts, groups, power, filters and thresholds of all values, replicates of each, as CSV and Parquet."""
    folder.mkdir()
    for name in ("contrasts", "groups", "power"):
        _both(_of_all(compared, name), folder / name)
    for stem, each in zip(_stems(compared), compared, strict=True):
        _both(each.comparison.replicates, folder / f"{stem}_replicates")
    for name, table in (("filters", ready.filters), ("thresholds", ready.thresholds)):
        if len(table):
            _both(table, folder / name)
    for name, table in ready.tables.items():
        known = {column.name: column for column in columns}
        _both(table, folder / name, [known[column] for column in map(str, table.columns) if column in known])


def write_for_others(
    folder: Path, ready: Tables, compared: Sequence[Compared], settings: CompareSettings, columns: Sequence[Column]
) -> list[str]:
    """Return sentences about what was left out of the tables for others, after writing those that are asked for."""
    first, notes = compared[0], []
    cells, order = ready.tables[first.asked.table], first.comparison.design.conditions
    if "conditions" in settings.tables:
        (folder / "conditions").mkdir()
        write_condition_tables(folder / "conditions", cells, first.asked.by, columns=columns, order=order)
    if "prism" in settings.tables:
        (folder / "prism").mkdir()
        for stem, each in zip(_stems(compared), compared, strict=True):
            _write_prism(folder / "prism", stem, ready, each)
    if "r" in settings.tables:
        script = import_module("cellmetry.report.comparison.r_script").r_script
        for stem, each in zip(_stems(compared), compared, strict=True):
            places = {"cells": f"tables/{each.asked.table}.csv", "replicates": f"tables/{stem}_replicates.csv"}
            text = script(each.comparison, settings.style, outputs=f"{stem}_", **places)
            (folder / f"{stem}.R").write_text(text, encoding="utf-8", newline="\n")
    if "workbook" in settings.tables:
        notes += _write_workbook(folder, ready, compared, settings, columns)
    if "anndata" in settings.tables:
        write = import_module("cellmetry.export.anndata_file").write_h5ad
        write(folder / "cells.h5ad", cells, columns)
    return notes


def _write_prism(folder: Path, stem: str, ready: Tables, each: Compared) -> None:
    """Write Prism's columns of replicates, and of cells unless fractions are compared: 0 and 1 make no column."""
    table, design = ready.tables[each.asked.table], each.comparison.design
    if design.kind != "fraction":
        cells = column_table(table, each.asked.value, each.asked.by, order=design.conditions)
        write_table(cells, folder / f"{stem}_cells.csv")
    write_table(replicate_table(each.comparison.replicates, order=design.conditions), folder / f"{stem}_replicates.csv")


def _write_workbook(
    folder: Path, ready: Tables, compared: Sequence[Compared], settings: CompareSettings, columns: Sequence[Column]
) -> list[str]:
    """Return what is not in the workbook as it is in the tables; one that would be too large is not written."""
    excel = import_module("cellmetry.export.workbook")
    first = compared[0]
    names = {"summary": "groups", "contrasts": "contrasts", "replicates": "replicates"}
    found = {sheet: _of_all(compared, name) for sheet, name in names.items()}
    found |= {"filters": ready.filters} if len(ready.filters) else {}
    found |= {FIELDS: ready.tables[FIELDS]} if FIELDS in ready.tables and first.asked.table != FIELDS else {}
    cells, order = ready.tables[first.asked.table], first.comparison.design.conditions
    sheets = excel.result_sheets(cells, first.asked.by, first=found, columns=columns, order=order)
    values = excel.count_cells(sheets)
    if values > settings.workbook_most:
        return [
            f"results.xlsx was not written: {values:,} values are above the limit of {settings.workbook_most:,}; the "
            f"CSV and Parquet tables have all of them."
        ]
    return list(excel.write_workbook(folder / "results.xlsx", sheets))


def _of_all(compared: Sequence[Compared], name: str) -> pd.DataFrame:
    """Return one table of the tables of all values, with the column that was compared first."""
    parts = []
    for each in compared:
        table: pd.DataFrame = getattr(each.comparison, name)
        described = table.attrs.get("columns", ())
        part = table.copy(deep=False)
        part.attrs = {}
        part = part.drop(columns="value", errors="ignore") if name == "contrasts" else part
        part.insert(0, _COMPARED.name, each.asked.value)
        parts.append(part)
    out: pd.DataFrame = pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
    out.attrs["columns"] = (_COMPARED, *(column for column in described if column.name in out.columns))
    return out


def _both(table: pd.DataFrame, path: Path, columns: Sequence[Column] = ()) -> None:
    described = [column for column in columns or table.attrs.get("columns", ()) if column.name in table.columns]
    for suffix in (".csv", ".parquet"):
        write_table(table, path.with_name(f"{path.name}{suffix}"), described)


def _stems(compared: Sequence[Compared]) -> list[str]:
    """Return a name for the files of each value."""
    return file_stems([each.asked.value for each in compared])
