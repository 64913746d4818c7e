"""Units of a job, one image each: what is done of it, so that a job that was stopped does only the rest."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping

    from cellmetry.study.store.store import Store

__all__ = ["Unit", "begin_unit", "end_unit", "forget_units", "running_unit", "units_of"]

UnitState = Literal["running", "done", "failed"]


@dataclass(frozen=True)
class Unit:
    """One image of a job.

    Parameters
    ----------
    name
        Id of the image.
    reason
        Why it failed.
    result
        What came of it, as JSON values.
    """

    name: str
    state: UnitState
    reason: str
    result: dict[str, Any]


def begin_unit(store: Store, job_id: str, name: str) -> None:
    """Note that a unit is worked on: if the process dies now, this is where."""
    with store.database.write() as connection:
        connection.execute(
            "INSERT OR REPLACE INTO job_units (job_id, name, state) VALUES (?, ?, 'running')", (job_id, name)
        )


def end_unit(
    store: Store,
    job_id: str,
    name: str,
    state: Literal["done", "failed"],
    *,
    reason: str = "",
    result: Mapping[str, Any] = {},
) -> None:
    """Note what became of a unit; call it in the transaction that keeps its results."""
    with store.database.write() as connection:
        connection.execute(
            "INSERT OR REPLACE INTO job_units (job_id, name, state, reason, result) VALUES (?, ?, ?, ?, ?)",
            (job_id, name, state, reason, json.dumps(dict(result))),
        )


def units_of(store: Store, job_id: str) -> dict[str, Unit]:
    """Return the units of a job that were begun, by name."""
    rows = store.database.rows("SELECT * FROM job_units WHERE job_id = ?", (job_id,))
    return {row["name"]: _unit_of(row) for row in rows}


def running_unit(store: Store, job_id: str) -> str | None:
    """Return the name of the unit that was begun and did not end."""
    row = store.database.row("SELECT name FROM job_units WHERE job_id = ? AND state = 'running'", (job_id,))
    return None if row is None else str(row["name"])


def forget_units(store: Store, job_id: str, *, failed: bool) -> None:
    """Let units that were left half done be tried again, and with `failed` those that failed."""
    states = "('running', 'failed')" if failed else "('running')"
    with store.database.write() as connection:
        connection.execute(f"DELETE FROM job_units WHERE job_id = ? AND state IN {states}", (job_id,))


def _unit_of(row: sqlite3.Row) -> Unit:
    return Unit(row["name"], row["state"], row["reason"], json.loads(row["result"]))
