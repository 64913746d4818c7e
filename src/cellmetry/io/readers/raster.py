"""PNG, JPEG, BMP and WebP by Pillow; 16-bit colour PNG by imagecodecs, because Pillow would cut it to 8 bits."""

from __future__ import annotations

import warnings
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import imagecodecs
import numpy as np
from PIL import Image as Pillow

from cellmetry.core.image import UNKNOWN_PIXEL_SIZE, PixelSize
from cellmetry.errors import DamagedFile, LimitExceeded, UnsupportedFormat
from cellmetry.io.failures import file_name, reading
from cellmetry.io.reader import StoredScene
from cellmetry.io.readers.tiff_probe import check_ratio
from cellmetry.io.signatures import SIGNATURES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from cellmetry.io.reader import Index
    from cellmetry.io.signatures import Probe

__all__ = ["RasterReader"]

_PNG = b"\x89PNG\r\n\x1a\n"
_PRINT_UM = 20.0
_CACHE_BYTES = 64_000_000


class _Kind(NamedTuple):
    """How pixels of a Pillow mode are stored: dtype, samples per pixel (0: no axis), significant bits."""

    dtype: str
    samples: int = 0
    bits: int = 8


_KINDS = {
    "1": _Kind("u1", bits=1),
    "L": _Kind("u1"),
    "LA": _Kind("u1", 2),
    "RGB": _Kind("u1", 3),
    "RGBA": _Kind("u1", 4),
    "I;16": _Kind("u2", bits=16),
    "I;16B": _Kind("u2", bits=16),
    "I;16L": _Kind("u2", bits=16),
    "I": _Kind("i4", bits=32),
    "F": _Kind("f4", bits=32),
}
_PNG_16 = {2: _Kind("u2", 3, 16), 4: _Kind("u2", 2, 16), 6: _Kind("u2", 4, 16)}


class RasterReader:
    """PNG, JPEG, BMP and WebP."""

    title: ClassVar[str] = "a PNG, JPEG, BMP or WebP picture"

    @staticmethod
    def sniff(probe: Probe) -> bool:
        """Return whether the file begins as one of these formats does."""
        return SIGNATURES["raster"](probe)

    @staticmethod
    def scenes(path: str) -> list[StoredScene]:
        """Return the one picture of the file; of an animation the first."""
        name = file_name(path)
        try:
            with _opened(path) as picture:
                kind, mode = _kind(path, picture, name)
                shape = (picture.height, picture.width, kind.samples) if kind.samples else picture.size[::-1]
                notes = _notes(path, picture, name)
                size = _pixel_size(picture)
        except Pillow.DecompressionBombError as error:
            raise LimitExceeded(f"{name} would decode to too many pixels to be a picture: {error}") from error
        dtype = np.dtype(kind.dtype)
        check_ratio(int(np.prod(shape, dtype=np.int64)) * dtype.itemsize, Path(path).stat().st_size, name)
        store = _PictureStore(path, mode, tuple(shape), dtype)
        axes = "YXS" if kind.samples else "YX"
        return [StoredScene(store, axes, bit_depth=kind.bits, pixel_size=size, warnings=notes)]


class _PictureStore:
    """An `ArrayStore` over a picture, which can only be decoded whole; the last decoding is kept if small."""

    level_sizes: tuple[tuple[int, int], ...]

    def __init__(self, path: str, mode: str, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
        self.path, self.mode, self.shape, self.dtype = path, mode, shape, dtype
        self.level_sizes = ((shape[0], shape[1]),)
        self._pixels: NDArray[Any] | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_pixels": None}

    def read(self, index: Index, level: int = 0) -> NDArray[Any]:
        """Return a region."""
        if self._pixels is not None:
            return self._pixels[index]
        pixels = self._decode()
        if pixels.nbytes <= _CACHE_BYTES:
            self._pixels = pixels
        return pixels[index]

    def _decode(self) -> NDArray[Any]:
        with reading(self.path, "the picture"):
            if self.mode == "png16":
                pixels = imagecodecs.png_decode(Path(self.path).read_bytes())
            else:
                with _opened(self.path) as picture:
                    pixels = np.asarray(picture if picture.mode == self.mode else picture.convert(self.mode))
        if pixels.shape != self.shape:
            raise DamagedFile(f"{file_name(self.path)} decodes to {pixels.shape}, its header says {self.shape}.")
        return np.ascontiguousarray(pixels, dtype=self.dtype)


@contextmanager
def _opened(path: str) -> Iterator[Pillow.Image]:
    """Yield the picture without Pillow's word on large ones; its refusal of huge ones stays."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Pillow.DecompressionBombWarning)
        with Pillow.open(path) as picture:
            yield picture


def _kind(path: str, picture: Pillow.Image, name: str) -> tuple[_Kind, str]:
    """Return how pixels come out, and the mode to ask Pillow for (``png16`` for imagecodecs).

    Raises
    ------
    UnsupportedFormat
        If colours are CMYK, HSV or Lab.
    """
    header = _png_header(path)
    if header is not None and header.bits == 16 and header.colour in _PNG_16:
        return _PNG_16[header.colour], "png16"
    mode = picture.mode
    if mode in {"P", "PA"}:
        mode = "RGBA" if "transparency" in picture.info or mode == "PA" else "L" if _is_grey(picture) else "RGB"
    if mode == "YCbCr":
        mode = "RGB"
    if mode not in _KINDS:
        raise UnsupportedFormat(f"{name} stores {mode} colours, which are not intensities; save it as RGB first.")
    if mode == "I" and header is not None and header.bits == 16:
        return _Kind("u2", bits=16), mode
    return _KINDS[mode], mode


class _PngHeader(NamedTuple):
    bits: int
    colour: int


def _png_header(path: str) -> _PngHeader | None:
    """Return bit depth and colour type of a PNG; None for other formats."""
    with open(path, "rb") as file:
        head = file.read(26)
    return _PngHeader(head[24], head[25]) if head.startswith(_PNG) and len(head) == 26 else None


def _is_grey(picture: Pillow.Image) -> bool:
    """Return whether the palette of a picture maps every index to the grey of the same value."""
    palette = np.array(picture.getpalette("RGB") or [], np.uint8).reshape(-1, 3)
    return bool(len(palette) and (palette == np.arange(len(palette))[:, None]).all())


def _notes(path: str, picture: Pillow.Image, name: str) -> tuple[str, ...]:
    notes = []
    if picture.mode in {"P", "PA"} and not _is_grey(picture):
        notes.append(f"{name} is a palette picture; its colours were looked up.")
    if picture.format in {"JPEG", "MPO"} or (picture.format == "WEBP" and not _is_lossless_webp(path)):
        notes.append(f"{name} is {picture.format}-compressed (lossy); intensities are approximate.")
    header = _png_header(path)
    if header is not None and header.colour == 0 and header.bits in {2, 4}:
        notes.append(f"{name} has {header.bits}-bit greys, which were stretched to 0–255.")
    frames = getattr(picture, "n_frames", 1)
    if frames > 1:
        notes.append(f"{name} is an animation of {frames} frames; only the first is read.")
    return tuple(notes)


def _is_lossless_webp(path: str) -> bool:
    with open(path, "rb") as file:
        return b"VP8L" in file.read(64)


def _pixel_size(picture: Pillow.Image) -> PixelSize:
    """Return the pixel size where the resolution is finer than any print."""
    dpi = picture.info.get("dpi")
    if not dpi or min(dpi) <= 0 or 25_400 / min(dpi) > _PRINT_UM:
        return UNKNOWN_PIXEL_SIZE
    return PixelSize(25_400 / float(dpi[0]), 25_400 / float(dpi[1]))
