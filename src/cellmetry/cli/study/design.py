"""`cellmetry study design`: what each image is of, and what is wrong with the design."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import pandas as pd
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cellmetry.cli.options import Json
from cellmetry.core.ordering import natural_key
from cellmetry.pipeline.study.plan import check_plan
from cellmetry.study.design.metadata import design_of, summarise_design, write_design
from cellmetry.study.file import load_study
from cellmetry.study.words import counted

if TYPE_CHECKING:
    from cellmetry.study.design.design import StudyDesign

__all__ = ["EXIT_ERRORS", "design"]

EXIT_ERRORS = 2
"""The design or the plan of the run has an error, so that it cannot be analysed as asked."""

_MOST_COLUMNS = 3
"""Replicates that a terminal has room for beside one another."""
_STYLES = {"error": "red", "warning": "yellow", "note": ""}


def design(
    study: Annotated[Path, typer.Argument(help="Folder NAME.cellmetry/, or its study.toml.")],
    as_json: Json = False,
) -> None:
    """Say which condition and replicate each image is of, and check whether that design can answer the question.

    Also checks what would stop a run: the recipe and its changes, roles and channels, what is compared and drawn.
    Writes design_images.csv, a row for each image, into the study. The exit code is 2 if there is an error.

    Example: [bold]cellmetry study design edu.cellmetry/[/bold]
    """
    loaded = load_study(study)
    found = design_of(loaded)
    path = write_design(loaded, found)
    told = (*check_plan(loaded, found), *found.findings)
    found = replace(found, findings=tuple(sorted(told, key=lambda finding: list(_STYLES).index(finding.severity))))
    if as_json:
        typer.echo(json.dumps({"study": loaded.name, "design": str(path), **_summary(found)}, indent=1))
    else:
        _say(found, path)
    if any(finding.severity == "error" for finding in found.findings):
        raise typer.Exit(EXIT_ERRORS)


def _summary(found: StudyDesign) -> dict[str, Any]:
    counts = summarise_design(found.images)
    return {
        "n_images": len(found.images),
        "n_excluded": int(found.images["excluded"].sum()),
        "groups": counts.astype(object).where(counts.notna(), None).to_dict("records"),
        "findings": [finding._asdict() for finding in found.findings],
    }


def _say(found: StudyDesign, path: Path) -> None:
    console = Console(soft_wrap=True, highlight=False)
    console.print(_table(summarise_design(found.images)))
    for finding in found.findings:
        console.print(Text(f"{finding.severity}: {finding.text}", style=_STYLES[finding.severity]))
    if not found.findings:
        console.print(Text("Nothing was found against this design."))
    console.print(Text(f"What is known of each image: {path}"))


def _table(counts: pd.DataFrame) -> Table:
    """Return conditions as rows and replicates as columns, or their number where they are many."""
    table = Table(title=f"{counts['n_images'].sum()} images, {counts['n_excluded'].sum()} left out", show_lines=False)
    table.add_column("condition")
    replicates = sorted(counts["replicate"].unique(), key=lambda name: (name == "", natural_key(name)))
    if len(replicates) > _MOST_COLUMNS:
        return _with_numbers(table, counts)
    for name in replicates:
        table.add_column(f"replicate {name}" if name else "no replicate", justify="right")
    for condition, rows in counts.groupby("condition", sort=False):
        by_replicate = rows.set_index("replicate")
        cells = [_cell(by_replicate.loc[name]) if name in by_replicate.index else "-" for name in replicates]
        table.add_row(str(condition) or "(none)", *cells)
    return table


def _with_numbers(table: Table, counts: pd.DataFrame) -> Table:
    """Return the table with the number of replicates, wells and images of each condition."""
    for name in ("replicates", "wells", "images", "left out"):
        table.add_column(name, justify="right")
    for condition, rows in counts.groupby("condition", sort=False):
        there = rows.loc[(rows["replicate"] != "") & (rows["n_images"] > 0), "replicate"].nunique()
        wells = "-" if rows["n_wells"].isna().all() else str(rows["n_wells"].sum())
        numbers = (str(there), wells, str(rows["n_images"].sum()), str(rows["n_excluded"].sum()))
        table.add_row(str(condition) or "(none)", *numbers)
    return table


def _cell(row: pd.Series) -> str:
    wells = "" if pd.isna(row["n_wells"]) else f"{counted(int(row['n_wells']), 'well')}, "
    left_out = f" ({row['n_excluded']} left out)" if row["n_excluded"] else ""
    return f"{wells}{counted(int(row['n_images']), 'image')}{left_out}"
