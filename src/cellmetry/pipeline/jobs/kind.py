"""`JobKind`: something that a worker does to a study; its fields are the body of the request."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from cellmetry.core.step import Parameters

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cellmetry.core.progress import Progress
    from cellmetry.pipeline.recipe import Recipe
    from cellmetry.study.store.acts import Actor
    from cellmetry.study.store.store import Store

__all__ = ["JobKind", "JobWork"]


@dataclass(frozen=True)
class JobWork:
    """What a job works with.

    Parameters
    ----------
    store
        The study, joined by the worker process.
    folder
        ``jobs/ID/`` in the study's folder: the job's own place, kept when it is resumed.
    actor
        Who asked for it: the acts of its results are theirs.
    progress
        Hears how far it is, and raises `Cancelled` when the job is to stop.
    say
        Adds a line to the job's log: a kind (``warning``, ``log``) and a text.
    """

    store: Store
    job_id: str
    folder: Path
    actor: Actor
    progress: Progress
    say: Callable[[str, str], None]


class JobKind(Parameters):
    """Something that takes time. A subclass sets `name`, declares its fields with a description each, and does it.

    Doing it a second time after an interruption must do only what is missing.
    """

    name: ClassVar[str]
    """The word by which REST, the client, the command line and the log call it."""

    @property
    def takes_s(self) -> float:
        """How many seconds it takes because its parameters say so; 0 where only the work decides."""
        return 0.0

    def recipe_for(self, store: Store) -> Recipe | None:
        """Return the recipe that the job will work, so that a wrong one is refused at once; None if it works none.

        Raises
        ------
        CellmetryError
            If the recipe is wrong, or there is none of its name.
        """
        return None

    def check(self, store: Store) -> None:
        """Refuse what cannot be done, before the job waits in the queue.

        Raises
        ------
        CellmetryError
            If it cannot be done: a model that is named is not there, ….
        """

    @abstractmethod
    def run(self, work: JobWork) -> dict[str, Any]:
        """Return ids of what was made, as JSON values.

        Raises
        ------
        CellmetryError
            If it cannot be done; its sentence is what the user reads.
        """
