"""`TiffStore`: regions of TIFF pages, decoding only the strips or tiles that a region touches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from tifffile import TiffFile, TiffPage

from cellmetry.errors import DamagedFile
from cellmetry.io.failures import file_name, library_words, reading

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from io import BufferedReader

    from numpy.typing import NDArray

    from cellmetry.io.reader import Index

__all__ = ["PaletteStore", "PlaneTable", "RawLevel", "SegmentLevel", "TiffStore"]


class PlaneTable(NamedTuple):
    """Where each plane lies: index of its file and of its page; page −1 where the file lacks the plane."""

    files: NDArray[np.int32]
    pages: NDArray[np.int32]


@dataclass(frozen=True)
class RawLevel:
    """Planes that lie uncompressed in one piece each: they are read through a memory map.

    Parameters
    ----------
    offsets
        Position of each plane in its file, shape (planes,).
    shape
        Of one plane.
    dtype
        With the file's byte order.
    """

    offsets: NDArray[np.int64]
    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    def read(self, path: str, plane: int, index: Index) -> NDArray[Any]:
        """Return ``plane[index]``."""
        offset = int(self.offsets[plane])
        pixels = np.memmap(path, self.dtype, "r", offset, self.shape)
        return np.array(pixels[index])


@dataclass(frozen=True)
class SegmentLevel:
    """Planes stored as strips or tiles.

    Parameters
    ----------
    offsets, counts
        Position and length of each segment, shape (planes, segments); 0 where the file has none.
    shape
        Of one plane as (separate samples, rows, columns, interleaved samples).
    tile
        Rows and columns of a segment.
    dtype
        Of decoded values.
    tags
        Position of the page in its file whose tags say how to decode each plane, shape (planes,).
    """

    offsets: NDArray[np.int64]
    counts: NDArray[np.int64]
    shape: tuple[int, int, int, int]
    tile: tuple[int, int]
    dtype: np.dtype[Any]
    tags: NDArray[np.int64]

    def segments(self, sample: int, rows: slice, columns: slice) -> Iterator[int]:
        """Yield the indices of the segments that a region of one separate sample touches."""
        height, width = self.tile
        down, across = -(-self.shape[1] // height), -(-self.shape[2] // width)
        for row in range(rows.start // height, -(-rows.stop // height)):
            for column in range(columns.start // width, -(-columns.stop // width)):
                yield (sample * down + row) * across + column


class TiffStore:
    """An `ArrayStore` over pages of one or several TIFF files. Keeps no file open between reads.

    Parameters
    ----------
    paths
        The files.
    table
        One entry per plane, in C order of `lead`.
    lead
        Sizes of the axes before the plane's own.
    frame
        Axes of a plane: ``YX``, ``YXS`` or ``SYX``.
    levels
        Resolution levels, the first is full resolution.
    inverted
        The value that stands for black where white is stored as zero, else None.
    """

    def __init__(
        self,
        paths: tuple[str, ...],
        table: PlaneTable,
        *,
        lead: tuple[int, ...],
        frame: str,
        levels: tuple[RawLevel | SegmentLevel, ...],
        inverted: int | None = None,
    ) -> None:
        self.paths, self.table, self.lead, self.frame, self.levels = paths, table, lead, frame, levels
        self.inverted = inverted
        self._decoders: dict[tuple[str, int], _Decoder] = {}

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_decoders": {}}

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of decoded values."""
        return self.levels[0].dtype

    @property
    def shape(self) -> tuple[int, ...]:
        """Leading sizes, then the sizes of a plane."""
        return self.lead + self._frame_shape(0)

    @property
    def level_sizes(self) -> tuple[tuple[int, int], ...]:
        """Height and width of each level."""
        row = self.frame.index("Y")
        shapes = [self._frame_shape(level) for level in range(len(self.levels))]
        return tuple((shape[row], shape[row + 1]) for shape in shapes)

    def read(self, index: Index, level: int = 0) -> NDArray[Any]:
        """Return ``pixels[index]``; see `ArrayStore`."""
        lead, inside = index[: len(self.lead)], index[len(self.lead) :]
        plane = int(np.ravel_multi_index(tuple(int(i) for i in lead), self.lead)) if lead else 0  # type: ignore[arg-type]
        path, page = self.paths[self.table.files[plane]], int(self.table.pages[plane])
        if page < 0:
            raise DamagedFile(f"{file_name(path)} lacks the plane at {tuple(lead)}, which its metadata announces.")
        data = self.levels[level]
        if isinstance(data, RawLevel):
            with reading(path, f"page {page}"):
                pixels = data.read(path, plane, inside)
        else:
            pixels = self._decoded(data, level, plane, inside)
        if self.inverted is None:
            return pixels
        turned: NDArray[Any] = np.subtract(self.inverted, pixels, dtype=pixels.dtype)
        return turned

    def _frame_shape(self, level: int) -> tuple[int, ...]:
        shape = self.levels[level].shape
        if isinstance(self.levels[level], RawLevel):
            return shape
        return {"YX": shape[1:3], "YXS": shape[1:], "SYX": shape[:3]}[self.frame]

    def _decoded(self, data: SegmentLevel, level: int, plane: int, index: Index) -> NDArray[Any]:
        """Return the region of one plane that `index` names, decoding segment by segment."""
        where = dict(zip(self.frame, index, strict=True))
        rows, columns = (_bounded(where[axis], size) for axis, size in zip("YX", data.shape[1:3], strict=True))
        separate = self._separate(where, data.shape[0])
        shape = (len(separate), rows.stop - rows.start, columns.stop - columns.start, data.shape[3])
        out = np.zeros(shape, data.dtype)
        path = self.paths[self.table.files[plane]]
        decoder = self._decoder(path, int(data.tags[plane]))
        with reading(path), open(path, "rb") as file:
            for position, sample in enumerate(separate):
                for segment in data.segments(sample, rows, columns):
                    self._paste(out[position], _Part(file, data, plane, segment), decoder, rows=rows, columns=columns)
        return self._picked(out, where)

    def _paste(self, out: NDArray[Any], part: _Part, decoder: _Decoder, *, rows: slice, columns: slice) -> None:
        """Write the overlap of one segment with the region into `out`, shape (rows, columns, samples)."""
        file, data, plane, segment = part
        count = int(data.counts[plane, segment])
        if count == 0 or data.offsets[plane, segment] == 0:
            return
        with reading(file.name, f"{decoder.kind} {segment} of page {self.table.pages[plane]}"):
            file.seek(int(data.offsets[plane, segment]))
            pixels, (_, _, y, x, _), _ = decoder.decode(
                file.read(count), segment, jpegtables=decoder.tables, jpegheader=decoder.header
            )
            height, width = min(data.tile[0], data.shape[1] - y), min(data.tile[1], data.shape[2] - x)
            if pixels is None or pixels.shape[1] < height or pixels.shape[2] < width:
                raise ValueError("it decodes to fewer pixels than it should hold")
            y0, y1 = max(y, rows.start), min(y + height, rows.stop)
            x0, x1 = max(x, columns.start), min(x + width, columns.stop)
            source = pixels[0, y0 - y : y1 - y, x0 - x : x1 - x]
            out[y0 - rows.start : y1 - rows.start, x0 - columns.start : x1 - columns.start] = source

    def _decoder(self, path: str, position: int) -> _Decoder:
        """Return what decodes the segments of the page at `position`, read once in each process."""
        key = (path, position)
        if key not in self._decoders:
            with reading(path), library_words(), TiffFile(path, is_ome=False) as tif:
                tif.filehandle.seek(position)
                page = TiffPage(tif, index=0)
                kind = "tile" if page.is_tiled else "strip"
                self._decoders[key] = _Decoder(page.decode, page.jpegtables, page.jpegheader, kind)
        return self._decoders[key]

    def _separate(self, where: dict[str, int | slice], n_samples: int) -> range:
        sample = where.get("S", 0) if self.frame == "SYX" else 0
        return range(n_samples)[sample] if isinstance(sample, slice) else range(sample, sample + 1)

    def _picked(self, out: NDArray[Any], where: dict[str, int | slice]) -> NDArray[Any]:
        """Return decoded pixels with the axes of `frame` that stay after indexing samples."""
        sample = where.get("S", 0)
        if self.frame == "SYX":
            return out[..., 0] if isinstance(sample, slice) else out[0, ..., 0]
        picked: NDArray[Any] = out[0][..., sample]
        return picked


class _Decoder(NamedTuple):
    """tifffile's function that decodes the segments of a page, what JPEG needs besides, and what segments are."""

    decode: Callable[..., Any]
    tables: bytes | None
    header: bytes | None
    kind: str


class _Part(NamedTuple):
    """One segment of one plane of a level, in an open file."""

    file: BufferedReader
    data: SegmentLevel
    plane: int
    segment: int


class PaletteStore:
    """Palette pictures as red, green and blue: an `ArrayStore` with one more axis, S of length 3."""

    def __init__(self, indices: TiffStore, colours: NDArray[np.uint8]) -> None:
        self.indices, self.colours = indices, colours

    @property
    def dtype(self) -> np.dtype[Any]:
        """8-bit colours."""
        return self.colours.dtype

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the indices, and 3."""
        return (*self.indices.shape, 3)

    @property
    def level_sizes(self) -> tuple[tuple[int, int], ...]:
        """As of the indices."""
        return self.indices.level_sizes

    def read(self, index: Index, level: int = 0) -> NDArray[Any]:
        """Return the colours of a region."""
        picked: NDArray[Any] = self.colours[self.indices.read(index[:-1], level)][..., index[-1]]
        return picked


def _bounded(part: int | slice, size: int) -> slice:
    """Return a slice with plain bounds of step 1."""
    if isinstance(part, int):
        return slice(part, part + 1)
    start, stop, _ = part.indices(size)
    return slice(start, stop)
