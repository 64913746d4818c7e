"""Half-written files that killed programs left in a study: removed when it is opened, unless somebody writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cellmetry.io.atomic import clean_leftovers
from cellmetry.study.store.jobs import JobState, jobs
from cellmetry.study.store.lock import take_lock

if TYPE_CHECKING:
    from pathlib import Path

    from cellmetry.study.store.jobs import StoredJob
    from cellmetry.study.store.store import Store

__all__ = ["clear_leftovers"]

_PLACES = ("pyramids", "uploads", "models", "labels")
_RAN: tuple[JobState, ...] = ("running", "stopping", "interrupted")


def clear_leftovers(store: Store) -> list[Path]:
    """Return what was removed below the folder of a study that this program has just opened for writing.

    A worker of a server that was killed may still finish its image: then all stays until the study is opened again.
    """
    ran = [each for state in _RAN for each in jobs(store, state)]
    if any(_has_worker(store, each) for each in ran):
        return []
    folders = [store.folder / place for place in _PLACES]
    for each in (store.folder / "jobs" / job.id for job in ran):
        folders += [each, *(inside for inside in each.rglob("*") if inside.is_dir())]
    return [left for folder in folders for left in clean_leftovers(folder, older_than_s=0.0)]


def _has_worker(store: Store, ran: StoredJob) -> bool:
    place = store.folder / "jobs" / ran.id
    if not place.is_dir():
        return False
    lock = take_lock(place, "cellmetry")
    if lock is not None:
        lock.release()
    return lock is None
