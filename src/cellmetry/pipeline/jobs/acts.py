"""The one act by which all results of a job come, however often it was interrupted: undoing it hides them all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cellmetry.errors import InputError
from cellmetry.study.store.acts import act, find_act
from cellmetry.study.store.jobs import job, set_act

if TYPE_CHECKING:
    from cellmetry.pipeline.jobs.kind import JobWork

__all__ = ["act_of_job"]


def act_of_job(work: JobWork, verb: str, summary: str) -> int:
    """Return the act of a job; a new one if it has none yet. Call it within a transaction.

    Raises
    ------
    InputError
        If it was undone while the job went on: then nobody wants more of it.
    """
    before = job(work.store, work.job_id).act
    if before is not None and find_act(work.store, before).undone_by is not None:
        raise InputError(
            f"What the job had made was undone (act {before}); redo that and resume it, or submit it anew."
        )
    if before is not None:
        return before
    seq = act(work.store, work.actor, verb, summary, job=work.job_id)
    set_act(work.store, work.job_id, seq)
    return seq
