"""`Database`: the SQLite file of a study; one writer at a time, whole transactions, failures in plain words."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from cellmetry.errors import DamagedFile, OutputError, StudyBusy
from cellmetry.study.store.patience import BUSY, USUAL, Patience, sqlite_code
from cellmetry.study.store.places import on_network

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

__all__ = ["Database", "told"]

_TRY_S = 1.0
"""How long SQLite tries by itself while another program writes; then the patience of who waits is asked."""
_REASONS = {
    sqlite3.SQLITE_FULL: "the disk is full; free some space and do it again",
    sqlite3.SQLITE_READONLY: "writing there is not permitted; open a copy of the study in a folder of your own",
    sqlite3.SQLITE_PERM: "writing there is not permitted; open a copy of the study in a folder of your own",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened; the folder is not there or not permitted",
    sqlite3.SQLITE_IOERR: "the disk or the network share failed; check the connection and do it again",
    sqlite3.SQLITE_BUSY: "another program is writing to it; wait a moment and do it again",
    sqlite3.SQLITE_PROTOCOL: "another program is writing to it; wait a moment and do it again",
}
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_NO_ROOM = sqlite3.SQLITE_IOERR | 19 << 8
"""SQLITE_IOERR_SHMSIZE: the index of the write-ahead log could not be made, as on a full disk."""
_FOREIGN = "unsupported file format"
"""What SQLite says, without a code of its own, of a header whose numbers are impossible."""


@contextmanager
def told(path: Path) -> Iterator[None]:
    """Say in plain words what SQLite says of a database.

    Raises
    ------
    DamagedFile
        If the file itself is damaged.
    StudyBusy
        If another program writes to it.
    OutputError
        If the disk is full, read-only or failing.
    """
    try:
        yield
    except sqlite3.IntegrityError:
        raise
    except sqlite3.DatabaseError as error:
        code = sqlite_code(error)
        if code in _DAMAGED or _FOREIGN in str(error):
            raise DamagedFile(f"{path} is damaged ({error}); `cellmetry study repair` makes it whole again.") from error
        if code in _REASONS:
            kind = StudyBusy if code in BUSY else OutputError
            full = getattr(error, "sqlite_errorcode", 0) == _NO_ROOM
            why = _REASONS[sqlite3.SQLITE_FULL if full else code]
            raise kind(f"{path}: {why}. What was saved before is unchanged.") from error
        raise


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
    patience
        How long to wait while another program writes.
    """

    def __init__(self, path: Path, *, read_only: bool = False, patience: Patience = USUAL) -> None:
        self.path, self.read_only, self._patience = path, read_only, patience
        self.copied: tuple[int, int] | None = None
        """Size and time of the file when a copy of all that is saved was last made."""
        self._lock, self._local = threading.RLock(), threading.local()
        self._open: WeakSet[_Held] = WeakSet()
        self._first = self._hold()
        self._writer = self._first.connection

    def rows(self, sql: str, values: Sequence[Any] | dict[str, Any] = ()) -> list[sqlite3.Row]:
        """Return the rows that a question gives.

        Inside `write` of the same thread the answer has what was written so far.
        """
        reader = self._reader()
        with self._told():
            return self._patience.wait_for(lambda: reader.execute(sql, values).fetchall())

    def row(self, sql: str, values: Sequence[Any] | dict[str, Any] = ()) -> sqlite3.Row | None:
        """Return the first row that a question gives, None if it gives none."""
        found = self.rows(sql, values)
        return found[0] if found else None

    @contextmanager
    def write(self, *, wait_s: float | None = None) -> Iterator[sqlite3.Connection]:
        """Yield a connection in a transaction that is on the disk when the block ends, or never was if it fails.

        A block within a block of the same thread belongs to the outer transaction.

        Parameters
        ----------
        wait_s
            How long to wait while another program writes, where that is not as long as usual.

        Raises
        ------
        StudyBusy
            If another program writes all the time.
        OutputError
            If the disk is full, read-only or failing.
        DamagedFile
            If the file is damaged.
        """
        with self._lock:
            if self.writing:
                yield self._writer
                return
            patience = self._patience if wait_s is None else Patience(wait_s)
            with self._told():
                patience.wait_for(lambda: self._writer.execute("BEGIN IMMEDIATE"))
            self._local.writing = True
            try:
                with self._told():
                    yield self._writer
                    patience.wait_for(lambda: self._writer.execute("COMMIT"))
            except BaseException:
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")
                raise
            finally:
                self._local.writing = False

    def check(self, *, quick: bool = False) -> list[str]:
        """Return what SQLite finds wrong with the file; nothing if it is whole.

        Parameters
        ----------
        quick
            Leave out whether indices agree with their tables.

        Raises
        ------
        OutputError
            If it cannot be read: that says nothing about what is in it.
        """
        try:
            found = [str(row[0]) for row in self.rows(f"PRAGMA {'quick' if quick else 'integrity'}_check")]
        except DamagedFile as error:
            return [str(error.__cause__ or error)]
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
            found = self.path.stat()
            self.copied = (found.st_size, found.st_mtime_ns)

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
                timeout=_TRY_S,
                isolation_level=None,
                check_same_thread=False,
            )
            connection.row_factory = sqlite3.Row
            try:
                self._patience.wait_for(lambda: self._prepare(connection))
            except BaseException:
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

    def _told(self) -> AbstractContextManager[None]:
        return told(self.path)
