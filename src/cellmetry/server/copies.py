"""Copies of a study in the folders of a server: which is the study, and which only a copy of it.

A study notes where it lay when a server had it open, and a copy says the same as the study itself. Names and times of
folders decide nothing: a backup must never be edited in the place of the study.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from cellmetry.study.store.store import DATABASE, SNAPSHOT

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

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
    place = str(store.folder.resolve())
    noted = store.database.row("SELECT value FROM about WHERE key = ?", (_KEY,))
    if not store.read_only and (noted is None or noted["value"] != place):
        with store.database.write() as connection:
            connection.execute("INSERT OR REPLACE INTO about VALUES (?, ?)", (_KEY, place))


def told_copies(folders: Sequence[Path], named: Collection[Path], taken: Mapping[str, Path]) -> dict[Path, str]:
    """Return the folders that must not be opened, and why: copies of another one, or nobody knows which is the copy.

    Parameters
    ----------
    folders
        Of studies that are not open.
    named
        Folders that who started the server asked for: of copies, that one is the study.
    taken
        Folders of the studies that are open, by their ids.
    """
    claims = [_claim_of(folder) for folder in folders]
    told = {each.folder: _copy_of(each.folder, taken[each.study_id]) for each in claims if each.study_id in taken}
    claims = [each for each in claims if each.study_id not in taken]
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
    """Return what a folder says, by its database or the snapshot of that, of whatever version."""
    for name in (DATABASE, SNAPSHOT):
        about = _read_about(folder / name)
        if about:
            return _Claim(folder, about.get("id", ""), Path(about[_KEY]) if _KEY in about else None)
    return _Claim(folder, "", None)


def _read_about(path: Path) -> dict[str, str]:
    """Return what is to be known about a database; nothing if it cannot be read. No file is made beside it."""
    log = path.with_name(f"{path.name}-wal")
    alone = "" if log.is_file() and log.stat().st_size else "&immutable=1"
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro{alone}", uri=True)) as connection:
            return dict(connection.execute("SELECT key, value FROM about"))
    except sqlite3.Error:
        return {}
