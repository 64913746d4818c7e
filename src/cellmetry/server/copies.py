"""Copies of a study in the folders of a server: which is the study, and which only a copy of it.

A study notes where it lay when a server had it open, and a copy says the same as the study itself. Names and times of
folders decide nothing: a backup must never be edited in the place of the study.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from cellmetry.errors import CellmetryError
from cellmetry.study.store.store import open_store

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from cellmetry.study.store.store import Store

__all__ = ["note_place", "told_copies"]

_KEY = "folder"


class _Claim(NamedTuple):
    """What a folder says: the study's id, and where it lay when a server had it open; empty if nobody can tell."""

    folder: Path
    study_id: str
    place: Path | None

    @property
    def at_home(self) -> bool:
        return self.place == self.folder.resolve()

    @property
    def named_alike(self) -> bool:
        """Whether its folder has the name of the one that was noted: all may have been moved together."""
        return self.place is not None and self.place.name == self.folder.name


def note_place(store: Store) -> None:
    """Note where a study lies that is open for writing, if it is not where it was.

    Raises
    ------
    OutputError
        If the disk is full or cannot be written.
    """
    if store.read_only or _noted(store) == store.folder.resolve():
        return
    with store.database.write() as connection:
        connection.execute("INSERT OR REPLACE INTO about VALUES (?, ?)", (_KEY, str(store.folder.resolve())))


def told_copies(folders: Sequence[Path], named: Collection[Path] = ()) -> dict[Path, str]:
    """Return the folders that must not be opened, and why: copies of another one, or nobody knows which is the copy.

    Parameters
    ----------
    folders
        Of studies that are not open.
    named
        Folders that who started the server asked for: of copies, that one is the study.
    """
    claims = [_claim_of(folder) for folder in folders]
    told: dict[Path, str] = {}
    for study_id in dict.fromkeys(each.study_id for each in claims if each.study_id):
        group = [each for each in claims if each.study_id == study_id]
        told |= _refused(group, named) if len(group) > 1 else {}
    unread = {each.folder.resolve(): each.folder for each in claims if not each.study_id}
    for each in claims:
        if each.place in unread and not each.at_home and each.folder not in named:
            told[each.folder] = _copy_of(each.folder, unread[each.place])
    return told


def _refused(group: list[_Claim], named: Collection[Path]) -> dict[Path, str]:
    """Return which of the folders of one study must not be opened."""
    asked = [each for each in group if each.folder in named]
    home = [each for each in group if each.at_home]
    alike = [each for each in group if each.named_alike]
    study = next((found[0] for found in (asked, home, alike) if len(found) == 1), None)
    if study is not None:
        return {each.folder: _copy_of(each.folder, study.folder) for each in group if each is not study}
    names = " and ".join(each.folder.name for each in group)
    reason = (
        f"{names} hold the same study, and nothing says which is the copy, so none is opened; move the copy out of the "
        f"folder of the studies, or start the server with the one that is to be edited: cellmetry serve FOLDER."
    )
    return {each.folder: reason for each in group}


def _copy_of(copy: Path, study: Path) -> str:
    return f"{copy.name} is a copy of {study.name}; serve it from another home folder."


def _claim_of(folder: Path) -> _Claim:
    try:
        with open_store(folder, read_only=True) as store:
            return _Claim(folder, store.id, _noted(store))
    except (CellmetryError, OSError, sqlite3.Error):
        return _Claim(folder, "", None)


def _noted(store: Store) -> Path | None:
    row = store.database.row("SELECT value FROM about WHERE key = ?", (_KEY,))
    return None if row is None else Path(row["value"])
