"""`cellmetry job run`: the queue of a study is worked until it is empty."""

from __future__ import annotations

import signal
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.text import Text

from cellmetry.cli.job.opening import StudyFolder, opened
from cellmetry.cli.outcome import EXIT_SOME_FAILED
from cellmetry.cli.progress import terminal_progress
from cellmetry.pipeline.jobs.limits import JobLimits
from cellmetry.pipeline.jobs.runner import JobRunner
from cellmetry.study.store.jobs import jobs

if TYPE_CHECKING:
    from cellmetry.cli.progress import TerminalProgress
    from cellmetry.study.store.jobs import StoredJob
    from cellmetry.study.store.store import Store

__all__ = ["run"]

_POLL_S = 0.2


def run(
    study: StudyFolder,
    memory_gb: Annotated[float | None, typer.Option(min=0.5, help="Memory that all jobs may have together.")] = None,
    image_seconds: Annotated[
        float | None, typer.Option(min=1, help="Longest time for one image; it is given up then.")
    ] = None,
) -> None:
    """Work the queue of a study until it is empty; only while no other program has the study open.

    Ctrl-C stops after the present image; `cellmetry job resume` goes on from there.

    Example: [bold]cellmetry job run edu.cellmetry[/bold]
    """
    limits = JobLimits()
    if memory_gb is not None:
        limits = replace(limits, memory_bytes=int(memory_gb * 1e9))
    if image_seconds is not None:
        limits = replace(limits, image_s=image_seconds)
    with opened(study) as store:
        mine = {each.id for each in jobs(store, "queued")}
        _work(store, limits)
        ended = [each for each in jobs(store) if each.id in mine]
    _say(ended)
    if any(each.state != "done" or each.result.get("failed") for each in ended):
        raise typer.Exit(EXIT_SOME_FAILED)


def _work(store: Store, limits: JobLimits) -> None:
    runner = JobRunner(limits)
    runner.start()
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        runner.add(store)
        with terminal_progress() as progress:
            while not runner.idle:
                _show(store, progress)
                time.sleep(_POLL_S)
    except KeyboardInterrupt:
        Console(stderr=True).print("Stopping after the present image.")
    finally:
        runner.stop()
        signal.signal(signal.SIGTERM, before)


def _show(store: Store, progress: TerminalProgress) -> None:
    """Show how far the jobs that run are: each by one bar, which begins anew with each of its tasks."""
    for each in jobs(store, "running"):
        if each.total:
            progress.show(each.id, f"{each.kind}: {each.task}", done=each.done, total=each.total)


def _say(ended: list[StoredJob]) -> None:
    console = Console(soft_wrap=True, highlight=False)
    for each in ended:
        console.print(Text(f"{each.id} {each.kind}: {each.state}" + (f": {each.error}" if each.error else "")))
        failed = each.result.get("failed") or {}
        for reason in failed.values():
            console.print(Text(f"failed: {reason}", style="red"))
