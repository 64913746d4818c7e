"""Originals: the files that users gave, by reference and hash; never written to, found again when they were moved."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from cellmetry.errors import DamagedFile, MissingInput, UnknownName
from cellmetry.io.hashing import FileState, content_hash, file_state
from cellmetry.study.store.acts import act
from cellmetry.study.store.images import said_of, say
from cellmetry.study.store.names import new_name

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Mapping, Sequence

    from cellmetry.study.store.acts import Actor
    from cellmetry.study.store.store import Store

__all__ = [
    "Moved",
    "Original",
    "add_original",
    "find_moved",
    "missing_originals",
    "original",
    "original_path",
    "original_status",
    "originals",
]

Status = Literal["there", "missing", "changed"]


@dataclass(frozen=True)
class Original:
    """A file, or a folder that is one image.

    Parameters
    ----------
    name
        Name as the user gave it: with folders below the one that was added, `/` between them. It is text to show and to
        read patterns from, never a path to open.
    place
        Path seen from the study's folder with `/`; None where there is no such path, as on another drive.
    whole
        Path on the computer where it was seen last.
    """

    id: str
    name: str
    place: str | None
    whole: str
    uploaded: bool
    sha256: str
    state: FileState
    added_by: int


class Moved(NamedTuple):
    """Originals that were found again, and how many files could not be read when they were looked for."""

    found: list[Original]
    unreadable: int


def add_original(
    store: Store, act: int, path: Path, name: str, *, uploaded: bool = False, sha256: str | None = None
) -> str:
    """Return the id of a file after noting where it is and what is in it.

    Parameters
    ----------
    sha256
        Hash of its content; it is read as a whole to be hashed if left out.
    """
    file_id, state, sha256 = new_name("file"), file_state(path), sha256 or content_hash(path)
    whole = path.resolve()
    with store.database.write() as connection:
        connection.execute(
            "INSERT INTO files (id, name, place, whole, uploaded, sha256, entries, newest_ns, size, added_by) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (file_id, name, _seen_from(store.folder, whole), str(whole), int(uploaded), sha256, *state, act),
        )
    return file_id


def original(store: Store, file_id: str) -> Original:
    """Return a file by its id.

    Raises
    ------
    UnknownName
        If there is none.
    """
    row = store.database.row("SELECT * FROM files WHERE id = ?", (file_id,))
    if row is None:
        raise UnknownName("file", file_id)
    return _original_of(row, said_of(store, file_id))


def originals(store: Store) -> list[Original]:
    """Return all files, in the order in which they were added."""
    moved: dict[str, dict[str, Any]] = {}
    for row in store.database.rows(
        "SELECT subject, key, value FROM said JOIN files ON id = subject WHERE act IN (SELECT seq FROM holding) "
        "ORDER BY act"
    ):
        moved.setdefault(row["subject"], {})[row["key"]] = json.loads(row["value"])
    rows = store.database.rows("SELECT * FROM files ORDER BY rowid")
    return [_original_of(row, moved.get(row["id"], {})) for row in rows]


def original_path(store: Store, file: Original) -> Path:
    """Return where a file is, if it is there and what it was.

    Raises
    ------
    MissingInput
        If it was moved or deleted.
    DamagedFile
        If it was changed since it was added.
    """
    for path in _places(store, file):
        if path.exists() and _unchanged(store, file, path):
            return path
    if any(path.exists() for path in _places(store, file)):
        raise DamagedFile(
            f"{file.whole} was changed since it was added to the study; put the original back, or add it again."
        )
    raise MissingInput(
        f"{file.whole} is not there any more; `cellmetry study relink` finds it by its content in another folder."
    )


def original_status(store: Store, file: Original) -> Status:
    """Return whether a file is there, missing, or other than it was."""
    try:
        original_path(store, file)
    except MissingInput:
        return "missing"
    except DamagedFile:
        return "changed"
    return "there"


def missing_originals(store: Store) -> list[Original]:
    """Return the files that are at none of their places, in the order in which they were added; nothing is read."""
    return [file for file in originals(store) if not any(path.exists() for path in _places(store, file))]


def find_moved(store: Store, actor: Actor, folders: Sequence[Path]) -> Moved:
    """Return the missing files that were found in folders or below them, by their content, after noting where.

    That is one act: undoing it brings their old places back. Only files that may be the same by `_telling` are read. Of
    several that are alike, each missing file gets the one of its own name, else any.
    """
    missing = missing_originals(store)
    wanted = {_telling(file.state) for file in missing}
    there: dict[str, list[Path]] = {}
    unreadable = 0
    for path in _candidates(folders) if missing else ():
        try:
            if _telling(file_state(path)) in wanted:
                there.setdefault(content_hash(path), []).append(path)
        except OSError:
            unreadable += 1
    found = [file for file in missing if file.sha256 in there]
    if found:
        what = found[0].name if len(found) == 1 else f"{len(found)} originals"
        with store.database.write():
            seq = act(store, actor, "relink", f"Find {what} in another place", files=[file.id for file in found])
            for file in found:
                same = there[file.sha256]
                whole = next((each for each in same if each.name == Path(file.whole).name), same[0]).resolve()
                say(store, seq, file.id, {"place": _seen_from(store.folder, whole), "whole": str(whole)})
                _note_state(store, file, file_state(whole))
    return Moved(found, unreadable)


def _candidates(folders: Sequence[Path]) -> Iterator[Path]:
    """Yield files, and folders that are one image, below folders."""
    for folder in folders:
        for where, inner, names in os.walk(folder):
            for name in sorted(inner):
                if name.endswith(".zarr"):
                    yield Path(where, name)
            inner[:] = [name for name in inner if not name.endswith((".zarr", ".cellmetry"))]
            yield from (Path(where, name) for name in sorted(names))


def _unchanged(store: Store, file: Original, path: Path) -> bool:
    state = file_state(path)
    if state == file.state:
        return True
    if _telling(state) != _telling(file.state) or content_hash(path) != file.sha256:
        return False
    _note_place(store, file, path, state)
    return True


def _telling(state: FileState) -> tuple[int, int | None]:
    """Return what copies have in common without being read: entries, and the bytes of what is one file.

    The bytes noted of a folder may be those of an older version, which counted folders' own.
    """
    return state.entries, state.size if state.entries == 1 else None


def _note_place(store: Store, file: Original, path: Path, state: FileState) -> None:
    """Note where a file is now and when it was written, so that it need not be hashed again.

    Where it was found by an act (`find_moved`), only the act says where it is: the place of before is kept.
    """
    if store.read_only:
        return
    whole = path.resolve()
    if said_of(store, file.id):
        _note_state(store, file, state)
        return
    with store.database.write() as connection:
        connection.execute(
            "UPDATE files SET place = ?, whole = ?, entries = ?, newest_ns = ?, size = ? WHERE id = ?",
            (_seen_from(store.folder, whole), str(whole), *state, file.id),
        )


def _note_state(store: Store, file: Original, state: FileState) -> None:
    with store.database.write() as connection:
        connection.execute("UPDATE files SET entries = ?, newest_ns = ?, size = ? WHERE id = ?", (*state, file.id))


def _places(store: Store, file: Original) -> list[Path]:
    near = [] if file.place is None else [store.folder / PurePath(file.place)]
    return [*near, Path(file.whole)]


def _seen_from(folder: Path, whole: Path) -> str | None:
    try:
        return Path(os.path.relpath(whole, folder.resolve())).as_posix()
    except ValueError:  # another drive of Windows
        return None


def _original_of(row: sqlite3.Row, moved: Mapping[str, Any]) -> Original:
    """Return a file, where it is by what an act said of it, if one did."""
    return Original(
        row["id"],
        row["name"],
        moved.get("place", row["place"]),
        moved.get("whole", row["whole"]),
        bool(row["uploaded"]),
        row["sha256"],
        FileState(row["entries"], row["newest_ns"], row["size"]),
        row["added_by"],
    )
