"""Ways to do many jobs: one after the other, or in several processes; outcomes come in any order."""

from __future__ import annotations

import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from typing import TYPE_CHECKING

from cellmetry.core.progress import SILENT
from cellmetry.pipeline.work import Job, Outcome, do_job

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cellmetry.core.progress import Progress

__all__ = ["in_processes", "one_by_one"]


def one_by_one(jobs: Sequence[Job], progress: Progress = SILENT) -> Iterator[tuple[int, Outcome]]:
    """Yield the place and outcome of each job, done in this process; a single job tells its own progress."""
    for place, job in enumerate(jobs):
        yield place, do_job(job, progress if len(jobs) == 1 else SILENT)


def in_processes(jobs: Sequence[Job], workers: int) -> Iterator[tuple[int, Outcome]]:
    """Yield the place and outcome of each job, done in `workers` processes.

    A job that kills its process is found by doing what was left one at a time, each in a process of its
    own, and reported as failed; the others go on.
    """
    left = set(range(len(jobs)))
    try:
        for place, outcome in _pooled(jobs, sorted(left), workers):
            left.discard(place)
            yield place, outcome
    except BrokenProcessPool:
        for place in sorted(left):
            yield place, _alone(jobs[place])


def _pooled(jobs: Sequence[Job], places: Sequence[int], workers: int) -> Iterator[tuple[int, Outcome]]:
    threads = max(1, (os.cpu_count() or 1) // workers)
    context = multiprocessing.get_context("spawn")
    others = set(multiprocessing.active_children())
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_share_processor, initargs=(threads,))
    try:
        futures = {pool.submit(do_job, jobs[place]): place for place in places}
        for future in as_completed(futures):
            yield futures[future], future.result()
    except BaseException:
        for process in set(multiprocessing.active_children()) - others:
            process.terminate()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _share_processor(threads: int) -> None:
    """Let the networks of this worker use its part of the processor, unless the user said how much."""
    os.environ.setdefault("CELLMETRY_THREADS", str(threads))


def _alone(job: Job) -> Outcome:
    try:
        [(_, outcome)] = _pooled([job], [0], 1)
    except BrokenProcessPool:
        reason = f"{job.ref.name} ended its worker process (out of memory, or a crash in a library)."
        return Outcome(job.ref.name, job.ref.text, job.ref.scene, job.ref.parts, "failed", reason)
    return outcome
