"""`Runner`: what the server needs of the program's runner of jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from cellmetry.study.store.store import Store

__all__ = ["NoRunner", "Runner"]


class Runner(Protocol):
    """Works on the jobs of all open studies, one runner a program."""

    def start(self) -> None:
        """Begin to take jobs from the queues."""

    def stop(self) -> None:
        """End after the images that are being worked on; their jobs are interrupted."""

    def add(self, store: Store) -> None:
        """Take jobs of a study too."""

    def remove(self, store: Store) -> None:
        """Take no more jobs of a study; those that run are interrupted."""

    def cancel(self, store: Store, job_id: str) -> None:
        """Stop a job."""

    def wake(self) -> None:
        """Look into the queues now."""


class NoRunner:
    """Leaves all jobs in their queues."""

    def start(self) -> None:
        """Do nothing."""

    def stop(self) -> None:
        """Do nothing."""

    def add(self, store: Store) -> None:
        """Do nothing."""

    def remove(self, store: Store) -> None:
        """Do nothing."""

    def cancel(self, store: Store, job_id: str) -> None:
        """Do nothing."""

    def wake(self) -> None:
        """Do nothing."""
