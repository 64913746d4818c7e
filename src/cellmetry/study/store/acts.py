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
    "hide_row",
    "mark_undone",
    "undo_act",
    "undoable",
    "undone_first",
    "words_of_undoing",
]

ALIVE = "added_by IN (SELECT seq FROM holding) AND (removed_by IS NULL OR removed_by NOT IN (SELECT seq FROM holding))"
"""SQL that keeps what was added by an act that holds and not removed by one."""

_NAMED = {"labels": ("image_id", "name"), "results": ("kind", "name"), "recipes": ("name",), "images": ("name",)}
"""Tables of which only one row of a name is to be seen, and what is its name."""


@dataclass(frozen=True)
class Actor:
    """Who does something, and by which way: web, cli, python, rest or mcp.

    Parameters
    ----------
    key
        Kept in the details of the act: by it who did it finds it again if no answer came.
    """

    who: str
    via: str
    key: str = ""


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
        raise UnknownName("act number", str(seq))
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


def hide_row(store: Store, act: int, table: str, row_id: str) -> None:
    """Let an act hide what a study has: a row of a table with `added_by` and `removed_by`.

    Raises
    ------
    ParameterError
        If it is hidden already: its act was undone, or it was removed or replaced.
    """
    with store.database.write() as connection:
        hidden = connection.execute(f"UPDATE {table} SET removed_by = ? WHERE id = ? AND {ALIVE}", (act, row_id))
        if not hidden.rowcount:
            raise ParameterError(f"{row_id} is not to be seen any more: it was removed, replaced or undone before.")


def undo_act(store: Store, actor: Actor, seq: int) -> int:
    """Return the number of the act that undoes another: what that added is hidden, what it removed is back.

    Undoing an act of undoing does the first one again; undoing that too undoes the first one. Acts of editing labels
    are undone by `edits.reverse_edit`.

    Two things of one name are never seen. What an act adds again hides what has its name by now, as it did at first;
    what comes back by undoing an act does not hide what took its name since, so that is refused.

    Raises
    ------
    ParameterError
        If the act is undone already, or something newer has the name of what would come back.
    """
    with store.database.write() as connection:
        seq = undone_first(store, seq)
        found = find_act(store, seq)
        if found.undone_by is not None:
            raise ParameterError(f"Act {seq} ({found.summary}) is undone already, by act {found.undone_by}.")
        verb, summary = words_of_undoing(found)
        new = _insert(connection, actor, verb, summary, {}, undoes=seq)
        mark_undone(connection, seq, new)
        _keep_names_apart(store, found)
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


def _keep_names_apart(store: Store, undone: Act) -> None:
    """Hide what has the name of what an act adds again, or refuse what came back where something has its name."""
    if undone.undoes is None:
        for table in _NAMED:
            _refuse_namesakes(store, table, "removed_by", undone.seq)
        return
    _refuse_namesakes(store, "images", "added_by", undone.undoes)
    for table in _NAMED:
        others = [(undone.undoes, each["other"]) for each in _namesakes(store, table, "added_by", undone.undoes)]
        with store.database.write() as connection:
            connection.executemany(f"UPDATE {table} SET removed_by = ? WHERE id = ?", others)


def _refuse_namesakes(store: Store, table: str, column: str, seq: int) -> None:
    for found in _namesakes(store, table, column, seq):
        since = find_act(store, found["since"])
        raise ParameterError(
            f"{found['name']} cannot come back: there is a newer one of this name by act {since.seq} "
            f"({since.summary}); undo that first."
        )


def _namesakes(store: Store, table: str, column: str, seq: int) -> list[sqlite3.Row]:
    """Return what is to be seen beside something of the same name, which an act added or hid."""
    if store.database.row(f"SELECT id FROM {table} WHERE {column} = ? LIMIT 1", (seq,)) is None:
        return []
    same = " AND ".join(f"alive.{key} = other.{key}" for key in _NAMED[table])
    return store.database.rows(
        f"WITH alive AS (SELECT * FROM {table} WHERE {ALIVE}) SELECT alive.name, other.id AS other, other.added_by "
        f"AS since FROM alive JOIN alive AS other ON {same} AND alive.id != other.id WHERE alive.{column} = ?",
        (seq,),
    )


def _insert(
    connection: sqlite3.Connection, actor: Actor, verb: str, summary: str, details: dict[str, Any], undoes: int | None
) -> int:
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    details = {**details, "key": actor.key} if actor.key else details
    cursor = connection.execute(
        "INSERT INTO acts (at, who, via, verb, summary, details, undoes) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (now, actor.who, actor.via, verb, summary, json.dumps(details), undoes),
    )
    return int(cursor.lastrowid or 0)


def _act_of(row: sqlite3.Row) -> Act:
    return Act(**{**dict(row), "details": json.loads(row["details"])})
