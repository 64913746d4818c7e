"""Writing that either happens as a whole or not at all: the one way in which Cellmetry puts bytes on a disk."""

from __future__ import annotations

import errno
import os
import shutil
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING

from cellmetry.errors import CellmetryError, OutputError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["atomic_folder", "atomic_write", "clean_leftovers"]

_PREFIX = ".cellmetry-"
_PART = ".part"
_REMOVALS = 20
_PAUSE_S = 0.05
_FOLDER_SYNC_REFUSED = {errno.EINVAL, errno.EACCES, errno.EPERM, errno.ENOTSUP, errno.EBADF, errno.ENOSYS}
_REASONS = {
    errno.ENOSPC: "the disk is full; free some space, or choose another folder with --out",
    errno.EDQUOT: "your disk quota is used up; free some space, or choose another folder with --out",
    errno.EACCES: "writing there is not permitted, or another program holds it open; close it or choose another folder",
    errno.EPERM: "writing there is not permitted; choose another folder with --out",
    errno.EROFS: "the disk is read-only; choose another folder with --out",
    errno.ENAMETOOLONG: "its name is too long for this disk; choose a shorter one",
    errno.EISDIR: "a folder of this name is there; remove it or choose another name",
    errno.ENOTDIR: "a part of its path is a file, not a folder; choose another folder",
    errno.EFBIG: "the file is larger than this disk allows; write OME-Zarr, or choose another disk",
}


@contextmanager
def atomic_write(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path in the same folder that becomes `path` when the block ends well.

    Missing folders are made. The file is flushed to the disk before it takes the place of an older one, and the
    folder after. If anything fails, the older file stays as it was and nothing else is left behind.

    Raises
    ------
    OutputError
        If the disk is full, writing is not permitted, or the like; names `path` and the cause.
    """
    path = Path(path)
    temporary = _temporary(path)
    with _undone_on_failure(path, temporary):
        yield temporary
        _sync_file(temporary)
        os.replace(temporary, path)
        _sync_folder(path.parent)


@contextmanager
def atomic_folder(path: str | Path, *, marker: str = "zarr.json") -> Iterator[Path]:
    """Yield a temporary, empty folder beside `path` that becomes `path` when the block ends well.

    Parameters
    ----------
    marker
        An existing folder is replaced only if it is empty or holds a file of this name, so that a slip of the
        pen never removes somebody's data.

    Raises
    ------
    OutputError
        As `atomic_write`, and if `path` is a folder that was not written this way.
    """
    path = Path(path)
    _refuse_foreign_folder(path, marker)
    temporary = _temporary(path)
    with _undone_on_failure(path, temporary):
        temporary.mkdir()
        yield temporary
        _sync_tree(temporary)
        _swap_folder(temporary, path)
        _sync_folder(path.parent)


def clean_leftovers(folder: str | Path, *, older_than_s: float = 3600.0) -> list[Path]:
    """Return what was removed of temporary files and folders that a killed program left in `folder`.

    Those stay into which something was written since: another program may be at it, for hours with a large file.
    """
    limit = time.time() - older_than_s
    removed = []
    for left in Path(folder).glob(f"{_PREFIX}*{_PART}*"):
        with suppress(FileNotFoundError):  # who wrote it may be done with it now
            if _last_written(left) < limit:
                _remove(left)
                removed.append(left)
    return removed


def _last_written(path: Path) -> float:
    """Return when a file, or anything in a folder, was written last, in seconds since 1970."""
    times = [path.stat().st_mtime]
    for each in path.rglob("*"):
        with suppress(FileNotFoundError):  # it became another name meanwhile
            times.append(each.stat().st_mtime)
    return max(times)


def _temporary(path: Path) -> Path:
    return path.with_name(f"{_PREFIX}{token_hex(8)}{_PART}{path.suffix}")


@contextmanager
def _undone_on_failure(path: Path, temporary: Path) -> Iterator[None]:
    made: list[Path] = []
    try:
        _make_folders(path.parent, made)
        yield
    except BaseException as error:
        _remove(temporary)
        if temporary.suffix == ".zarr":
            time.sleep(_PAUSE_S)  # threads of zarr that still wrote make the folder anew
            _remove(temporary)
        for folder in reversed(made):
            _remove_if_empty(folder)
        if isinstance(error, OSError) and not isinstance(error, CellmetryError):
            raise OutputError(_sentence(path, error)) from error
        raise


def _sentence(path: Path, error: OSError) -> str:
    reason = _REASONS.get(error.errno or 0, f"{error.strerror or error}".rstrip("."))
    return f"{path} could not be written: {reason}. An older one of this name is unchanged."


def _make_folders(folder: Path, made: list[Path]) -> None:
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    for each in reversed(missing):
        each.mkdir(exist_ok=True)
        made.append(each)


def _remove(path: Path) -> None:
    if path.is_dir():
        _remove_folder(path)
    else:
        with suppress(OSError):
            path.unlink(missing_ok=True)


def _remove_folder(folder: Path) -> None:
    """Remove a folder, again if need be: virus scanners may still read."""
    for _ in range(_REMOVALS):
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return
        time.sleep(_PAUSE_S)


def _remove_if_empty(folder: Path) -> None:
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()


def _refuse_foreign_folder(path: Path, marker: str) -> None:
    if not path.exists():
        return
    if not path.is_dir():
        raise OutputError(
            f"{path} could not be written: a file of this name is there; remove it or choose another name."
        )
    if any(path.iterdir()) and not (path / marker).is_file():
        raise OutputError(
            f"{path} could not be written: a folder with other contents is there (it has no {marker}); "
            f"choose another name."
        )


def _swap_folder(new: Path, path: Path) -> None:
    if not path.exists():
        os.replace(new, path)
        return
    old = _temporary(path)
    os.replace(path, old)
    try:
        os.replace(new, path)
    except OSError:
        os.replace(old, path)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _sync_file(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _sync_tree(folder: Path) -> None:
    for where, _, names in os.walk(folder, topdown=False):
        for name in names:
            _sync_file(Path(where, name))
        _sync_folder(Path(where))


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":  # Windows cannot open a folder; its file systems journal the rename themselves.
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in _FOLDER_SYNC_REFUSED:
            raise
    finally:
        os.close(handle)
