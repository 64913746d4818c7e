"""`StoredPlanes`: the planes of an `Image` read from a file, on demand, through an `ArrayStore`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cellmetry.errors import LimitExceeded, ParameterError
from cellmetry.settings import current_settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from cellmetry.core.image import Box
    from cellmetry.io.reader import ArrayStore

__all__ = ["StoredPlanes"]

_CACHE_BYTES = 64_000_000


class StoredPlanes:
    """A `PixelSource` over a file. It holds no open file and can be sent to other processes.

    Parameters
    ----------
    store
        Pixels as the file lays them out.
    letters
        One of T, C, Z, Y, X, S or ``1`` (left out) per axis of `store`.
    n_samples
        How many colour samples become channels (without alpha).
    name
        The file's name, for messages.
    """

    def __init__(self, store: ArrayStore, letters: str, n_samples: int, name: str) -> None:
        self.store, self.letters, self.n_samples, self.name = store, letters, n_samples, name
        self._recent: tuple[object, NDArray[Any]] | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_recent": None}

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the values, in this machine's byte order; 1-bit pictures are uint8 with 0 and 1."""
        dtype = self.store.dtype
        return np.dtype(np.uint8) if dtype.kind == "b" else dtype.newbyteorder("=")

    @property
    def shape(self) -> tuple[int, int, int, int, int]:
        """Sizes along T, C, Z, Y and X."""
        size = dict(zip(self.letters, self.store.shape, strict=True))
        return size.get("T", 1), size.get("C", 1) * self.n_samples, size.get("Z", 1), size["Y"], size["X"]

    @property
    def level_shapes(self) -> tuple[tuple[int, int], ...]:
        """Height and width of each resolution level."""
        return self.store.level_sizes if len(self.store.level_sizes) > 1 else (self.shape[3:],)

    def read(self, t: int, c: int, z: int, box: Box, level: int = 0) -> NDArray[Any]:
        """Return the pixels of `box` of one plane at one resolution level.

        Raises
        ------
        ParameterError
            If there is no such plane, level or region.
        LimitExceeded
            If the region is larger than the limit for one plane.
        """
        self._check(t, c, z, box, level)
        place = {"1": 0, "T": t, "Z": z, "C": c // self.n_samples, "S": c % self.n_samples}
        if "S" not in self.letters or self.n_samples == 1:
            return self._read(place, box, level)
        key = (t, c // self.n_samples, z, box, level)
        recent = self._recent
        if recent is None or recent[0] != key:
            pixels = self._read({**place, "S": slice(0, self.n_samples)}, box, level)
            recent = key, pixels
            self._recent = recent if pixels.nbytes <= _CACHE_BYTES else None
        return np.ascontiguousarray(recent[1][c % self.n_samples])

    def _read(self, place: Mapping[str, int | slice], box: Box, level: int) -> NDArray[Any]:
        """Return pixels of shape (Y, X), or (S, Y, X) where `place` has a slice of samples."""
        rows, columns = box.slices
        where = {**place, "Y": rows, "X": columns}
        pixels = self.store.read(tuple(where[letter] for letter in self.letters), level)
        kept = [letter for letter in self.letters if isinstance(where[letter], slice)]
        order = [kept.index(letter) for letter in "SYX" if letter in kept]
        return np.ascontiguousarray(np.transpose(pixels, order), dtype=self.dtype)

    def _check(self, t: int, c: int, z: int, box: Box, level: int) -> None:
        n_t, n_c, n_z, *_ = self.shape
        if not (0 <= t < n_t and 0 <= c < n_c and 0 <= z < n_z):
            raise ParameterError(f"{self.name} has no plane t={t}, c={c}, z={z}; it has {n_t} × {n_c} × {n_z}.")
        if not 0 <= level < len(self.level_shapes):
            raise ParameterError(f"{self.name} has no resolution level {level}; it has {len(self.level_shapes)}.")
        height, width = self.level_shapes[level]
        if not (0 <= box.y0 <= box.y1 <= height and 0 <= box.x0 <= box.x1 <= width):
            raise ParameterError(f"{tuple(box)} is not inside {self.name} of {height} × {width} pixels.")
        decoded, limit = box.shape[0] * box.shape[1] * self.dtype.itemsize, current_settings().max_plane_bytes
        if decoded > limit:
            raise LimitExceeded(
                f"{self.name}: {box.shape[0]} × {box.shape[1]} pixels need {decoded / 1e9:.1f} GB at once, above the "
                f"limit of {limit / 1e9:.1f} GB; read smaller regions or raise CELLMETRY_MAX_PLANE_BYTES."
            )
