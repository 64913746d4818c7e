"""The parts of a Zeiss CZI file: where its blocks of pixels lie, how they are decoded, what its XML says.

Written after the published layout of ZISRAW segments: a file header names the block directory; every entry of
the directory names a block's place along each axis, its size, and its position in the file.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

import imagecodecs
import numpy as np

from cellmetry.errors import DamagedFile, LimitExceeded, UnsupportedFormat
from cellmetry.io.failures import file_name
from cellmetry.settings import current_settings

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Block", "CziFile", "read_block", "read_czi"]

_SEGMENT = struct.Struct("<16sqq")
_HEADER = struct.Struct("<iiii16s16siqqiq")
_ENTRY = struct.Struct("<2siqiiBB4si")
_DIMENSION = struct.Struct("<4siifi")
_BLOCK = struct.Struct("<iiq")
_DIRECTORY_SPARE, _METADATA_SPARE, _BLOCK_HEAD = 124, 248, 256
_MAX_DIMENSIONS = 64
_ZSTD_HILO = 2


class _PixelType(NamedTuple):
    dtype: str
    samples: int


_PIXEL_TYPES = {
    0: _PixelType("<u1", 1),
    1: _PixelType("<u2", 1),
    2: _PixelType("<f4", 1),
    3: _PixelType("<u1", 3),
    4: _PixelType("<u2", 3),
    8: _PixelType("<f4", 3),
    9: _PixelType("<u1", 4),
    12: _PixelType("<i4", 1),
}
_COMPRESSIONS = {0: "none", 1: "JPEG", 2: "LZW", 4: "JPEG XR", 5: "Zstandard", 6: "Zstandard"}


@dataclass(frozen=True)
class Block:
    """One rectangle of pixels of one plane.

    Parameters
    ----------
    position
        Of its segment in the file.
    start
        Place along each axis (``X``, ``Y`` in pixels of full resolution).
    height, width
        In pixels of full resolution.
    stored
        Height and width as stored; smaller for the blocks of a pyramid.
    """

    position: int
    pixel_type: int
    compression: int
    start: dict[str, int]
    height: int
    width: int
    stored: tuple[int, int]

    @property
    def full(self) -> bool:
        """Whether the block is of full resolution."""
        return self.stored == (self.height, self.width)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the samples."""
        return np.dtype(_PIXEL_TYPES[self.pixel_type].dtype)

    @property
    def samples(self) -> int:
        """Samples per pixel: 1, or 3 and 4 for colour."""
        return _PIXEL_TYPES[self.pixel_type].samples

    @property
    def lossy(self) -> bool:
        """Whether its compression may lose values."""
        return self.compression in {1, 4}


class CziFile(NamedTuple):
    """Blocks and XML of a file."""

    blocks: tuple[Block, ...]
    xml: bytes


def read_czi(path: str) -> CziFile:
    """Return all blocks and the XML, without decoding a pixel.

    Raises
    ------
    DamagedFile, UnsupportedFormat, LimitExceeded
        If the directory is broken, a pixel type unknown, or there are too many blocks.
    """
    name, size = file_name(path), Path(path).stat().st_size
    with open(path, "rb") as file:
        _segment(file, 0, b"ZISRAWFILE", name)
        header = _HEADER.unpack(file.read(_HEADER.size))
        part, directory, metadata = header[6], header[7], header[8]
        if part:
            raise UnsupportedFormat(f"{name} is part {part} of a file in several parts; open the first part.")
        blocks = _directory(file, directory, name)
        xml = _xml(file, metadata, name)
    if any(block.position >= size for block in blocks):
        raise DamagedFile(f"{name} ends early: blocks of pixels lie beyond its {size:,} bytes; copy it again.")
    return CziFile(blocks, xml)


def _segment(file: BinaryIO, position: int, kind: bytes, name: str) -> int:
    """Move to the data of a segment and return its length."""
    file.seek(position)
    head = file.read(_SEGMENT.size)
    if len(head) < _SEGMENT.size or head[:16].rstrip(b"\0") != kind:
        raise DamagedFile(f"{name} is damaged: no {kind.decode()} segment at byte {position:,}.")
    return int(_SEGMENT.unpack(head)[2])


def _directory(file: BinaryIO, position: int, name: str) -> tuple[Block, ...]:
    if position <= 0:
        raise DamagedFile(f"{name} has no directory of its blocks: it was not closed when it was written.")
    _segment(file, position, b"ZISRAWDIRECTORY", name)
    (count,) = struct.unpack("<i", file.read(4))
    if not 0 < count <= current_settings().max_pages:
        raise LimitExceeded(f"{name} lists {count:,} blocks; the limit is CELLMETRY_MAX_PAGES.")
    file.seek(_DIRECTORY_SPARE, 1)
    return tuple(_entry(file, name) for _ in range(count))


def _entry(file: BinaryIO, name: str) -> Block:
    schema, pixel_type, position, _, compression, _, _, _, count = _ENTRY.unpack(file.read(_ENTRY.size))
    if schema != b"DV" or not 0 < count <= _MAX_DIMENSIONS:
        raise DamagedFile(f"{name} has a damaged directory of blocks.")
    if pixel_type not in _PIXEL_TYPES:
        raise UnsupportedFormat(f"{name} stores CZI pixel type {pixel_type}, which holds no intensities.")
    start, sizes, stored = {}, {"X": 1, "Y": 1}, {"X": 1, "Y": 1}
    for _ in range(count):
        axis, first, length, _, kept = _DIMENSION.unpack(file.read(_DIMENSION.size))
        letter = axis.rstrip(b"\0").decode("ascii")
        start[letter], sizes[letter], stored[letter] = first, length, kept or length
    shape = (stored["Y"], stored["X"])
    return Block(position, pixel_type, compression, start, sizes["Y"], sizes["X"], shape)


def _xml(file: BinaryIO, position: int, name: str) -> bytes:
    if position <= 0:
        return b""
    _segment(file, position, b"ZISRAWMETADATA", name)
    (length,) = struct.unpack("<i4x", file.read(8))
    file.seek(_METADATA_SPARE, 1)
    return file.read(max(length, 0))


def read_block(file: BinaryIO, block: Block, name: str) -> NDArray[Any]:
    """Return the pixels of a block, shape (rows, columns, samples), colours in the order red, green, blue.

    Raises
    ------
    DamagedFile
        If it is shorter than it should be.
    UnsupportedFormat
        If its compression is unknown.
    """
    _segment(file, block.position, b"ZISRAWSUBBLOCK", name)
    metadata, _, length = _BLOCK.unpack(file.read(_BLOCK.size))
    file.seek(_ENTRY.size - 4, 1)
    (count,) = struct.unpack("<i", file.read(4))
    head = max(_BLOCK.size + _ENTRY.size + count * _DIMENSION.size, _BLOCK_HEAD)
    file.seek(block.position + _SEGMENT.size + head + metadata)
    pixels = _decoded(file.read(length), block, name)
    shape = (*block.stored, block.samples)
    if pixels.size != np.prod(shape):
        raise DamagedFile(f"{name} is damaged: the block at byte {block.position:,} has {pixels.size} values.")
    pixels = pixels.reshape(shape)
    swapped = block.samples > 1 and block.compression not in {1, 4}
    return pixels[..., [2, 1, 0, 3][: block.samples]] if swapped else pixels


def _decoded(data: bytes, block: Block, name: str) -> NDArray[Any]:
    kind = block.compression
    if kind == 0:
        return np.frombuffer(data, block.dtype)
    if kind == 1:
        return np.asarray(imagecodecs.jpeg_decode(data))
    if kind == 2:
        return np.frombuffer(imagecodecs.lzw_decode(data), block.dtype)
    if kind == 4:
        return np.asarray(imagecodecs.jpegxr_decode(data))
    if kind == 5:
        return np.frombuffer(imagecodecs.zstd_decode(data), block.dtype)
    if kind == 6:
        return np.frombuffer(_zstd1(data), block.dtype)
    raise UnsupportedFormat(f"{name} is compressed with CZI method {kind}; known are {sorted(_COMPRESSIONS)}.")


def _zstd1(data: bytes) -> bytes:
    """Return the bytes of a block with a Zstd-1 header, in which low and high bytes may be kept apart."""
    header = data[0]
    raw = bytes(imagecodecs.zstd_decode(data[header:]))
    apart = header >= 3 and data[1] == 1 and data[2] & 1
    if not apart:
        return raw
    half = len(raw) // _ZSTD_HILO
    halves = np.frombuffer(raw, np.uint8)
    return np.stack([halves[:half], halves[half:]], axis=1).tobytes()
