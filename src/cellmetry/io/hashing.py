"""SHA-256 of files and of folders that are one image, and what tells cheaply whether one was written again."""

from __future__ import annotations

import hashlib
from stat import S_ISDIR
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["FileState", "content_hash", "file_state"]


class FileState(NamedTuple):
    """Number of entries, newest time of writing (ns) and bytes of all files: they change when content is written."""

    entries: int
    newest_ns: int
    size: int


def file_state(path: Path) -> FileState:
    """Return the state of a file, or of a folder with all in it: writing a chunk leaves the folder's own time as it is.

    The bytes of folders themselves do not count: each file system has its own.

    Raises
    ------
    FileNotFoundError
        If there is no such file or folder.
    """
    found = [entry.stat() for entry in (path, *path.rglob("*"))]
    size = sum(one.st_size for one in found if not S_ISDIR(one.st_mode))
    return FileState(len(found), max(one.st_mtime_ns for one in found), size)


def content_hash(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, or of the names and bytes of all files in a folder, in order."""
    digest = hashlib.sha256()
    if path.is_file():
        _add(path, digest)
        return digest.hexdigest()
    for file in sorted(path.rglob("*")):
        if file.is_file():
            digest.update(file.relative_to(path).as_posix().encode())
            _add(file, digest)
    return digest.hexdigest()


def _add(path: Path, digest: hashlib._Hash) -> None:
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
