"""What opening a study does about a database that is damaged or gone: nothing that was saved is given up in silence.

The snapshot and the write-ahead log together are the present state (`Database.folded`), whatever happened to the
database itself. If the log is damaged too, what can still be read in the damaged file is taken from there.
"""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import struct
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from cellmetry.errors import DamagedFile, OutputError
from cellmetry.io.atomic import atomic_write
from cellmetry.study.store.database import Database, told

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["DATABASE", "SNAPSHOT", "Mended", "database_faults", "lost_transactions", "mend_database"]

DATABASE, SNAPSHOT = "study.sqlite", "study.snapshot.sqlite"
"""The state of a study, and a whole copy of it as it was when it was last opened, closed or kept up."""
_LOG, _INDEX = "-wal", "-shm"
_HEADER, _FRAME = 32, 24
_MAGIC = (0x377F0682, 0x377F0683)


@dataclass(frozen=True)
class Mended:
    """What was done.

    Parameters
    ----------
    notices
        In sentences.
    older
        Whether the state may be older than what was saved last.
    damaged
        Where the damaged database was kept.
    """

    notices: tuple[str, ...] = ()
    older: bool = False
    damaged: Path | None = None


def mend_database(folder: Path, *, quick: bool = False) -> Mended:
    """Put the last whole state in the place of a database that is damaged or gone, and say what was done.

    If there is no state at all, nothing is put there: the caller makes a new database and fills it from the labels.
    A database that cannot be read now is left alone: only what is damaged is mended.

    Parameters
    ----------
    quick
        Leave out whether indices agree with their tables.

    Raises
    ------
    OutputError
        If the disk is full or failing, or another program writes all the time; the database is as it was.
    """
    path, snapshot = folder / DATABASE, folder / SNAPSHOT
    there = path.is_file() and path.stat().st_size > 0
    wrong = "; ".join(database_faults(path, quick=quick)) if there else ""
    if there and not wrong:
        return Mended(_about_log(path))
    if not there and not snapshot.is_file():
        return Mended()
    found = f"{DATABASE} was damaged ({wrong})" if there else f"{DATABASE} was not there"
    with _told_if_refused(found):
        return _put_in_place(folder, found)


@contextlib.contextmanager
def _told_if_refused(found: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OutputError(f"{found}, and cannot be mended now: {error.strerror or error}") from error


def _put_in_place(folder: Path, found: str) -> Mended:
    """Put the last whole state in the place of the database, which is kept beside it."""
    path, snapshot = folder / DATABASE, folder / SNAPSHOT
    lost_log = lost_transactions(path)
    with tempfile.TemporaryDirectory(prefix=".cellmetry-", suffix=".part", dir=folder) as trial:
        state, with_log = _assembled(snapshot, _log(path), Path(trial) / DATABASE)
        kept = _keep_aside(folder, path)
        where = f"; the damaged one is {kept.name}" if kept else ""
        if state is None:
            for suffix in ("", _LOG, _INDEX):
                path.with_name(path.name + suffix).unlink(missing_ok=True)
            return Mended((f"{found}, and there is no whole {SNAPSHOT} beside it{where}.",), older=True, damaged=kept)
        if not with_log:
            _log(path).unlink(missing_ok=True)
        with atomic_write(path) as copy:
            shutil.copyfile(state, copy)
    for suffix in (_LOG, _INDEX):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    if with_log and not lost_log:
        return Mended((f"{found}; it was made anew from its copy and its log. No change was lost{where}.",))
    saved = datetime.fromtimestamp(snapshot.stat().st_mtime, UTC)
    words = f"{found}; the state of {saved:%Y-%m-%d %H:%M} UTC was put in its place{where}."
    return Mended((words,), older=True, damaged=kept)


def database_faults(path: Path, *, quick: bool = False) -> list[str]:
    """Return what is wrong with a database, nothing if it is whole or not there.

    The write-ahead log is left as it is: it may be needed to make the database anew.

    Raises
    ------
    OutputError
        If it cannot be read, since another program writes or the disk fails: that is no damage.
    """
    if not path.is_file():
        return []
    unfinished = path.with_name(f"{path.name}-journal").is_file()  # a rollback journal: only a writer takes it back
    try:
        database = Database(path, read_only=not unfinished)
    except DamagedFile as error:
        return [str(error.__cause__ or error)]
    try:
        return database.check(quick=quick)[:3]
    finally:
        database.close()


def lost_transactions(path: Path) -> int:
    """Return how many transactions at the end of a database's write-ahead log cannot be read after a damaged one.

    SQLite leaves out, without a word, all that comes after the first damaged page of its log. One that was being
    written when the program ended does not count: nobody was told that it is saved.
    """
    frames = list(_frames(_log(path)))
    broken = next((at for at, frame in enumerate(frames) if not frame.whole), len(frames))
    return max(sum(frame.ends for frame in frames[broken:]) - 1, 0) if broken < len(frames) else 0


def _about_log(path: Path) -> tuple[str, ...]:
    lost = lost_transactions(path)
    if not lost:
        return ()
    return (f"The log of {DATABASE} was damaged: the last {lost} or {lost + 1} changes are lost.",)


def _log(path: Path) -> Path:
    return path.with_name(path.name + _LOG)


def _assembled(snapshot: Path, log: Path, state: Path) -> tuple[Path | None, bool]:
    """Return a whole database of the snapshot and the log, or of the snapshot alone; and whether the log is in it."""
    if not snapshot.is_file():
        return None, False
    logs = ([log] if log.is_file() and log.stat().st_size > _HEADER else []) + [None]
    for each in logs:
        for suffix in ("", _LOG, _INDEX):
            state.with_name(state.name + suffix).unlink(missing_ok=True)
        shutil.copyfile(snapshot, state)
        if each is not None:
            shutil.copyfile(each, _log(state))
        if not _whole_alone(state):
            return state, each is not None
    return None, False


def _whole_alone(state: Path) -> list[str]:
    """Return what is wrong with a database after its log was put into the file."""
    try:
        with told(state), contextlib.closing(sqlite3.connect(state)) as connection:
            found = [str(row[0]) for row in connection.execute("PRAGMA integrity_check(3)")]
            found += [f"{row[0]} refers to nothing" for row in connection.execute("PRAGMA foreign_key_check")]
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except (DamagedFile, sqlite3.DatabaseError) as error:
        return [str(error)]
    return [] if found == ["ok"] else found


def _keep_aside(folder: Path, path: Path) -> Path | None:
    """Return the copy of a damaged database, with its log; None if it is not there."""
    if not path.is_file():
        return None
    kept = folder / f"study.damaged-{datetime.now(UTC):%Y%m%d-%H%M%S}-{uuid4().hex[:4]}.sqlite"
    for suffix in (_LOG, ""):
        source = path.with_name(path.name + suffix)
        if source.is_file():
            with atomic_write(kept.with_name(kept.name + suffix)) as copy:
                shutil.copyfile(source, copy)
    return kept


@dataclass(frozen=True)
class _LogFrame:
    """A page in the log: whether its checksum is right, and whether a transaction ends with it."""

    whole: bool
    ends: bool


def _frames(log: Path) -> Iterator[_LogFrame]:
    """Yield the pages of the present generation of a write-ahead log (https://sqlite.org/fileformat2.html#walformat)."""
    if not log.is_file():
        return
    with log.open("rb") as file:
        header = file.read(_HEADER)
        if len(header) < _HEADER:
            return
        magic, _, page, _, *salts = struct.unpack(">6I", header[:24])
        if magic not in _MAGIC:
            return
        order = ">" if magic & 1 else "<"
        running = _checksum(header[:24], (0, 0), order)
        right = running == struct.unpack(">2I", header[24:])
        while len(head := file.read(_FRAME)) == _FRAME:
            body = file.read(page)
            _, size, *frame_salts = struct.unpack(">4I", head[:16])
            if frame_salts != salts or len(body) < page:
                return
            if right:
                running = _checksum(body, _checksum(head[:8], running, order), order)
                right = running == struct.unpack(">2I", head[16:])
            yield _LogFrame(right, size > 0)


def _checksum(data: bytes, start: tuple[int, int], order: str) -> tuple[int, int]:
    """Return SQLite's checksum of 32-bit words, going on from an earlier one."""
    words = struct.unpack(f"{order}{len(data) // 4}I", data)
    first, second = start
    for one, two in zip(words[::2], words[1::2], strict=True):
        first = (first + one + second) & 0xFFFFFFFF
        second = (second + two + first) & 0xFFFFFFFF
    return first, second
