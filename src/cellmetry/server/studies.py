"""`OpenStudies`: the studies that a server has open, by their ids, and the one runner of their jobs."""

from __future__ import annotations

import logging
import os
import re
import shutil
import sqlite3
import threading
import unicodedata
from contextlib import contextmanager
from typing import TYPE_CHECKING
from uuid import uuid4

from cellmetry.errors import CellmetryError, InputError, ParameterError, UnknownName
from cellmetry.pipeline.jobs.runner import JobRunner
from cellmetry.server.copies import note_place, told_copies
from cellmetry.study.store.acts import Actor, act
from cellmetry.study.store.images import say
from cellmetry.study.store.jobs import interrupted
from cellmetry.study.store.lock import take_lock
from cellmetry.study.store.names import STUDY_SUFFIX
from cellmetry.study.store.places import writable
from cellmetry.study.store.store import open_store, open_to_read

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from cellmetry.study.store.store import Store

__all__ = ["OpenStudies", "clear_removed"]

log = logging.getLogger(__name__)
_UNOPENED = (CellmetryError, OSError, sqlite3.Error, ValueError)
"""What may happen to one study when it is opened: a full disk, damage, values that nobody can read."""
_REMOVED = ".removed-"
"""How names of folders begin that are being removed."""
_NAME_CHARACTERS = 200
_FOLDER_CHARACTERS = 40
_RESERVED = {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(10))}


class OpenStudies:
    """Studies of a home folder, each opened once and held until the server ends.

    Parameters
    ----------
    homes
        Folders of the studies; new ones are made in the first.
    program
        What others are told that holds a study.
    address
        Where the server listens, told to others too.
    runner
        What works on the jobs of the studies.
    more
        Folders of studies elsewhere that are open too.
    """

    def __init__(
        self,
        homes: tuple[Path, ...],
        program: str,
        *,
        address: str = "",
        runner: JobRunner | None = None,
        more: Iterable[Path] = (),
    ) -> None:
        self.runner = runner or JobRunner()
        self._homes, self._program, self._address, self._more = homes, program, address, tuple(more)
        self._lock = threading.RLock()
        self._open: dict[str, Store] = {}
        self._refused: dict[Path, str] = {}
        self._leaving: set[Path] = set()

    def __contains__(self, study_id: object) -> bool:
        return study_id in self._open

    def find(self, *, again: bool = False) -> dict[str, Store]:
        """Return all studies of the home folder by id after opening those that are new there.

        Parameters
        ----------
        again
            Try those too that could not be opened before.
        """
        with self._lock:
            if again:
                self._refused.clear()
            known = {*self._refused, *self._leaving, *(store.folder for store in self._open.values())}
            at_home = [folder for home in self._homes for folder in sorted(home.glob(f"*{STUDY_SUFFIX}"))]
            taken = {name: store.folder for name, store in self._open.items()}
            each_once = {folder.resolve(): folder for folder in (*at_home, *self._more) if folder.is_dir()}
            held = {folder.resolve() for folder in taken.values()}
            closed = [folder for place, folder in each_once.items() if place not in held]
            new = [folder for folder in closed if folder not in known]
            copies = told_copies(closed, self._more, taken) if new else {}
            for folder in new:
                if folder in copies:
                    self._refused[folder] = copies[folder]
                else:
                    self._try(folder)
            return dict(self._open)

    @property
    def refused(self) -> dict[str, str]:
        """Folders that could not be opened, and why, in words without the folders of this computer."""
        return {folder.name: why.replace(str(folder), folder.name) for folder, why in self._refused.items()}

    def must_have(self, folders: Iterable[Path]) -> None:
        """Refuse to go on where a study could not be opened.

        Raises
        ------
        InputError
            If one could not; says why.
        """
        why = next((self._refused[folder] for folder in folders if folder in self._refused), None)
        if why is not None:
            raise InputError(why)

    def get(self, study_id: str) -> Store:
        """Return an open study.

        Raises
        ------
        UnknownName
            If the home folder has none of this id.
        """
        found = self._open.get(study_id)
        if found is None:
            found = self.find().get(study_id)
        if found is None:
            raise UnknownName("study", study_id)
        return found

    def create(self, name: str, who: str, via: str = "rest", *, inside: Path | None = None) -> Store:
        """Return a new, empty study.

        Parameters
        ----------
        name
            What people call it: any text. The folder's name is made of its letters and digits.
        who, via
            Who makes it, and by which way.
        inside
            Folder in which it is made; the home folder if left out.

        Raises
        ------
        ParameterError
            If the name is empty or too long.
        """
        name = " ".join(name.split())
        if not name or len(name) > _NAME_CHARACTERS:
            raise ParameterError(f"The name of a study has 1 to {_NAME_CHARACTERS} characters.")
        with self._lock:
            folder = _free_folder(inside or self._homes[0], name)
            folder.mkdir(parents=True)
            store = self.open(folder)
        with store.database.write():
            line = act(store, Actor(who, via), "create", f"Make the study {name}")
            say(store, line, "study", {"name": name})
        return store

    def open(self, folder: Path) -> Store:
        """Return the study in a folder after opening it, and noting which of its jobs were interrupted."""
        with self._lock:
            store = open_store(folder, program=self._program)
            taken = self._open.get(store.id)
            if taken is not None:
                store.close()
                raise ParameterError(
                    f"{folder.name} is a copy of {taken.folder.name}, which is open; serve it from another home folder."
                )
            return self._taken_up(store)

    def retake(self) -> list[str]:
        """Return the ids of studies that can be changed now, which another program had open or whose disk was full."""
        with self._lock:
            waiting = [(name, store.folder) for name, store in self._open.items() if store.read_only]
            return [name for name, folder in waiting if self._retaken(name, folder)]

    def _retaken(self, name: str, folder: Path) -> bool:
        """Return whether a study can be changed now; else it stays open for reading."""
        if not (writable(folder) and _is_free(folder, self._program)):
            return False
        try:
            store = open_store(folder, program=self._program)
        except _UNOPENED as error:
            log.warning("%s cannot be taken up (%s)", folder.name, error)
            return False
        if store.read_only:
            store.close()
            return False
        self.close_one(name)
        return not self._taken_up(store).read_only

    def _taken_up(self, store: Store) -> Store:
        """Return a study that was opened; for reading only if it turns out that nothing can be written."""
        try:
            if store.lock is not None:
                store.lock.say(self._address)
                interrupted(store)
                note_place(store)
        except OSError as error:
            store.close()
            store = open_to_read(store.folder, f"Nothing can be saved: {error}")
        except BaseException:
            store.close()
            raise
        self._open[store.id] = store
        self.runner.add(store)
        return store

    def close_one(self, study_id: str) -> None:
        """Close a study; it is opened again when the home folder is looked through.

        Its jobs may take a while to end; all others can be asked for meanwhile.
        """
        store = self._open.get(study_id)
        if store is not None:
            with self._left(store.folder):
                pass

    def remove(self, folder: Path) -> str:
        """Return the id of a study, empty if it was not open, after removing its folder for good.

        Raises
        ------
        OSError
            If the folder cannot be removed; it is not open then until it is looked for again.
        """
        with self._left(folder) as study_id:
            gone = folder.with_name(f"{_REMOVED}{uuid4().hex}")
            os.replace(folder, gone)
        shutil.rmtree(gone, ignore_errors=True)
        return study_id

    @contextmanager
    def _left(self, folder: Path) -> Iterator[str]:
        """Yield the id of the study of a folder, now closed; nobody opens it in the meantime."""
        with self._lock:
            study_id = next((name for name, each in self._open.items() if each.folder == folder), "")
            store = self._open.pop(study_id, None)
            self._leaving.add(folder)
        try:
            if store is not None:
                self.runner.remove(store)
                store.close()
            yield study_id
        finally:
            with self._lock:
                self._leaving.discard(folder)
                self._refused.pop(folder, None)

    def close(self) -> None:
        """Stop the jobs and close all studies."""
        with self._lock:
            self.runner.stop()
            for store in self._open.values():
                self.runner.remove(store)
                store.close()
            self._open.clear()

    def _try(self, folder: Path) -> None:
        try:
            self.open(folder)
            self._refused.pop(folder, None)
        except _UNOPENED as error:
            log.warning("%s cannot be opened (%s)", folder.name, error)
            self._refused[folder] = str(error)


def clear_removed(home: Path) -> None:
    """Remove what is left of studies that were being removed when the program was killed."""
    for left in home.glob(f"{_REMOVED}*"):
        shutil.rmtree(left, ignore_errors=True)


def _is_free(folder: Path, program: str) -> bool:
    try:
        lock = take_lock(folder, program)
    except OSError:  # a full disk
        return False
    if lock is not None:
        lock.release()
    return lock is not None


def _free_folder(home: Path, name: str) -> Path:
    """Return a folder that is not there yet, called by the plain letters and digits of a name."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    slug = re.sub(r"[^A-Za-z0-9]+", "-", plain).strip("-")[:_FOLDER_CHARACTERS] or "study"
    if slug.lower() in _RESERVED:
        slug = f"study-{slug}"
    folder = home / f"{slug}{STUDY_SUFFIX}"
    return folder if not folder.exists() else home / f"{slug}-{uuid4().hex[:8]}{STUDY_SUFFIX}"
