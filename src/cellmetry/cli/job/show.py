"""`cellmetry job show`: one job."""

from __future__ import annotations

import json
from dataclasses import asdict

import typer
from rich.console import Console
from rich.text import Text

from cellmetry.cli.job.listing import progress_words
from cellmetry.cli.job.opening import JobId, StudyFolder
from cellmetry.cli.options import Json
from cellmetry.study.store.jobs import job
from cellmetry.study.store.store import open_store

__all__ = ["show"]


def show(study: StudyFolder, job_id: JobId, as_json: Json = False) -> None:
    """Show one job: what was asked, how far it is, what it made, why it failed.

    Example: [bold]cellmetry job show edu.cellmetry job_0123456789abcdef[/bold]
    """
    with open_store(study, read_only=True) as store:
        found = job(store, job_id)
    if as_json:
        typer.echo(json.dumps(asdict(found), indent=1))
        return
    console = Console(soft_wrap=True, highlight=False)
    console.print(Text(f"{found.id}: {found.kind}, {found.state}", style="bold"))
    said = {
        "asked by": f"{found.who} ({found.via}), {found.created[:19]}",
        "progress": progress_words(found),
        "error": found.error,
        "with": json.dumps(found.parameters) if found.parameters else "",
        "result": json.dumps(found.result) if found.result else "",
    }
    for name, text in said.items():
        if text:
            console.print(Text(f"{name}: {text}"))
