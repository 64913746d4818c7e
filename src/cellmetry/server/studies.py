"""`OpenStudies`: the studies that a server has open, by their ids."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from cellmetry.errors import CellmetryError, UnknownName
from cellmetry.study.file import STUDY_SUFFIX
from cellmetry.study.store.jobs import interrupted
from cellmetry.study.store.store import open_store

if TYPE_CHECKING:
    from pathlib import Path

    from cellmetry.study.store.store import Store

__all__ = ["OpenStudies"]


class OpenStudies:
    """Studies of a home folder, each opened once and held until the server ends.

    Parameters
    ----------
    home
        Folder of the studies.
    program
        What others are told that holds a study.
    """

    def __init__(self, home: Path, program: str) -> None:
        self._home, self._program = home, program
        self._lock = threading.RLock()
        self._open: dict[str, Store] = {}
        self._refused: dict[str, str] = {}

    def find(self) -> dict[str, Store]:
        """Return all studies of the home folder by id after opening those that are new there."""
        with self._lock:
            known = {store.folder for store in self._open.values()}
            for folder in sorted(self._home.glob(f"*{STUDY_SUFFIX}")):
                if folder.is_dir() and folder not in known:
                    self._try(folder)
            return dict(self._open)

    @property
    def refused(self) -> dict[str, str]:
        """Folders that could not be opened, and why."""
        return dict(self._refused)

    def get(self, study_id: str) -> Store:
        """Return an open study.

        Raises
        ------
        UnknownName
            If the home folder has none of this id.
        """
        with self._lock:
            found = self._open.get(study_id) or self.find().get(study_id)
        if found is None:
            raise UnknownName("study", study_id, ())
        return found

    def open(self, folder: Path) -> Store:
        """Return the study in a folder after opening it, and noting which of its jobs were interrupted."""
        with self._lock:
            store = open_store(folder, program=self._program)
            if not store.read_only:
                interrupted(store)
            self._open[store.id] = store
            return store

    def close(self) -> None:
        """Close all studies."""
        with self._lock:
            for store in self._open.values():
                store.close()
            self._open.clear()

    def _try(self, folder: Path) -> None:
        try:
            self.open(folder)
            self._refused.pop(folder.name, None)
        except CellmetryError as error:
            self._refused[folder.name] = str(error)
