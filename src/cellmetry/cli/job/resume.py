"""`cellmetry job resume`: a job that was stopped goes on."""

from __future__ import annotations

import typer

from cellmetry.cli.job.opening import JobId, StudyFolder, shared
from cellmetry.study.store.jobs import resume_job

__all__ = ["resume"]


def resume(study: StudyFolder, job_id: JobId) -> None:
    """Put a job that was interrupted, cancelled or failed into the queue again; finished images are not done again.

    Example: [bold]cellmetry job resume edu.cellmetry job_0123456789abcdef[/bold]
    """
    with shared(study) as store:
        resume_job(store, job_id)
    typer.echo(f"{job_id} is queued.")
