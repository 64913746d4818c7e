"""What kind of disk a folder is on, and whether one may write there."""

from __future__ import annotations

import os
import re
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from uuid import uuid4

import psutil

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Mount", "is_shared", "kind_of_disk", "mounts_of", "on_network", "writable"]

_SERVERS = frozenset(("afpfs", "afs", "coda", "davfs", "ftp", "ncpfs", "webdav"))
_CLUSTERS = frozenset(("acfs", "beegfs", "ceph", "fhgfs", "gfs", "gfs2", "glusterfs", "gpfs", "lustre"))
_SHARED_DISKS = frozenset(("ocfs2", "orangefs", "panfs", "pvfs2", "wekafs"))
_HOST_OF_MACHINE = frozenset(("9p", "prl_fs", "vboxsf", "virtiofs", "vmhgfs"))
_NETWORK = _SERVERS | _CLUSTERS | _SHARED_DISKS | _HOST_OF_MACHINE
_NETWORK_FAMILIES = ("nfs", "cifs", "smb")
_FUSE = ("fuse", "osxfuse", "macfuse")
_LOCAL_FUSE = frozenset(
    ("fuseblk", "fuse.fuseblk", "fuse.ntfs-3g", "fuse.ntfs", "fuse.exfat", "fuse.ext2", "fuse.apfs")
)
_REMOTE_DRIVE = 4
_MOUNTS = Path("/proc/self/mounts")
_OCTAL = re.compile(r"\\([0-7]{3})")


class Mount(NamedTuple):
    """Where a file system is, and of which kind."""

    place: str
    kind: str


def on_network(path: Path) -> bool:
    """Return whether a path lies on a network share, where SQLite's write-ahead log is not safe."""
    whole = path.absolute()
    if sys.platform == "win32":
        return _windows_share(whole)
    return is_shared(kind_of_disk(os.path.realpath(whole), _mounts()))


def is_shared(kind: str) -> bool:
    """Return whether a kind of file system lies on another computer, or may: of FUSE all not known as local."""
    name = kind.lower()
    if name.startswith(_FUSE):
        return name not in _LOCAL_FUSE
    return name in _NETWORK or name.startswith(_NETWORK_FAMILIES)


def kind_of_disk(path: str, mounts: Iterable[Mount]) -> str:
    """Return the kind of file system of the deepest mount above a path; of several at one place the last."""
    found = Mount("", "")
    for each in mounts:
        if len(each.place) >= len(found.place) and Path(path).is_relative_to(each.place):
            found = each
    return found.kind


def mounts_of(table: str) -> list[Mount]:
    """Return what a table of Linux says (``/proc/self/mounts``), in which blanks of places are octal numbers."""
    rows = (line.split(" ") for line in table.splitlines())
    return [Mount(_OCTAL.sub(lambda found: chr(int(found[1], 8)), row[1]), row[2]) for row in rows if len(row) > 2]


def writable(folder: Path) -> bool:
    """Return whether files can be made in a folder: permissions, and disks that are read-only, by trying."""
    trial = folder / f".cellmetry-{uuid4().hex}.part"
    try:
        trial.touch(exist_ok=False)
    except OSError:
        return False
    with suppress(OSError):
        trial.unlink()
    return True


def _mounts() -> list[Mount]:
    """Return the mounts of this computer; none where the system does not say."""
    if _MOUNTS.is_file():
        return mounts_of(os.fsdecode(_MOUNTS.read_bytes()))
    with suppress(OSError, psutil.Error):  # macOS, BSD
        return [Mount(each.mountpoint, each.fstype) for each in psutil.disk_partitions(all=True)]
    return []


def _windows_share(path: Path) -> bool:  # pragma: no cover  Windows only
    from ctypes import windll  # type: ignore[attr-defined, unused-ignore]  # noqa: PLC0415  there only

    return str(path).startswith("\\\\") or windll.kernel32.GetDriveTypeW(path.anchor) == _REMOTE_DRIVE
