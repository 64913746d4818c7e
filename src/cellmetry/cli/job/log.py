"""`cellmetry job log`: what was said of a job."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from cellmetry.cli.job.opening import JobId, StudyFolder
from cellmetry.cli.options import Json
from cellmetry.study.store.jobs import FIGURES, events_of, job
from cellmetry.study.store.store import open_store

__all__ = ["log"]


def log(
    study: StudyFolder,
    job_id: JobId,
    progress: Annotated[bool, typer.Option(help="Show lines of progress and of learning too.")] = False,
    after: Annotated[int, typer.Option(min=0, help="Only what was said after the line of this number.")] = 0,
    as_json: Json = False,
) -> None:
    """Show the log of a job: changes of its state, warnings, errors.

    Example: [bold]cellmetry job log edu.cellmetry job_0123456789abcdef[/bold]
    """
    with open_store(study, read_only=True) as store:
        job(store, job_id)
        found = []
        while more := events_of(store, job_id, after=after):
            found += [each for each in more if progress or each.kind not in FIGURES]
            after = more[-1].seq
    if as_json:
        typer.echo(json.dumps([asdict(each) for each in found], indent=1))
        return
    console = Console(soft_wrap=True, highlight=False)
    for each in found:
        console.print(Text(f"{each.at[:19]} {each.kind}: {each.text}"))
