"""NumPy's ``.npy``: read through a memory map; pickled objects are never loaded."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np
from numpy.lib import format as npy_format

from cellmetry.errors import DamagedFile, UnsupportedFormat
from cellmetry.io.failures import file_name, reading
from cellmetry.io.reader import StoredScene
from cellmetry.io.signatures import SIGNATURES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cellmetry.io.reader import Index
    from cellmetry.io.signatures import Probe

__all__ = ["NpyReader"]


class NpyReader:
    """A NumPy array. Two axes are Y and X; more must be named."""

    title: ClassVar[str] = "a NumPy array"

    @staticmethod
    def sniff(probe: Probe) -> bool:
        """Return whether the file begins with NumPy's magic."""
        return SIGNATURES["npy"](probe)

    @staticmethod
    def scenes(path: str) -> list[StoredScene]:
        """Return the one array of the file."""
        header = _header(path)
        axes = "YX" if len(header.shape) == 2 else "Q" * len(header.shape)
        return [StoredScene(_NpyStore(path, header), axes)]


class _Header(NamedTuple):
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    order: str
    offset: int


def _header(path: str) -> _Header:
    """Return shape, type and place of the data, checked against the size of the file.

    Raises
    ------
    UnsupportedFormat
        If the array is of Python objects, which would have to be unpickled.
    DamagedFile
        If the file is shorter than its header says.
    """
    name = file_name(path)
    with open(path, "rb") as file:
        version = npy_format.read_magic(file)
        reader = npy_format.read_array_header_1_0 if version == (1, 0) else npy_format.read_array_header_2_0
        shape, fortran, dtype = reader(file)
        offset = file.tell()
    if dtype.hasobject:
        raise UnsupportedFormat(f"{name} holds pickled Python objects, which are never loaded; save plain numbers.")
    needed = offset + dtype.itemsize * int(np.prod(shape, dtype=object))
    size = Path(path).stat().st_size
    if needed > size:
        raise DamagedFile(f"{name} ends early: its shape {shape} needs {needed:,} bytes and the file has {size:,}.")
    return _Header(shape, dtype, "F" if fortran else "C", offset)


class _NpyStore:
    """An `ArrayStore` over the mapped array."""

    def __init__(self, path: str, header: _Header) -> None:
        self.path, self.header = path, header
        self.shape, self.dtype = header.shape, header.dtype
        self.level_sizes: tuple[tuple[int, int], ...] = ((0, 0),)

    def read(self, index: Index, level: int = 0) -> NDArray[Any]:
        """Return a region."""
        header = self.header
        with reading(self.path):
            mapped = np.memmap(self.path, header.dtype, "r", header.offset, header.shape, header.order)  # type: ignore[call-overload]
            return np.array(mapped[index])
