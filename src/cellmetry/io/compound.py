"""OLE2 compound files (OIB, ZVI, old Office): names of what is inside, and whether the sector chains end."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

import numpy as np

from cellmetry.errors import DamagedFile
from cellmetry.io.failures import file_name

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["MAGIC", "Compound", "read_compound"]

MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_HEADER = struct.Struct("<8s16sHHHHHHIIIIIIIIII109I")
_FIRST_SPECIAL = 0xFFFFFFFA
_ENTRY_BYTES = 128


class Compound(NamedTuple):
    """Names of the streams and storages of a compound file."""

    names: tuple[str, ...]


def read_compound(path: str) -> Compound:
    """Return the names in the directory.

    Raises
    ------
    DamagedFile
        If the header is not whole, or a chain of sectors runs in a circle or out of the file.
    """
    name, size = file_name(path), Path(path).stat().st_size
    with open(path, "rb") as file:
        head = file.read(_HEADER.size)
        if len(head) < _HEADER.size or not head.startswith(MAGIC):
            raise DamagedFile(f"{name} is damaged: the header of its compound file is not whole.")
        fields = _HEADER.unpack(head)
        sector = 1 << fields[5]
        if sector not in {512, 4096}:
            raise DamagedFile(f"{name} is damaged: its compound file has sectors of 2^{fields[5]} bytes.")
        table = _table(file, fields, sector, size, name)
        places = _chain(table, fields[11])
        directory = b"".join(_sector(file, place, sector) for place in places)
    return Compound(tuple(_names(directory)))


def _sector(file: BinaryIO, number: int, size: int) -> bytes:
    file.seek((number + 1) * size)
    return file.read(size)


def _table(file: BinaryIO, fields: tuple[int, ...], sector: int, size: int, name: str) -> NDArray[np.int64]:
    """Return the successor of every sector, −1 at the end of a chain; refuses circles."""
    n_sectors = size // sector
    numbers = [number for number in fields[18:] if number < n_sectors]
    following, left = fields[16], min(fields[17], n_sectors)
    while left and following < n_sectors:
        *more, following = struct.unpack(f"<{sector // 4}I", _sector(file, following, sector).ljust(sector, b"\xff"))
        numbers += [number for number in more if number < n_sectors]
        left -= 1
    if len(numbers) > n_sectors:
        raise DamagedFile(f"{name} is damaged: its compound file lists more sectors than it has.")
    raw = b"".join(_sector(file, number, sector) for number in numbers)
    table = np.frombuffer(raw[: len(raw) // 4 * 4], "<u4").astype(np.int64)
    table[(table >= _FIRST_SPECIAL) | (table >= table.size)] = -1
    if _has_circle(table):
        raise DamagedFile(f"{name} is damaged: a chain of sectors of its compound file runs in a circle.")
    return table


def _has_circle(table: NDArray[np.int64]) -> bool:
    """Return whether following successors never ends somewhere, by doubling the length of every jump."""
    jump = np.append(table, -1)
    for _ in range(int(table.size).bit_length() + 1):
        jump = jump[jump]
    return bool((jump >= 0).any())


def _chain(table: NDArray[np.int64], start: int) -> list[int]:
    places = []
    while 0 <= start < table.size:
        places.append(start)
        start = int(table[start])
    return places


def _names(directory: bytes) -> list[str]:
    entries = [directory[at : at + _ENTRY_BYTES] for at in range(0, len(directory), _ENTRY_BYTES)]
    return [
        entry[: max(int.from_bytes(entry[64:66], "little") - 2, 0)].decode("utf-16-le", "replace")
        for entry in entries
        if len(entry) == _ENTRY_BYTES
    ]
