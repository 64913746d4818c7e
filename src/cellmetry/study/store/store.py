"""`Store`: a study opened for work; it heals itself on opening and says what it found."""

from __future__ import annotations

import contextlib
import sqlite3
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING

from cellmetry.errors import CellmetryError, MissingInput, OutputError, StudyInUse
from cellmetry.io.atomic import atomic_write, clean_leftovers
from cellmetry.study.store.checkpoints import clean_checkpoints, make_due_checkpoints, write_missing_manifests
from cellmetry.study.store.closing import left_as_closed, note_closing
from cellmetry.study.store.database import Database
from cellmetry.study.store.leftovers import clear_leftovers
from cellmetry.study.store.lock import read_holder, take_lock
from cellmetry.study.store.mending import DATABASE, SNAPSHOT, mend_database
from cellmetry.study.store.names import STUDY_SUFFIX, new_name
from cellmetry.study.store.patience import USUAL, Patience
from cellmetry.study.store.places import writable
from cellmetry.study.store.readable import readable_database
from cellmetry.study.store.rebuilding import rebuild_from_labels
from cellmetry.study.store.salvaging import salvage_edits
from cellmetry.study.store.schema import VERSION, make_tables, migrate, stored_version
from cellmetry.study.store.uploads import clean_uploads

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from cellmetry.study.store.lock import StudyLock

__all__ = [
    "DATABASE",
    "MOST_LOG_BYTES",
    "SNAPSHOT",
    "Store",
    "has_state",
    "is_study",
    "join_store",
    "new_name",
    "open_store",
    "open_to_read",
]

MOST_LOG_BYTES = 64 << 20
"""Size of the database's write-ahead log after which it is put into the file, and a new snapshot made."""


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
    epoch
        Another at each opening: versions of labels are the same pixels only within one, since a study that was put
        back from a backup, or mended, counts some of them again.
    """

    folder: Path
    database: Database
    lock: StudyLock | None
    read_only: str = ""
    notices: tuple[str, ...] = ()
    epoch: str = field(default_factory=partial(token_hex, 4), compare=False)
    _let_go: Callable[[], None] | None = field(default=None, repr=False)

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
            with self.database.folded(), atomic_write(self.folder / SNAPSHOT) as copy:
                self.database.copy_to(copy)

    @property
    def as_closed(self) -> bool:
        """Whether nothing was written since the study was last closed: the snapshot has all of it."""
        return left_as_closed(_state_of(self.folder))

    def keep_up(self) -> list[str]:
        """Return the labels that have a new checkpoint, after doing what is due; a server calls it now and then.

        Edits may go on meanwhile.

        Raises
        ------
        OutputError
            If the disk is full or failing; nothing is lost then.
        """
        if self.lock is None:
            return []
        made = make_due_checkpoints(self.database, self.folder)
        write_missing_manifests(self.database, self.folder)
        clean_uploads(self)
        if made or self.database.log_size > MOST_LOG_BYTES:
            self.snapshot()
        return made

    def close(self) -> None:
        """Close the study and let other programs open it."""
        try:
            for last in (self._last_checkpoints, self._last_snapshot):
                with contextlib.suppress(CellmetryError):  # a full disk must not keep the study open
                    last()
            self.database.close()
            self._note_closing()
        finally:
            if self.lock is not None:
                self.lock.release()
            if self._let_go is not None:
                self._let_go()

    def _last_checkpoints(self) -> None:
        if self.lock is not None:
            make_due_checkpoints(self.database, self.folder, all_changed=True)
            write_missing_manifests(self.database, self.folder)

    def _last_snapshot(self) -> None:
        if self.lock is not None and not self.as_closed:
            self.snapshot()

    def _note_closing(self) -> None:
        """Note that the snapshot has all that is saved, if it was just made and nobody has written since."""
        files = _state_of(self.folder)
        with contextlib.suppress(OSError):  # without the note the study is checked as a whole when it is opened
            now = files[0].stat()
            if self.lock is not None and self.database.copied == (now.st_size, now.st_mtime_ns):
                note_closing(files)


def is_study(folder: Path) -> bool:
    """Return whether a folder is that of a study: by its name, or by what it holds."""
    named = folder.resolve().name.endswith(STUDY_SUFFIX) or folder.name.endswith(STUDY_SUFFIX)
    return named or has_state(folder)


def has_state(folder: Path) -> bool:
    """Return whether a folder holds the state of a study, or labels from which that can be made again."""
    return any((folder / name).exists() for name in (DATABASE, SNAPSHOT)) or any(folder.glob("labels/lbl_*"))


def join_store(folder: str | Path, *, patience: Patience = USUAL) -> Store:
    """Return a study that the program which started this process has open for writing: workers take no lock.

    Parameters
    ----------
    patience
        How long to wait while another program writes.

    Raises
    ------
    MissingInput
        If there is no study.
    """
    folder = Path(folder)
    if not (folder / DATABASE).is_file():
        raise MissingInput(f"There is no open study {folder}.")
    return Store(folder, Database(folder / DATABASE, patience=patience), None)


def open_store(folder: str | Path, *, program: str = "cellmetry", read_only: bool = False) -> Store:
    """Return the opened study in a folder; its database is made if there is none.

    A study that another program has open, or whose disk cannot be written now, is opened for reading. A damaged
    database is kept beside what takes its place: its snapshot with its log, or the snapshot with what can be read in
    it, or what the labels' folders tell. An older one is migrated after it was copied. `Store.notices` says so.

    Raises
    ------
    MissingInput
        If there is no such folder.
    InputError
        If the study was written by a newer program.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise MissingInput(f"There is no study {folder}; `cellmetry study add NAME{STUDY_SUFFIX} IMAGES` makes one.")
    if not is_study(folder):
        raise MissingInput(
            f"{folder} is no study, and nothing was written there: a study is a folder NAME{STUDY_SUFFIX}, or has "
            f"{DATABASE}."
        )
    if read_only or not writable(folder):
        why = (
            "opened for reading" if read_only else f"{folder} cannot be written: its disk or its permissions forbid it"
        )
        return open_to_read(folder, f"Nothing can be saved: {why}.")
    try:
        lock = take_lock(folder, program)
    except OSError as error:
        return open_to_read(folder, _cannot_save(folder, error))
    if lock is None:
        holder = read_holder(folder)
        who = "another program" if holder is None else str(holder)
        return open_to_read(folder, f"Nothing can be saved: {folder.name} is open in {who}.")
    try:
        return _open_to_write(folder, lock)
    except (OSError, sqlite3.OperationalError) as error:
        lock.release()
        return open_to_read(folder, _cannot_save(folder, error))
    except BaseException:
        lock.release()
        raise


def _open_to_write(folder: Path, lock: StudyLock) -> Store:
    clean_leftovers(folder, older_than_s=0.0)
    mended = mend_database(folder, quick=left_as_closed(_state_of(folder)))
    store = Store(folder, Database(folder / DATABASE), lock)
    try:
        new = _bring_up_to_date(store)
        notices = [*mended.notices, *_new_version(store)]
        store = Store(folder, Database(folder / DATABASE), lock)
        if mended.damaged is not None and mended.older and not new:
            notices += salvage_edits(store, mended.damaged)
        if new or mended.older:
            notices += rebuild_from_labels(store)
        clean_checkpoints(store.database, folder)
        write_missing_manifests(store.database, folder)
        clear_leftovers(store)
        with store.database.write():
            pass  # whoever can begin a transaction can write
        notices += _first_snapshot(store)
    except BaseException:
        store.database.close()
        raise
    return replace(store, notices=tuple(notices))


def _first_snapshot(store: Store) -> list[str]:
    """Return why there is no copy of the present state, if there was room for none."""
    try:
        if not store.as_closed:
            store.snapshot()
    except OutputError as error:
        return [f"No copy of the state was made: {error} Changes are saved as long as there is room for them."]
    return []


def _state_of(folder: Path) -> tuple[Path, Path]:
    return folder / DATABASE, folder / SNAPSHOT


def _cannot_save(folder: Path, error: Exception) -> str:
    """Return why a study can only be read, in a sentence."""
    if isinstance(error, CellmetryError):
        return f"Nothing can be saved: {error}"
    why = (error.strerror if isinstance(error, OSError) else None) or str(error)
    return f"Nothing can be saved: the disk of {folder} refuses to be written ({why})."


def _bring_up_to_date(store: Store) -> bool:
    """Return whether the database is new, after making its tables."""
    if stored_version(store.database) > 0:
        return False
    make_tables(store.database, id=new_name("study"), created=datetime.now(UTC).isoformat())
    return True


def _new_version(store: Store) -> tuple[str, ...]:
    """Close the store, migrate its database if it is old, and return what there is to say about it."""
    before = stored_version(store.database)
    store.database.close()
    if before == VERSION:
        return ()
    kept = migrate(store.folder / DATABASE, before)
    return (f"The study was brought from version {before} to {VERSION} of its tables; the older state is {kept.name}.",)


def open_to_read(folder: Path, why: str) -> Store:
    """Return a study that is opened for reading, for a reason that is a sentence; raises as `readable_database`."""
    database, close = readable_database(folder / DATABASE, why)
    return Store(folder, database, None, why, _let_go=close)
