"""Results of a study: tables, comparisons, reports, exports; files that lie in the study's folder and never change."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from cellmetry.errors import UnknownName
from cellmetry.io.hashing import content_hash
from cellmetry.study.store.acts import ALIVE, act, hide_row
from cellmetry.study.store.names import new_name

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping
    from pathlib import Path

    from cellmetry.study.store.acts import Actor
    from cellmetry.study.store.store import Store

__all__ = [
    "ResultKind",
    "StoredResult",
    "add_result",
    "hide_result",
    "hide_results_of",
    "result",
    "result_path",
    "results",
    "results_of_job",
]

ResultKind = Literal["table", "comparison", "report", "figure", "export", "run"]


@dataclass(frozen=True)
class StoredResult:
    """A file or folder that a job made.

    Parameters
    ----------
    place
        Where it is, seen from the study's folder.
    details
        What is to be known of it: number of rows, recipe's hash, versions of the labels it was measured on, ….
    """

    id: str
    kind: ResultKind
    name: str
    place: str
    sha256: str
    details: dict[str, Any]
    job_id: str | None
    added_by: int
    removed_by: int | None


def add_result(  # noqa: PLR0913  a row of its table
    store: Store,
    act: int,
    kind: ResultKind,
    name: str,
    path: Path,
    *,
    job_id: str | None = None,
    details: Mapping[str, Any] = {},
    replaces: bool = True,
) -> str:
    """Return the id of a result that lies in the study's folder.

    Parameters
    ----------
    replaces
        Whether it hides an older result of the same kind and name.
    """
    result_id = new_name("res")
    place, sha256 = path.resolve().relative_to(store.folder.resolve()).as_posix(), content_hash(path)
    with store.database.write() as connection:
        if replaces:
            connection.execute(
                f"UPDATE results SET removed_by = ? WHERE kind = ? AND name = ? AND {ALIVE}", (act, kind, name)
            )
        connection.execute(
            "INSERT INTO results (id, kind, name, place, sha256, details, job_id, added_by) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (result_id, kind, name, place, sha256, json.dumps(dict(details)), job_id, act),
        )
    return result_id


def result(store: Store, result_id: str) -> StoredResult:
    """Return a result by its id, also a hidden one.

    Raises
    ------
    UnknownName
        If there is none.
    """
    row = store.database.row("SELECT * FROM results WHERE id = ?", (result_id,))
    if row is None:
        raise UnknownName("result", result_id)
    return _result_of(row)


def results(store: Store, kind: ResultKind | None = None) -> list[StoredResult]:
    """Return the results that are to be seen, of one kind or all, the oldest first."""
    rows = store.database.rows(
        f"SELECT * FROM results WHERE (?1 IS NULL OR kind = ?1) AND {ALIVE} ORDER BY added_by, rowid", (kind,)
    )
    return [_result_of(row) for row in rows]


def hide_result(store: Store, actor: Actor, result_id: str) -> int:
    """Return the act that hid a result; undoing it brings the result back.

    Raises
    ------
    UnknownName
        If there is none.
    ParameterError
        If it is hidden already.
    """
    store.must_be_writable()
    with store.database.write():
        found = result(store, result_id)
        seq = act(store, actor, "remove", f"Remove the {found.kind} {found.name}", result=result_id)
        hide_row(store, seq, "results", result_id)
    return seq


def hide_results_of(store: Store, act: int, table: str) -> None:
    """Let an act hide what belongs to tables of a name that another one takes: profiles, peaks and masks."""
    with store.database.write() as connection:
        connection.execute(
            f"UPDATE results SET removed_by = ? WHERE json_extract(details, '$.of') = ? AND {ALIVE}", (act, table)
        )


def results_of_job(store: Store, job_id: str) -> list[StoredResult]:
    """Return what a job made, also what was hidden since, the oldest first."""
    rows = store.database.rows("SELECT * FROM results WHERE job_id = ? ORDER BY rowid", (job_id,))
    return [_result_of(row) for row in rows]


def result_path(store: Store, found: StoredResult) -> Path:
    """Return where a result lies."""
    return store.folder / found.place


def _result_of(row: sqlite3.Row) -> StoredResult:
    return StoredResult(**{**dict(row), "details": json.loads(row["details"])})
