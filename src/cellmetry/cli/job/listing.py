"""`cellmetry job list`: the jobs of a study, the newest last."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cellmetry.cli.job.opening import StudyFolder
from cellmetry.cli.options import Json
from cellmetry.study.store.jobs import jobs
from cellmetry.study.store.store import open_store

if TYPE_CHECKING:
    from cellmetry.study.store.jobs import StoredJob

__all__ = ["list_jobs", "progress_words"]


def list_jobs(study: StudyFolder, as_json: Json = False) -> None:
    """List the jobs of a study: what waits, runs, is done or failed.

    Example: [bold]cellmetry job list edu.cellmetry[/bold]
    """
    with open_store(study, read_only=True) as store:
        found = jobs(store)
    if as_json:
        typer.echo(json.dumps([asdict(each) for each in found], indent=1))
        return
    if not found:
        typer.echo("The study has no jobs yet.")
        return
    table = Table("job", "kind", "state", "progress", "who", "since", box=None)
    for each in found:
        cells = (each.id, each.kind, each.state, progress_words(each), each.who, each.created[:16])
        table.add_row(*(Text(cell) for cell in cells))
    Console(soft_wrap=True, highlight=False).print(table)


def progress_words(job: StoredJob) -> str:
    """Return how far a job is, as ``3 of 10 images``."""
    return f"{job.done} of {job.total} {job.task}" if job.total else ""
