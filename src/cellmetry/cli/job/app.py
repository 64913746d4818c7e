"""`cellmetry job`: gathers the commands for the jobs of a study."""

from __future__ import annotations

import typer

from cellmetry.cli.job.cancel import cancel
from cellmetry.cli.job.listing import list_jobs
from cellmetry.cli.job.log import log
from cellmetry.cli.job.resume import resume
from cellmetry.cli.job.run import run
from cellmetry.cli.job.show import show
from cellmetry.cli.job.submit import submit

__all__ = ["job_app"]

job_app = typer.Typer(
    help="Jobs of a study: put into its queue, watched, stopped, resumed; a server works the same queue.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)
job_app.command("list")(list_jobs)
for command in (submit, show, log, cancel, resume, run):
    job_app.command()(command)
