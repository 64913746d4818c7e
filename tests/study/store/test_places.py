"""Which disks are shares, by given tables of mounts of Linux and macOS."""

from __future__ import annotations

from pathlib import Path

import pytest

from cellmetry.study.store import places
from cellmetry.study.store.places import Mount, is_shared, kind_of_disk, mounts_of, on_network

LINUX = """\
overlay / overlay rw,relatime 0 0
proc /proc proc rw 0 0
/dev/sda2 /home ext4 rw,relatime 0 0
server:/vol /home/lab nfs4 rw 0 0
//server/share /mnt/my\\040share cifs rw 0 0
//server/other /mnt/a\\134b smb3 rw 0 0
rclone: /mnt/cloud fuse.rclone rw 0 0
s3fs /mnt/bucket fuse.s3fs rw 0 0
mira@server: /mnt/ssh fuse.sshfs rw 0 0
/dev/sdb1 /mnt/stick fuseblk rw 0 0
shared /mnt/guest vboxsf rw 0 0
host /mnt/host virtiofs rw 0 0
C:\\134 /mnt/c 9p rw 0 0
systemd-1 /mnt/auto autofs rw 0 0
server:/auto /mnt/auto nfs rw 0 0
gvfsd-fuse /run/user/1000/gvfs fuse.gvfsd-fuse rw 0 0
broken
"""
MACOS = (
    Mount("/", "apfs"),
    Mount("/System/Volumes/Data", "apfs"),
    Mount("/Volumes/stick", "exfat"),
    Mount("/Volumes/lab", "smbfs"),
    Mount("/Volumes/old", "afpfs"),
    Mount("/Volumes/cloud", "macfuse"),
    Mount("/System/Volumes/Data/home", "autofs"),
)


@pytest.mark.parametrize(
    ("path", "shared"),
    [
        ("/a.cellmetry", False),
        ("/home/mira/a.cellmetry", False),
        ("/home/lab/a.cellmetry", True),
        ("/home/laboratory/a.cellmetry", False),
        ("/mnt/my share/a.cellmetry", True),
        ("/mnt/a\\b/a.cellmetry", True),
        ("/mnt/cloud/a", True),
        ("/mnt/bucket", True),
        ("/mnt/ssh/a", True),
        ("/mnt/stick/a", False),
        ("/mnt/guest/a", True),
        ("/mnt/host/a", True),
        ("/mnt/c/a", True),
        ("/mnt/auto/a", True),
        ("/run/user/1000/gvfs/smb/a", True),
    ],
)
def test_shares_of_linux(path, shared):
    assert is_shared(kind_of_disk(path, mounts_of(LINUX))) == shared


@pytest.mark.parametrize(
    ("path", "shared"),
    [
        ("/Users/mira/a.cellmetry", False),
        ("/Volumes/stick/a", False),
        ("/Volumes/lab/a", True),
        ("/Volumes/old/a", True),
        ("/Volumes/cloud/a", True),
    ],
)
def test_shares_of_macos(path, shared):
    assert is_shared(kind_of_disk(path, MACOS)) == shared


def test_where_there_is_no_table_the_system_is_asked(tmp_path, monkeypatch):
    monkeypatch.setattr(places, "_MOUNTS", tmp_path / "none")
    there = type("Partition", (), {"mountpoint": str(tmp_path.resolve()), "fstype": "smbfs"})
    monkeypatch.setattr(places.psutil, "disk_partitions", lambda all: [there])
    assert on_network(tmp_path / "a.cellmetry")
    monkeypatch.setattr(places.psutil, "disk_partitions", lambda all: [])
    assert not on_network(tmp_path)


def test_a_kind_that_nobody_knows_is_local():
    assert not is_shared("")
    assert not is_shared(kind_of_disk("/a", ()))
    assert not is_shared(kind_of_disk(str(Path("a")), (Mount("/", "nfs"),)))
