"""Acts: what was done to a study, by whom, in order; every one can be undone and done again.

Nothing that an act added is deleted when it is undone: it is hidden, and comes back with redo. An act of editing labels
is undone by the edits' own log (`edits.py`), since its place may have been changed since.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from cellmetry.errors import ParameterError, UnknownName

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from cellmetry.study.store.store import Store

__all__ = [
    "ALIVE",
    "Act",
    "Actor",
    "act",
    "acts",
    "acts_of_ids",
    "find_act",
    "mark_undone",
    "undo_act",
    "undoable",
    "undone_first",
    "words_of_undoing",
]

ALIVE = "added_by IN (SELECT seq FROM holding) AND (removed_by IS NULL OR removed_by NOT IN (SELECT seq FROM holding))"
"""SQL that keeps what was added by an act that holds and not removed by one."""


@dataclass(frozen=True)
class Actor:
    """Who does something, and by which way: web, cli, python, rest or mcp."""

    who: str
    via: str


@dataclass(frozen=True)
class Act:
    """One line of a study's history.

    Parameters
    ----------
    undone_by
        The act that undid it; None if it holds.
    """

    seq: int
    at: str
    who: str
    via: str
    verb: str
    summary: str
    details: dict[str, Any]
    undoes: int | None
    undone_by: int | None


def act(store: Store, actor: Actor, verb: str, summary: str, **details: Any) -> int:
    """Return the number of a new act; call it within the transaction that does what it says."""
    with store.database.write() as connection:
        return _insert(connection, actor, verb, summary, details, undoes=None)


def acts(store: Store, *, before: int | None = None, limit: int = 100) -> list[Act]:
    """Return the last acts, newest first; those with numbers below `before`."""
    rows = store.database.rows("SELECT * FROM acts WHERE seq < ? ORDER BY seq DESC LIMIT ?", (before or 1 << 62, limit))
    return [_act_of(row) for row in rows]


def find_act(store: Store, seq: int) -> Act:
    """Return one act.

    Raises
    ------
    UnknownName
        If there is none of this number.
    """
    row = store.database.row("SELECT * FROM acts WHERE seq = ?", (seq,))
    if row is None:
        raise UnknownName("act number", str(seq), ())
    return _act_of(row)


def acts_of_ids(store: Store, seqs: Sequence[int]) -> dict[int, Act]:
    """Return acts by their numbers."""
    marks = ", ".join("?" * len(seqs))
    rows = store.database.rows(f"SELECT * FROM acts WHERE seq IN ({marks})", list(seqs))
    return {row["seq"]: _act_of(row) for row in rows}


def undoable(store: Store, who: str | None = None) -> Act | None:
    """Return the last act (of one person) that holds and is not itself the undoing of another."""
    row = store.database.row(
        "SELECT * FROM acts WHERE seq IN (SELECT seq FROM holding) AND (?1 IS NULL OR who = ?1) "
        "AND seq NOT IN (SELECT act FROM edits WHERE version IS NULL) ORDER BY seq DESC LIMIT 1",
        (who,),
    )
    return None if row is None else _act_of(row)


def undo_act(store: Store, actor: Actor, seq: int) -> int:
    """Return the number of the act that undoes another: what that added is hidden, what it removed is back.

    Undoing an act of undoing does the first one again; undoing that too undoes the first one. Acts of editing labels
    are undone by `edits.reverse_edit`.

    Raises
    ------
    ParameterError
        If the act is undone already.
    """
    with store.database.write() as connection:
        seq = undone_first(store, seq)
        found = find_act(store, seq)
        if found.undone_by is not None:
            raise ParameterError(f"Act {seq} ({found.summary}) is undone already, by act {found.undone_by}.")
        verb, summary = words_of_undoing(found)
        new = _insert(connection, actor, verb, summary, {}, undoes=seq)
        mark_undone(connection, seq, new)
        return new


def words_of_undoing(found: Act) -> tuple[str, str]:
    """Return verb and summary of the act that undoes another."""
    again = found.undoes is not None
    return "redo" if again else "undo", f"{'Redo' if again else 'Undo'}: {found.summary.removeprefix('Undo: ')}"


def mark_undone(connection: sqlite3.Connection, seq: int, by: int) -> None:
    """Note that an act is undone by another; if it was itself the undoing of a third, that one holds again."""
    connection.execute("UPDATE acts SET undone_by = ? WHERE seq = ?", (by, seq))
    connection.execute("UPDATE acts SET undone_by = NULL WHERE seq = (SELECT undoes FROM acts WHERE seq = ?)", (seq,))


def undone_first(store: Store, seq: int) -> int:
    """Return the act that is to be undone for an act: for a redo the one that it did again, else itself.

    Raises
    ------
    UnknownName
        If there is none of this number.
    """
    found = find_act(store, seq)
    while found.verb == "redo" and found.undoes is not None:
        undoing = find_act(store, found.undoes)
        found = find_act(store, undoing.undoes or undoing.seq)
    return found.seq


def _insert(
    connection: sqlite3.Connection, actor: Actor, verb: str, summary: str, details: dict[str, Any], undoes: int | None
) -> int:
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    cursor = connection.execute(
        "INSERT INTO acts (at, who, via, verb, summary, details, undoes) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (now, actor.who, actor.via, verb, summary, json.dumps(details), undoes),
    )
    return int(cursor.lastrowid or 0)


def _act_of(row: sqlite3.Row) -> Act:
    return Act(**{**dict(row), "details": json.loads(row["details"])})
