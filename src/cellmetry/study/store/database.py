"""`Database`: the SQLite file of a study; one writer at a time, whole transactions, failures in plain words."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from cellmetry.errors import DamagedFile, OutputError
from cellmetry.study.store.places import on_network

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

__all__ = ["Database"]

_WAIT_S = 10.0
_REASONS = {
    sqlite3.SQLITE_FULL: "the disk is full; free some space and do it again",
    sqlite3.SQLITE_READONLY: "writing there is not permitted; open a copy of the study in a folder of your own",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened; the folder is not there or not permitted",
    sqlite3.SQLITE_IOERR: "the disk or the network share failed; check the connection and do it again",
    sqlite3.SQLITE_BUSY: "another program is writing to it; wait a moment and do it again",
}
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


class _Held:
    """A connection that is closed when nobody holds it any more, as when the thread that it is for has ended."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    def __del__(self) -> None:
        self.connection.close()


class Database:
    """The SQLite file of a study.

    Threads may share it: each reads through a connection of its own, writing is one transaction at a time. On a local
    disk its journal is a write-ahead log, on a network share, where that is not safe, a rollback journal. Every
    transaction is on the disk when `write` ends.

    The log is put into the file only by `folded`, after a copy of all was made: that copy with the log is the present
    state whatever happens to the file.

    Parameters
    ----------
    path
        The file; it is made if it is not there.
    read_only
        Open without the right to write.
    """

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        self.path, self.read_only = path, read_only
        self._lock, self._local = threading.RLock(), threading.local()
        self._open: WeakSet[_Held] = WeakSet()
        self._first = self._hold()
        self._writer = self._first.connection

    def rows(self, sql: str, values: Sequence[Any] | dict[str, Any] = ()) -> list[sqlite3.Row]:
        """Return the rows that a question gives.

        Inside `write` of the same thread the answer has what was written so far.
        """
        with self._told():
            return self._reader().execute(sql, values).fetchall()

    def row(self, sql: str, values: Sequence[Any] | dict[str, Any] = ()) -> sqlite3.Row | None:
        """Return the first row that a question gives, None if it gives none."""
        found = self.rows(sql, values)
        return found[0] if found else None

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """Yield a connection in a transaction that is on the disk when the block ends, or never was if it fails.

        A block within a block of the same thread belongs to the outer transaction.

        Raises
        ------
        OutputError
            If the disk is full, read-only or failing.
        DamagedFile
            If the file is damaged.
        """
        with self._lock:
            if self.writing:
                yield self._writer
                return
            with self._told():
                self._writer.execute("BEGIN IMMEDIATE")
            self._local.writing = True
            try:
                with self._told():
                    yield self._writer
                    self._writer.execute("COMMIT")
            except BaseException:
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")
                raise
            finally:
                self._local.writing = False

    def check(self) -> list[str]:
        """Return what SQLite finds wrong with the file; nothing if it is whole."""
        try:
            found = [str(row[0]) for row in self._writer.execute("PRAGMA integrity_check")]
        except sqlite3.DatabaseError as error:
            return [str(error)]
        return [] if found == ["ok"] else found

    def copy_to(self, path: Path) -> None:
        """Write a whole copy of the present state into another file.

        Raises
        ------
        DamagedFile
            If what was copied is not whole.
        """
        with self._told():
            target = sqlite3.connect(path)
            try:
                self._own().backup(target)
                wrong = target.execute("PRAGMA quick_check(1)").fetchone()[0]
            finally:
                target.close()
        if wrong != "ok":
            raise DamagedFile(f"{self.path} is damaged ({wrong}); `cellmetry study repair` makes it whole again.")

    @property
    def writing(self) -> bool:
        """Whether this thread is within `write`."""
        return bool(getattr(self._local, "writing", False))

    @property
    def log_size(self) -> int:
        """Bytes of the write-ahead log."""
        try:
            return self.path.with_name(f"{self.path.name}-wal").stat().st_size
        except FileNotFoundError:
            return 0

    @contextmanager
    def folded(self) -> Iterator[None]:
        """Put the write-ahead log into the file after a block in which a copy is made; nobody writes meanwhile.

        The log starts anew with the next transaction.
        """
        with self._lock, self._told(), self.write():
            yield
            self._own().execute("PRAGMA wal_checkpoint(PASSIVE)")

    def close(self) -> None:
        """Close all connections; the write-ahead log is put into the file."""
        with self._lock:
            for held in list(self._open):
                held.connection.close()
            self._open.clear()
            self._local = threading.local()

    def _reader(self) -> sqlite3.Connection:
        return self._writer if self.writing else self._own()

    def _own(self) -> sqlite3.Connection:
        """Return the connection of this thread through which it reads."""
        held: _Held | None = getattr(self._local, "held", None)
        if held is None:
            held = self._local.held = self._hold()
        return held.connection

    def _hold(self) -> _Held:
        held = _Held(self._connect())
        self._open.add(held)
        return held

    def _connect(self) -> sqlite3.Connection:
        mode = "ro" if self.read_only else "rwc"
        with self._told():
            connection = sqlite3.connect(
                f"{self.path.absolute().as_uri()}?mode={mode}",
                uri=True,
                timeout=_WAIT_S,
                isolation_level=None,
                check_same_thread=False,
            )
            connection.row_factory = sqlite3.Row
            try:
                self._prepare(connection)
            except sqlite3.DatabaseError:
                connection.close()
                raise
        return connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        connection.execute("PRAGMA foreign_keys = ON")
        if not self.read_only:
            connection.execute(f"PRAGMA journal_mode = {'DELETE' if on_network(self.path) else 'WAL'}")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA wal_autocheckpoint = 0")
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.IntegrityError:
            raise
        except sqlite3.DatabaseError as error:
            code = (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF
            if code in _DAMAGED:
                raise DamagedFile(
                    f"{self.path} is damaged ({error}); `cellmetry study repair` makes it whole again."
                ) from error
            if code in _REASONS:
                raise OutputError(f"{self.path}: {_REASONS[code]}. What was saved before is unchanged.") from error
            raise
