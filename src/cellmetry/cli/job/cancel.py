"""`cellmetry job cancel`: a job is stopped."""

from __future__ import annotations

import typer

from cellmetry.cli.job.opening import JobId, StudyFolder, shared
from cellmetry.study.store.jobs import cancel_job, job

__all__ = ["cancel"]

_WORDS = {"stopping": "is asked to stop; it ends within seconds", "cancelled": "is cancelled"}


def cancel(study: StudyFolder, job_id: JobId) -> None:
    """Take a job out of the queue, or stop it; images that are finished are kept.

    Example: [bold]cellmetry job cancel edu.cellmetry job_0123456789abcdef[/bold]
    """
    with shared(study) as store:
        cancel_job(store, job_id)
        state = job(store, job_id).state
    typer.echo(f"{job_id} {_WORDS.get(state, f'is {state} already')}.")
