"""`Store`: a study opened for work; it heals itself on opening and says what it found."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from cellmetry.errors import CellmetryError, DamagedFile, MissingInput, OutputError, StudyInUse
from cellmetry.io.atomic import atomic_write, clean_leftovers
from cellmetry.study.store.database import Database
from cellmetry.study.store.lock import read_holder, take_lock
from cellmetry.study.store.places import writable
from cellmetry.study.store.schema import VERSION, make_tables, migrate, stored_version

if TYPE_CHECKING:
    from types import TracebackType

    from cellmetry.study.store.lock import StudyLock

__all__ = ["DATABASE", "SNAPSHOT", "Store", "join_store", "new_name", "open_store"]

DATABASE, SNAPSHOT = "study.sqlite", "study.snapshot.sqlite"
"""The state of a study, and a whole copy of it as it was when it was last opened well or closed."""


@dataclass(frozen=True)
class Store:
    """A study that is open.

    Parameters
    ----------
    folder
        ``NAME.cellmetry/``.
    read_only
        Why nothing can be changed, as a sentence; empty if all can.
    notices
        What was found and mended on opening, in sentences.
    """

    folder: Path
    database: Database
    lock: StudyLock | None
    read_only: str = ""
    notices: tuple[str, ...] = ()
    _temporary: tempfile.TemporaryDirectory[str] | None = field(default=None, repr=False)

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def id(self) -> str:
        """Name of the study that stays when its folder is renamed or copied."""
        row = self.database.row("SELECT value FROM about WHERE key = 'id'")
        return "" if row is None else str(row["value"])

    def must_be_writable(self) -> None:
        """Refuse to change a study that is open for reading only.

        Raises
        ------
        StudyInUse
            If it is; says why.
        """
        if self.read_only:
            raise StudyInUse(self.read_only)

    def snapshot(self) -> None:
        """Keep a whole copy of the present state beside the database; a worker leaves that to who holds the study."""
        if self.lock is not None:
            with atomic_write(self.folder / SNAPSHOT) as copy:
                self.database.copy_to(copy)

    def close(self) -> None:
        """Close the study and let other programs open it."""
        try:
            with contextlib.suppress(CellmetryError):  # a full disk must not keep the study open
                self.snapshot()
            self.database.close()
        finally:
            if self.lock is not None:
                self.lock.release()
            if self._temporary is not None:
                self._temporary.cleanup()


def new_name(kind: str) -> str:
    """Return a new id, ``img_3f…``: never used before, here or elsewhere."""
    return f"{kind}_{uuid4().hex[:16]}"


def join_store(folder: str | Path) -> Store:
    """Return a study that the program which started this process has open for writing: workers take no lock.

    Raises
    ------
    MissingInput
        If there is no study.
    """
    folder = Path(folder)
    if not (folder / DATABASE).is_file():
        raise MissingInput(f"There is no open study {folder}.")
    return Store(folder, Database(folder / DATABASE), None)


def open_store(folder: str | Path, *, program: str = "cellmetry", read_only: bool = False) -> Store:
    """Return the opened study in a folder; its database is made if there is none.

    A study that another program has open, or whose folder cannot be written, is opened for reading. A damaged
    database is replaced by its snapshot and kept beside it; an older one is migrated after it was copied.

    Raises
    ------
    MissingInput
        If there is no such folder.
    InputError
        If the study was written by a newer program.
    DamagedFile
        If the database is damaged and there is no whole snapshot.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise MissingInput(f"There is no study {folder}; `cellmetry study new FOLDER_OF_IMAGES` makes one.")
    if read_only or not writable(folder):
        why = (
            "opened for reading" if read_only else f"{folder} cannot be written: its disk or its permissions forbid it"
        )
        return _open_to_read(folder, f"Nothing can be saved: {why}.")
    lock = take_lock(folder, program)
    if lock is None:
        holder = read_holder(folder)
        who = "another program" if holder is None else str(holder)
        return _open_to_read(folder, f"Nothing can be saved: {folder.name} is open in {who}.")
    try:
        notices = _mended(folder)
        database = Database(folder / DATABASE)
        store = Store(folder, database, lock, notices=notices)
        _bring_up_to_date(store)
        store = Store(folder, Database(folder / DATABASE), lock, notices=(*notices, *_new_version(store)))
        store.snapshot()
    except BaseException:
        lock.release()
        raise
    return store


def _bring_up_to_date(store: Store) -> None:
    if stored_version(store.database) == 0:
        created = datetime.now(UTC).isoformat()
        make_tables(store.database, id=new_name("study"), created=created)


def _new_version(store: Store) -> tuple[str, ...]:
    """Close the store, migrate its database if it is old, and return what there is to say about it."""
    before = stored_version(store.database)
    store.database.close()
    if before == VERSION:
        return ()
    kept = migrate(store.folder / DATABASE, before)
    return (f"The study was brought from version {before} to {VERSION} of its tables; the older state is {kept.name}.",)


def _mended(folder: Path) -> tuple[str, ...]:
    """Put the snapshot in the place of a damaged database; return what was done in sentences."""
    clean_leftovers(folder)
    path, snapshot = folder / DATABASE, folder / SNAPSHOT
    wrong = _wrong(path)
    if not wrong and (path.is_file() or not snapshot.is_file()):
        return ()
    if not snapshot.is_file() or _wrong(snapshot):
        raise DamagedFile(
            f"{path} is damaged ({wrong}) and there is no whole {SNAPSHOT} beside it; restore the study's folder from "
            f"a backup. Its labels and tables are in the folders beside it."
        )
    damaged = folder / f"study.damaged-{datetime.now(UTC):%Y%m%d-%H%M%S}-{uuid4().hex[:4]}.sqlite"
    saved = datetime.fromtimestamp(snapshot.stat().st_mtime, UTC)
    for suffix in ("", "-wal", "-shm"):
        with contextlib.suppress(FileNotFoundError):
            path.with_name(path.name + suffix).replace(damaged.with_name(damaged.name + suffix))
    with atomic_write(path) as copy:
        shutil.copyfile(snapshot, copy)
    what = f"was damaged ({wrong}; kept as {damaged.name})" if wrong else "was not there"
    return (
        f"{DATABASE} {what}; the state of {saved:%Y-%m-%d %H:%M} UTC was put in its place. Later changes are lost.",
    )


def _wrong(path: Path) -> str:
    """Return what is wrong with a database, empty if nothing is or it is not there."""
    if not path.is_file():
        return ""
    try:
        database = Database(path)
    except CellmetryError as error:
        return str(error.__cause__ or error)
    try:
        return "; ".join(database.check()[:3])
    finally:
        database.close()


def _open_to_read(folder: Path, why: str) -> Store:
    path = folder / DATABASE
    if not path.is_file():
        raise OutputError(f"{folder} has no study's state yet and none can be made. {why}")
    temporary = None
    try:
        database = Database(path, read_only=True)
    except (OutputError, DamagedFile):
        # A write-ahead log cannot be read in a folder where SQLite may make no file: read a copy.
        temporary = tempfile.TemporaryDirectory(prefix="cellmetry-")
        for each in folder.glob(f"{DATABASE}*"):
            shutil.copyfile(each, Path(temporary.name) / each.name)
        database = Database(Path(temporary.name) / DATABASE)
    version = stored_version(database)
    if version != VERSION:
        database.close()
        raise StudyInUse(
            f"{folder} has version {version} of its tables and this program reads {VERSION}. {why} Open it where it "
            f"can be written."
        )
    return Store(folder, database, None, why, _temporary=temporary)
