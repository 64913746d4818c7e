"""Jobs of a study: the one queue that server and command line share, with what was said of each."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from cellmetry.errors import ParameterError, UnknownName
from cellmetry.study.store.acts import find_act
from cellmetry.study.store.names import new_name
from cellmetry.study.store.units import forget_units

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping

    from cellmetry.study.store.acts import Actor
    from cellmetry.study.store.store import Store

__all__ = [
    "ENDED",
    "FIGURES",
    "JobEvent",
    "JobState",
    "StoredJob",
    "add_job",
    "cancel_job",
    "events_of",
    "interrupted",
    "job",
    "jobs",
    "next_job",
    "note",
    "resume_job",
    "set_act",
    "set_state",
    "tell_progress",
]

JobState = Literal["queued", "running", "stopping", "done", "failed", "cancelled", "interrupted"]
ENDED = ("done", "failed", "cancelled", "interrupted")
"""States in which nothing more happens by itself; interrupted and cancelled and failed ones can be resumed."""
FIGURES = ("progress", "learning")
"""Kinds of events whose text is JSON: numbers, for those who watch a job, and no lines to read."""
_CLOCK = {"running": "started", **dict.fromkeys(ENDED, "ended")}


@dataclass(frozen=True)
class StoredJob:
    """A job.

    Parameters
    ----------
    kind
        What is done: segment, measure, compare, train, ….
    parameters
        With what, as the request said.
    task, done, total
        How far it is.
    error
        Why it failed, in a sentence.
    result
        Ids of what it made.
    act
        The act by which its results came.
    """

    seq: int
    id: str
    kind: str
    parameters: dict[str, Any]
    state: JobState
    who: str
    via: str
    created: str
    started: str | None
    ended: str | None
    task: str
    done: int
    total: int
    error: str
    result: dict[str, Any]
    act: int | None


@dataclass(frozen=True)
class JobEvent:
    """Something that was said of a job: a change of its state, progress, a warning, a line of its log."""

    seq: int
    job_id: str
    at: str
    kind: str
    text: str


def add_job(store: Store, actor: Actor, kind: str, parameters: Mapping[str, Any]) -> str:
    """Return the id of a new job at the end of the queue. Any program may add one while another has the study open."""
    job_id = new_name("job")
    with store.database.write() as connection:
        connection.execute(
            "INSERT INTO jobs (id, kind, parameters, state, who, via, created) VALUES (?, ?, ?, 'queued', ?, ?, ?)",
            (job_id, kind, json.dumps(dict(parameters)), actor.who, actor.via, _now()),
        )
        _event(connection, job_id, "state", "queued")
    return job_id


def job(store: Store, job_id: str) -> StoredJob:
    """Return a job by its id.

    Raises
    ------
    UnknownName
        If there is none.
    """
    row = store.database.row("SELECT * FROM jobs WHERE id = ?", (job_id,))
    if row is None:
        raise UnknownName("job", job_id)
    return _job_of(row)


def jobs(store: Store, state: JobState | None = None) -> list[StoredJob]:
    """Return all jobs, or those in one state, the oldest first."""
    rows = store.database.rows("SELECT * FROM jobs WHERE ?1 IS NULL OR state = ?1 ORDER BY seq", (state,))
    return [_job_of(row) for row in rows]


def next_job(store: Store, kind: str | None = None, *, but: str | None = None) -> StoredJob | None:
    """Return the job that has waited longest after noting that it runs; None if none waits.

    Parameters
    ----------
    kind, but
        Only jobs of one kind, or of all but one.
    """
    wanted = "(?1 IS NULL OR kind = ?1) AND (?2 IS NULL OR kind <> ?2)"
    waits = f"SELECT * FROM jobs WHERE state = 'queued' AND {wanted} ORDER BY seq LIMIT 1"
    if store.database.row(waits, (kind, but)) is None:
        return None
    with store.database.write():
        row = store.database.row(waits, (kind, but))
        if row is None:
            return None
        set_state(store, row["id"], "running")
    return job(store, row["id"])


def set_state(
    store: Store,
    job_id: str,
    state: JobState,
    *,
    error: str = "",
    result: Mapping[str, Any] | None = None,
    act: int | None = None,
) -> None:
    """Note that a job came to another state."""
    with store.database.write() as connection:
        clock = _CLOCK.get(state)
        if clock is not None:
            connection.execute(f"UPDATE jobs SET {clock} = ? WHERE id = ?", (_now(), job_id))
        connection.execute(
            "UPDATE jobs SET state = ?, error = ?, result = ifnull(?, result), act = ifnull(?, act) WHERE id = ?",
            (state, error, None if result is None else json.dumps(dict(result)), act, job_id),
        )
        _event(connection, job_id, "state", state)
        if error:
            _event(connection, job_id, "error", error)


def set_act(store: Store, job_id: str, act: int) -> None:
    """Note by which act the results of a job come."""
    with store.database.write() as connection:
        connection.execute("UPDATE jobs SET act = ? WHERE id = ?", (act, job_id))


def tell_progress(store: Store, job_id: str, far: tuple[str, int, int], *, wait_s: float | None = None) -> None:
    """Note how far a job is; call it a few times a second at most.

    Parameters
    ----------
    far
        The task, and how much of how much of it is done.
    wait_s
        How long to wait while another program writes, where that is not as long as usual.
    """
    task, done, total = far
    with store.database.write(wait_s=wait_s) as connection:
        connection.execute("UPDATE jobs SET task = ?, done = ?, total = ? WHERE id = ?", (task, done, total, job_id))
        _event(connection, job_id, "progress", json.dumps({"task": task, "done": done, "total": total}))


def note(store: Store, job_id: str, kind: str, text: str) -> None:
    """Add a line to a job's log; that of a kind of `FIGURES` is JSON."""
    with store.database.write() as connection:
        _event(connection, job_id, kind, text)


def events_of(
    store: Store, job_id: str, *, after: int = 0, limit: int = 1000, kind: str | None = None
) -> list[JobEvent]:
    """Return what was said of a job after an event, of one kind or all, the oldest first."""
    rows = store.database.rows(
        "SELECT * FROM job_events WHERE job_id = ?1 AND seq > ?2 AND (?3 IS NULL OR kind = ?3) ORDER BY seq LIMIT ?4",
        (job_id, after, kind, limit),
    )
    return [JobEvent(**dict(row)) for row in rows]


def resume_job(store: Store, job_id: str) -> None:
    """Put a job that was interrupted, cancelled or failed back into the queue; finished images are not done again.

    Images that failed are tried again.

    Raises
    ------
    ParameterError
        If it is done, waits or runs, or what it had made was undone.
    """
    with store.database.write():
        found = job(store, job_id)
        if found.state not in ("interrupted", "cancelled", "failed"):
            raise ParameterError(f"The job {job_id} is {found.state}; only one that was stopped can be resumed.")
        if found.act is not None and find_act(store, found.act).undone_by is not None:
            raise ParameterError(
                f"What the job {job_id} had made was undone (act {found.act}); redo that first, or submit the job anew."
            )
        forget_units(store, job_id, failed=True)
        set_state(store, job_id, "queued")


def cancel_job(store: Store, job_id: str) -> None:
    """Take a job out of the queue, or ask who works on it to stop; a job that has ended stays as it is.

    Any program may ask.
    """
    with store.database.write():
        state = job(store, job_id).state
        if state == "queued":
            set_state(store, job_id, "cancelled")
        elif state == "running":
            set_state(store, job_id, "stopping")


def interrupted(store: Store) -> list[StoredJob]:
    """Return the jobs that ran when their program ended, after noting that they were interrupted.

    Call it once, right after a study was opened for writing.
    """
    with store.database.write():
        found = [*jobs(store, "running"), *jobs(store, "stopping")]
        for each in found:
            set_state(store, each.id, "interrupted")
    return found


def _event(connection: sqlite3.Connection, job_id: str, kind: str, text: str) -> None:
    connection.execute(
        "INSERT INTO job_events (job_id, at, kind, text) VALUES (?, ?, ?, ?)", (job_id, _now(), kind, text)
    )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _job_of(row: sqlite3.Row) -> StoredJob:
    return StoredJob(**{**dict(row), "parameters": json.loads(row["parameters"]), "result": json.loads(row["result"])})
