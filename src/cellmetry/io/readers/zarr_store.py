"""`ZarrStore`: regions of Zarr arrays, reading only the chunks that a region touches."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

import zarr
from zarr.errors import BaseZarrError

from cellmetry.errors import DamagedFile
from cellmetry.io.failures import LIBRARY_ERRORS, file_name
from cellmetry.io.signatures import is_url

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from cellmetry.io.reader import Index

__all__ = ["ZarrStore", "absent_chunks"]

_COUNTED_CHUNKS = 200_000
_FAILURES = (BaseZarrError, *LIBRARY_ERRORS)


class ZarrStore:
    """An `ArrayStore` over the arrays of a multiscale image.

    Parameters
    ----------
    path
        Folder or URL of the group.
    places
        Path of the array of each level inside it; ``""`` is the group's own path.
    arrays
        The opened arrays, the first of full resolution.
    axes
        One letter per axis.
    """

    def __init__(self, path: str, places: tuple[str, ...], arrays: list[Any], axes: str) -> None:
        self.path, self.places, self.axes = path, places, axes
        self.shape: tuple[int, ...] = tuple(arrays[0].shape)
        self.dtype: np.dtype[Any] = arrays[0].dtype
        row, column = axes.find("Y"), axes.find("X")
        self.level_sizes: tuple[tuple[int, int], ...] = tuple((a.shape[row], a.shape[column]) for a in arrays)
        self._arrays: dict[int, Any] = dict(enumerate(arrays))

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_arrays": {}}

    def read(self, index: Index, level: int = 0) -> NDArray[Any]:
        """Return a region.

        Raises
        ------
        DamagedFile
            If a chunk of it is damaged; names the chunk.
        """
        try:
            array = self._array(level)
            pixels: NDArray[Any] = array[index]
        except _FAILURES as error:
            chunk = self._broken_chunk(index, level)
            raise DamagedFile(f"{file_name(self.path)} is damaged in {chunk}: {type(error).__name__}.") from error
        return pixels

    def _array(self, level: int) -> Any:
        if level not in self._arrays:
            place = self.places[level]
            self._arrays[level] = zarr.open_array(self.path, path=place, mode="r")
        return self._arrays[level]

    def _broken_chunk(self, index: Index, level: int) -> str:
        """Return which chunk of a region cannot be read, found by reading them one by one."""
        place = self.places[level] or "the array"
        array = self._arrays.get(level)
        if array is None:
            return place
        spans = [
            range(part // size, part // size + 1) if isinstance(part, int) else _chunks(part, size, length)
            for part, size, length in zip(index, array.chunks, array.shape, strict=True)
        ]
        for chunk in product(*spans):
            corner = tuple(slice(i * size, (i + 1) * size) for i, size in zip(chunk, array.chunks, strict=True))
            try:
                array[corner]
            except _FAILURES:
                return f"chunk {'/'.join(map(str, chunk))} of {place}"
        return place


def _chunks(part: slice, size: int, length: int) -> range:
    start, stop, _ = part.indices(length)
    return range(start // size, -(-stop // size))


def absent_chunks(path: str, array: Any, name: str) -> tuple[str, ...]:
    """Return a warning with the count of chunks (shards) that are not stored; they read as the fill value.

    Not counted for URLs and very many chunks, where listing them would take long.
    """
    sharded = array.shards is not None
    total = array.nchunks if not sharded else _n_shards(array)
    if is_url(path) or total > _COUNTED_CHUNKS:
        return ()
    stored = int(array._nshards_initialized) if sharded else int(array.nchunks_initialized)
    kind = "shards" if sharded else "chunks"
    if stored >= total:
        return ()
    return (f"{name} stores {stored} of {total} {kind}; the others read as {array.fill_value}.",)


def _n_shards(array: Any) -> int:
    total = 1
    for length, size in zip(array.shape, array.shards, strict=True):
        total *= -(-length // size)
    return total
