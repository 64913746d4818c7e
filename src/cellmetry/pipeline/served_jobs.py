"""What is looked at before a job is put into the queue, so that a wrong request is refused at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cellmetry.errors import ParameterError
from cellmetry.pipeline.served_recipes import paths_in, refuse_engine_paths

if TYPE_CHECKING:
    from cellmetry.pipeline.jobs.kind import JobKind
    from cellmetry.pipeline.jobs.limits import JobLimits
    from cellmetry.study.store.store import Store

__all__ = ["check_job"]


def check_job(store: Store, wanted: JobKind, limits: JobLimits | None = None) -> None:
    """Refuse a job whose recipe is wrong, or that names a model that is not there, or files of the server's computer.

    Parameters
    ----------
    limits
        Those of the runner that will work it, where that is known: a job that takes longer is refused too.

    Raises
    ------
    ParameterError, ModelError
        If it is; says what is wrong.
    """
    if limits is not None and wanted.takes_s > limits.job_s:
        raise ParameterError(f"The job takes {wanted.takes_s:g} s, and a job here may take {limits.job_s:g} s.")
    paths = paths_in(wanted)
    if paths:
        raise ParameterError(f"The job names {paths[0]}, a file of the server's computer; give ids of the study.")
    wanted.check(store)
    recipe = wanted.recipe_for(store)
    if recipe is not None:
        refuse_engine_paths(recipe)
