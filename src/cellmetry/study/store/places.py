"""What kind of disk a folder is on, and whether one may write there."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

__all__ = ["on_network", "writable"]

_NETWORK = {
    "nfs",
    "nfs4",
    "cifs",
    "smb3",
    "smbfs",
    "afs",
    "ceph",
    "lustre",
    "gpfs",
    "beegfs",
    "9p",
    "davfs",
    "glusterfs",
}
_REMOTE_DRIVE = 4
_MOUNTS = Path("/proc/self/mounts")


def on_network(path: Path) -> bool:
    """Return whether a path lies on a network share, where SQLite's write-ahead log is not safe."""
    whole = path.absolute()
    if sys.platform == "win32":
        return _windows_share(whole)
    return _kind_of_mount(whole) in _NETWORK or _kind_of_mount(whole).startswith("fuse.sshfs")


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


def _kind_of_mount(path: Path) -> str:
    """Return the kind of file system of the deepest mount above a path; empty where the system does not say."""
    if not _MOUNTS.is_file():
        return ""
    found, kind = "", ""
    for line in _MOUNTS.read_text(encoding="utf-8", errors="replace").splitlines():
        _, place, name, *_ = line.split(" ")
        place = place.replace("\\040", " ")
        if len(place) >= len(found) and Path(os.path.realpath(path)).is_relative_to(place):
            found, kind = place, name
    return kind


def _windows_share(path: Path) -> bool:  # pragma: no cover  Windows only
    from ctypes import windll  # type: ignore[attr-defined, unused-ignore]  # noqa: PLC0415  there only

    return str(path).startswith("\\\\") or windll.kernel32.GetDriveTypeW(path.anchor) == _REMOTE_DRIVE
