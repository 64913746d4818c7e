"""Fetching public data sets: downloads that go on where they stopped, proven by size and checksum, unpacked safely."""

from __future__ import annotations

import http.client
import shutil
import stat
import tarfile
import urllib.error
import urllib.request
import zipfile
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import pandas as pd

from cellmetry.core.progress import SILENT
from cellmetry.errors import DamagedFile, InputError, MissingInput, OutputError
from cellmetry.io.atomic import atomic_folder
from cellmetry.io.hashing import content_hash
from cellmetry.io.tables import read_table, write_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cellmetry.core.progress import Progress
    from cellmetry.learn.registry import RemoteFile

__all__ = ["accept_file", "fetch_file", "unpack_files"]

_BLOCK = 1 << 20
_TIMEOUT_S = 60
_CHECKSUMS = "checksums.csv"
_MARKER = "unpacked.txt"
_LARGEST_RATIO = 1000
_SPARE_BYTES = 1 << 28


def fetch_file(remote: RemoteFile, folder: Path, *, progress: Progress = SILENT) -> Path:
    """Return the path of a file of a public data set below `folder`, fetched unless it is there already.

    A download that was broken off goes on where it stopped. The size and the checksum are compared with those of
    the registry, or, where it has none, with what the first download recorded in ``checksums.csv``.

    Raises
    ------
    InputError
        If the server cannot be reached or refuses.
    DamagedFile
        If the size or the checksum is another; the file is removed.
    """
    path = folder / remote.name
    if not path.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f"{path.name}.part")
        _download(remote, part, progress)
        _prove(remote, part, folder)
        part.replace(path)
    else:
        _prove(remote, path, folder)
    return path


def accept_file(remotes: Sequence[RemoteFile], path: Path) -> None:
    """Refuse a file that was fetched by hand if the registry knows one of its name with another size or checksum."""
    if not path.is_file():
        raise MissingInput(f"{path} does not exist; give the file that you fetched with --from.")
    for remote in remotes:
        if remote.name == path.name:
            _compare(path, remote.size_bytes, remote.sha256, "the registry")


def unpack_files(files: Sequence[tuple[Path, str]], out: Path, *, progress: Progress = SILENT) -> None:
    """Unpack archives, and copy what is none, into a new folder; each below the sub-folder given with it.

    The folder is there as a whole or not at all.

    Raises
    ------
    DamagedFile
        If an archive is broken, or names a place outside the folder, a link or a device.
    OutputError
        If the disk has not room enough.
    """
    with atomic_folder(out, marker=_MARKER) as temporary:
        progress.start("unpacking", len(files))
        for path, below in files:
            target = temporary / below
            target.mkdir(parents=True, exist_ok=True)
            _unpack(path, target)
            progress.advance()
        (temporary / _MARKER).write_text("\n".join(path.name for path, _ in files), "utf-8")


def _download(remote: RemoteFile, part: Path, progress: Progress) -> None:
    start = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(remote.url, headers={"User-Agent": "cellmetry"})  # noqa: S310  http(s) by its model
    if start:
        request.add_header("Range", f"bytes={start}-")
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:  # noqa: S310  http(s) by its model
            _store(answer, part, start, remote.name, progress)
    except urllib.error.HTTPError as error:
        if start and error.code == 416:  # nothing is missing
            return
        raise InputError(f"{remote.url} cannot be fetched: the server says {error.code} {error.reason}.") from error
    except (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError) as error:
        reason = getattr(error, "reason", error)
        raise InputError(
            f"{remote.url} cannot be fetched: {reason}. Try again, what has come is kept; or fetch it by hand and give "
            f"it with --from."
        ) from error


def _store(answer: Any, part: Path, start: int, name: str, progress: Progress) -> None:
    """Append what comes to `part`, or begin anew if the server gives the whole file."""
    begin = start if answer.status == 206 else 0
    length = int(answer.headers.get("Content-Length") or 0)
    progress.start(f"fetching {name} (MB)", max(1, -(-(begin + length) // _BLOCK)))
    progress.advance(begin // _BLOCK)
    received = 0
    with part.open("ab" if begin else "wb") as file:
        while block := answer.read(_BLOCK):
            file.write(block)
            received += len(block)
            progress.advance()
    if length and received < length:
        raise InputError(f"{name}: the connection broke after {received:,} of {length:,} bytes; call again to go on.")


def _prove(remote: RemoteFile, path: Path, folder: Path) -> None:
    final = folder / remote.name
    try:
        _compare(path, remote.size_bytes, remote.sha256, "the registry")
        recorded = _recorded(folder).get(remote.name)
        if remote.sha256 is None and recorded is not None:
            _compare(path, None, recorded, f"the first download ({folder / _CHECKSUMS})")
    except DamagedFile:
        path.unlink()
        raise
    if remote.sha256 is None and recorded is None:
        table = {**_recorded(folder), final.name: content_hash(path)}
        write_table(pd.DataFrame(table.items(), columns=["file", "sha256"]), folder / _CHECKSUMS)


def _recorded(folder: Path) -> dict[str, str]:
    if not (folder / _CHECKSUMS).is_file():
        return {}
    table = read_table(folder / _CHECKSUMS, text=("file", "sha256"))
    return dict(zip(table["file"], table["sha256"], strict=True))


def _compare(path: Path, size_bytes: int | None, sha256: str | None, source: str) -> None:
    size = path.stat().st_size
    if size_bytes is not None and size != size_bytes:
        raise DamagedFile(f"{path.name} has {size:,} bytes, {source} says {size_bytes:,}; fetch it again.")
    if sha256 is not None and (found := content_hash(path)) != sha256:
        raise DamagedFile(
            f"{path.name} is another file than expected: its SHA-256 is {found[:12]}…, {source} says {sha256[:12]}…. "
            f"It may have been cut short, or its makers changed it; fetch it again."
        )


def _unpack(path: Path, target: Path) -> None:
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                _unpack_zip(archive, path, target)
        elif tarfile.is_tarfile(path):
            with tarfile.open(path) as archive:
                _unpack_tar(archive, path, target)
        elif path.suffix.lower() in {".zip", ".tar", ".gz", ".tgz"}:
            raise DamagedFile(f"{path} is no archive; the server may have sent a web page. Fetch it again.")
        else:
            shutil.copyfile(path, target / path.name)
    except (zipfile.BadZipFile, tarfile.TarError, EOFError, NotImplementedError) as error:
        raise DamagedFile(f"{path} is damaged: {error}. Fetch it again.") from error


def _unpack_zip(archive: zipfile.ZipFile, path: Path, target: Path) -> None:
    members = archive.infolist()
    _check_room(path, target, sum(member.file_size for member in members))
    for member in members:
        if stat.S_ISLNK(member.external_attr >> 16):
            raise DamagedFile(f"{path} holds a link, {member.filename!r}; nothing was unpacked.")
        place = _place(target, member.filename, path)
        if member.is_dir():
            place.mkdir(parents=True, exist_ok=True)
            continue
        place.parent.mkdir(parents=True, exist_ok=True)
        with archive.open(member) as source, place.open("wb") as file:
            shutil.copyfileobj(source, file, _BLOCK)


def _unpack_tar(archive: tarfile.TarFile, path: Path, target: Path) -> None:
    members = archive.getmembers()
    _check_room(path, target, sum(member.size for member in members))
    for member in members:
        if not (member.isfile() or member.isdir()):
            raise DamagedFile(f"{path} holds a link or device, {member.name!r}; nothing was unpacked.")
        place = _place(target, member.name, path)
        if member.isdir():
            place.mkdir(parents=True, exist_ok=True)
            continue
        place.parent.mkdir(parents=True, exist_ok=True)
        source = archive.extractfile(member)
        assert source is not None  # noqa: S101  a regular file has content
        with source, place.open("wb") as file:
            shutil.copyfileobj(source, file, _BLOCK)


def _place(target: Path, name: str, path: Path) -> Path:
    """Return where a member goes, always inside `target`."""
    parts = PurePosixPath(name.replace("\\", "/"))
    if parts.is_absolute() or ".." in parts.parts or any(":" in part for part in parts.parts):
        raise DamagedFile(f"{path} names a place outside its folder, {name!r}; nothing was unpacked.")
    return target.joinpath(*parts.parts)


def _check_room(path: Path, target: Path, size: int) -> None:
    if size > _LARGEST_RATIO * max(path.stat().st_size, 1):
        raise DamagedFile(f"{path} would unpack to {size:,} bytes, which no honest archive of its size does.")
    free = shutil.disk_usage(target).free
    if size + _SPARE_BYTES > free:
        raise OutputError(f"{path} unpacks to {size:,} bytes, but the disk of {target.parent} has {free:,} left.")
