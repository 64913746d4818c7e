"""Tiles of an OME-Zarr image or label image of ours, as they lie on the disk: one zstd frame a file.

A chunk of the arrays that `write_image_store` and `create_label_store` write is one tile of raw little-endian values,
compressed by zstd with a checksum. It can be sent to a browser as it is, or decoded without the machinery of zarr.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
from numcodecs.zstd import Zstd

from cellmetry.errors import DamagedFile, ParameterError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["ZSTD_LEVEL", "TileLevel", "TileStore", "decode_tile", "encode_tile", "frame_checksum", "tile_store"]

ZSTD_LEVEL = 3


@dataclass(frozen=True)
class TileLevel:
    """One resolution level: its whole shape, the shape of a tile, and the values' type."""

    shape: tuple[int, ...]
    tile: tuple[int, ...]
    dtype: np.dtype[Any]

    @property
    def count(self) -> tuple[int, ...]:
        """Tiles along each axis."""
        return tuple(-(-size // side) for size, side in zip(self.shape, self.tile, strict=True))


@dataclass(frozen=True)
class TileStore:
    """The levels of an OME-Zarr folder that Cellmetry wrote; tiles at the edge are filled up with 0.

    Parameters
    ----------
    path
        The folder. It must not change while it is read.
    """

    path: Path

    @cached_property
    def levels(self) -> tuple[TileLevel, ...]:
        """All levels, the finest first.

        Raises
        ------
        DamagedFile
            If the description is missing or is not one that Cellmetry writes.
        """
        return self._described[0]

    @cached_property
    def axes(self) -> str:
        """Letters of the axes, as in TCZYX.

        Raises
        ------
        DamagedFile
            As `levels`.
        """
        return self._described[1]

    @cached_property
    def _described(self) -> tuple[tuple[TileLevel, ...], str]:
        """Levels and axes."""
        found = []
        try:
            said = json.loads((self.path / "zarr.json").read_text("utf-8"))["attributes"]["ome"]["multiscales"][0]
            axes = "".join(axis["name"] for axis in said["axes"]).upper()
            for dataset in said["datasets"]:
                level = json.loads((self.path / dataset["path"] / "zarr.json").read_text("utf-8"))
                found.append(self._level(level))
        except (OSError, KeyError, IndexError, ValueError, TypeError) as error:
            raise DamagedFile(
                f"{self.path} has no whole description of its levels ({error}); `cellmetry study repair` makes what "
                f"can be whole."
            ) from error
        return tuple(found), axes

    def missing(self) -> list[str]:
        """Return the tiles that have no file, of a folder where every tile has one; what is in them is not read.

        Raises
        ------
        DamagedFile
            As `levels`.
        """
        found = []
        for number, level in enumerate(self.levels):
            root = os.fspath(self.path / str(number) / "c")
            folders = ((where[len(root) :].replace(os.sep, "/"), names) for where, _, names in os.walk(root))
            there = {f"{inner}/{name}" for inner, names in folders for name in names}
            every = ("".join(f"/{index}" for index in place) for place in product(*map(range, level.count)))
            found += [f"{number}/c{place}" for place in every if place not in there]
        return found

    def frame(self, level: int, place: Sequence[int]) -> bytes | None:
        """Return the compressed bytes of a tile, None if it is not stored: where tiles may be left out, all of it is 0.

        Raises
        ------
        ParameterError
            If there is no such level or tile.
        DamagedFile
            If its file is empty, as after a failure of power.
        """
        self.check(level, place)
        file = f"{self.path}/{level}/c/{'/'.join(map(str, place))}"  # as text: building paths takes longer than reading
        try:
            with open(file, "rb", buffering=0) as opened:
                frame = opened.read()
        except FileNotFoundError:
            return None
        if not frame:
            raise DamagedFile(f"{file} is empty; `cellmetry study repair` makes what can be whole.")
        return frame

    def check(self, level: int, place: Sequence[int]) -> TileLevel:
        """Return a level if it has a tile at this place.

        Raises
        ------
        ParameterError
            If there is no such level or tile.
        """
        if not 0 <= level < len(self.levels):
            raise ParameterError(f"There is no resolution level {level}; there are {len(self.levels)}, from 0.")
        found = self.levels[level]
        if len(place) != len(found.count) or not all(0 <= at < n for at, n in zip(place, found.count, strict=True)):
            raise ParameterError(
                f"There is no tile {tuple(place)} at level {level}; there are {' × '.join(map(str, found.count))}."
            )
        return found

    def tile(self, level: int, place: Sequence[int]) -> NDArray[Any]:
        """Return the values of a tile, in the whole shape of tiles also at the edge.

        Raises
        ------
        DamagedFile
            If its bytes are not what was written.
        """
        found = self.check(level, place)
        frame = self.frame(level, place)
        if frame is None:
            return np.zeros(found.tile, found.dtype)
        return decode_tile(frame, found.tile, found.dtype, f"tile {tuple(place)} of level {level} of {self.path}")

    @staticmethod
    def _level(said: dict[str, Any]) -> TileLevel:
        codecs = [codec["name"] for codec in said["codecs"]]
        if codecs != ["bytes", "zstd"] or said["chunk_key_encoding"] != _KEYS or said["fill_value"] != 0:
            raise ValueError(f"levels are written with {', '.join(codecs)}")
        dtype = np.dtype(said["data_type"]).newbyteorder("<")
        tile = tuple(said["chunk_grid"]["configuration"]["chunk_shape"])
        return TileLevel(tuple(said["shape"]), tile, dtype)


@lru_cache(maxsize=256)
def tile_store(path: Path) -> TileStore:
    """Return the levels of a folder that never changes once it is there, its description read once."""
    return TileStore(path)


_CHECKSUM_BYTES = 4
_CODEC = Zstd(level=ZSTD_LEVEL, checksum=True)
_KEYS = {"name": "default", "configuration": {"separator": "/"}}


def encode_tile(values: NDArray[Any]) -> bytes:
    """Return the zstd frame of an array's values, little-endian, with a checksum."""
    raw = np.ascontiguousarray(values, values.dtype.newbyteorder("<"))
    return bytes(_CODEC.encode(raw))


def frame_checksum(frame: bytes | None) -> str:
    """Return the checksum of a tile's values that ends its zstd frame, with the frame's length; of no frame ``0``.

    Nothing is decoded, and whether it is right is not known: it tells two frames apart.
    """
    return "0" if frame is None else f"{len(frame):x}{frame[-_CHECKSUM_BYTES:].hex()}"


def decode_tile(frame: bytes, shape: Sequence[int], dtype: np.dtype[Any], name: str) -> NDArray[Any]:
    """Return the values of a zstd frame.

    Raises
    ------
    DamagedFile
        If its checksum or length is wrong; says `name`.
    """
    needed = int(np.prod(shape)) * dtype.itemsize
    try:
        raw = _CODEC.decode(frame)
    except (RuntimeError, ValueError) as error:
        raise DamagedFile(f"{name} is damaged ({error}); `cellmetry study repair` makes what can be whole.") from error
    if len(raw) != needed:
        raise DamagedFile(f"{name} is damaged: it holds {len(raw)} bytes instead of {needed}.")
    return np.frombuffer(raw, dtype).reshape(tuple(shape)).astype(dtype.newbyteorder("="), copy=True)
