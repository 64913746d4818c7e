"""The one act by which all results of a job come, however often it was interrupted: undoing it hides them all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cellmetry.study.store.acts import act, find_act
from cellmetry.study.store.jobs import job, set_act

if TYPE_CHECKING:
    from cellmetry.pipeline.jobs.kind import JobWork

__all__ = ["act_of_job"]


def act_of_job(work: JobWork, verb: str, summary: str) -> int:
    """Return the act of a job; a new one if it has none yet, or it was undone. Call it within a transaction."""
    before = job(work.store, work.job_id).act
    if before is not None and find_act(work.store, before).undone_by is None:
        return before
    seq = act(work.store, work.actor, verb, summary, job=work.job_id)
    set_act(work.store, work.job_id, seq)
    return seq
