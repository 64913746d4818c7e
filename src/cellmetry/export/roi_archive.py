"""The bytes of ImageJ's ROI files, alone, in a folder or in a zip; nothing is unpacked, hostile zips are refused."""

from __future__ import annotations

import re
import struct
import zipfile
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

from cellmetry.errors import DamagedFile, LimitExceeded, UnsupportedFormat
from cellmetry.io.failures import reading

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["MOST_ENTRIES", "StoredRoi", "stored_rois"]

MOST_ENTRIES = 500_000
"""Most outlines in one zip."""
_MOST_BYTES = 64_000_000
_MOST_TOTAL = 2_000_000_000
_MOST_LISTED = 64 * MOST_ENTRIES
_END, _END_64, _TAIL = b"PK\x05\x06", b"PK\x06\x06", 66_000
_OUTSIDE = re.compile(r"(^|/)\.\.(/|$)|^/|^[A-Za-z]:|\\")


class StoredRoi(NamedTuple):
    """One ROI file: where it stands (empty if it is the whole file), its stem, and its bytes."""

    where: str
    stem: str
    data: bytes


def stored_rois(path: Path) -> Iterator[StoredRoi]:
    """Yield the ROI files in a ``.roi`` file, a zip of them, or a folder, in the order stored.

    Raises
    ------
    DamagedFile, UnsupportedFormat, LimitExceeded
        If the file is broken, none of these, or hostile: entries that point outside, links, zips in the zip, more or
        larger entries than outlines can be.
    """
    if path.is_dir():
        for each in sorted(path.glob("*.roi")):
            yield StoredRoi(each.name, each.stem, _bytes(each))
        return
    with path.open("rb") as file:
        start = file.read(4)
    if start == b"Iout":
        yield StoredRoi("", path.stem, _bytes(path))
    elif start[:2] == b"PK":
        yield from _zipped(path)
    else:
        raise UnsupportedFormat(f"{path.name} is neither a .roi file nor a zip of them (it begins with {start!r}).")


def _bytes(path: Path) -> bytes:
    if path.stat().st_size > _MOST_BYTES:
        raise LimitExceeded(f"{path} has {path.stat().st_size:,} bytes, far more than an outline needs.")
    return path.read_bytes()


def _zipped(path: Path) -> Iterator[StoredRoi]:
    _refuse_long_list(path)
    try:
        with reading(str(path)), zipfile.ZipFile(path) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            _refuse_hostile(entries, path)
            for entry in entries:
                if entry.filename.startswith("__MACOSX/") or not entry.filename.lower().endswith(".roi"):
                    continue
                yield StoredRoi(entry.filename, PurePosixPath(entry.filename).stem, archive.read(entry))
    except zipfile.BadZipFile as error:
        raise DamagedFile(f"{path.name} is a damaged zip: {error}.") from error


def _refuse_long_list(path: Path) -> None:
    """Refuse a zip whose end states a list of entries that would itself fill the memory (APPNOTE 4.3.14, 4.3.16)."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _TAIL))
        tail = file.read()
    place, place_64 = tail.rfind(_END), tail.rfind(_END_64)
    stated = [(0, 0)]
    if 0 <= place <= len(tail) - 22:
        stated.append(struct.unpack_from("<HI", tail, place + 10))
    if 0 <= place_64 <= len(tail) - 56:
        stated = [(0, 0), struct.unpack_from("<QQ", tail, place_64 + 32)]
    count, size = stated[-1]
    if count > MOST_ENTRIES or size > _MOST_LISTED:
        raise LimitExceeded(
            f"{path.name} lists {count:,} entries or more in {size:,} bytes; at most {MOST_ENTRIES:,} outlines are "
            f"read from one zip."
        )


def _refuse_hostile(entries: list[zipfile.ZipInfo], path: Path) -> None:
    total = sum(entry.file_size for entry in entries)
    if len(entries) > MOST_ENTRIES or total > _MOST_TOTAL or any(e.file_size > _MOST_BYTES for e in entries):
        raise LimitExceeded(f"{path.name} unpacks to {len(entries):,} files of {total:,} bytes, which are no outlines.")
    for entry in entries:
        if _OUTSIDE.search(entry.filename) or entry.external_attr >> 16 & 0o170000 == 0o120000:
            raise DamagedFile(f"{path.name} holds {entry.filename!r}, which points outside of it; it was not opened.")
        if entry.filename.lower().endswith(".zip"):
            raise DamagedFile(f"{path.name} holds another zip, {entry.filename!r}; unpack it and import it by itself.")
