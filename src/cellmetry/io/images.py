"""Writing images: OME-TIFF and OME-Zarr, with channel names and pixel size, whatever their size."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
import tifffile

from cellmetry.errors import ParameterError
from cellmetry.io.atomic import atomic_write
from cellmetry.io.image_store import write_image_store
from cellmetry.io.label_tiff import ome_scale, resolution_tags
from cellmetry.io.pyramids import halved, halved_size, level_count, planes_of, read_bands

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from cellmetry.core.image import Image

__all__ = ["write_image"]

_TILE = 512
_LARGE_SIDE = 4096
_SMALLEST = 1024
_BIG = 3_500_000_000


def write_image(image: Image, path: str | Path) -> None:
    """Write `image` as OME-TIFF (``.tif``, ``.tiff``) or OME-Zarr 0.5 (``.zarr``), values unchanged.

    Planes with a side above 4096 pixels are tiled and get resolution levels by averaging; memory stays at a band
    of rows. A colour picture is written as RGB in TIFF and as three channels in OME-Zarr.

    Raises
    ------
    ParameterError, OutputError
        If the suffix is another, or writing fails.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix == ".zarr":
        write_image_store(image, path)
    elif suffix in {".tif", ".tiff"}:
        _write_tiff(image, path)
    else:
        raise ParameterError(f"An image cannot be written as {path.name!r}; use the suffix .ome.tif or .ome.zarr.")


def _write_tiff(image: Image, path: Path) -> None:
    large = max(image.sizes["Y"], image.sizes["X"]) > _LARGE_SIDE
    size = int(np.prod(image.source.shape)) * image.dtype.itemsize
    with (
        atomic_write(path) as temporary,
        TemporaryDirectory(
            prefix=".cellmetry-", suffix=".part", dir=path.parent, ignore_cleanup_errors=True
        ) as scratch,
        tifffile.TiffWriter(temporary, ome=True, bigtiff=size > _BIG) as writer,
    ):
        if large:
            _write_tiled(writer, image, Path(scratch))
        else:
            writer.write(_whole_planes(image), **_form(image), metadata=_metadata(image))


def _write_tiled(writer: tifffile.TiffWriter, image: Image, scratch: Path) -> None:
    count = level_count(image.shape[-2:], _SMALLEST)
    levels = _Levels(image, count, scratch)
    form = _form(image) | {"tile": (_TILE, _TILE)}
    with closing(levels):
        writer.write(levels.tiles(0), **form, subifds=count - 1, metadata=_metadata(image))
        for number in range(1, count):
            coarse = form | {"shape": levels.stored_shape(number), "resolution": None, "subfiletype": 1}
            writer.write(levels.tiles(number), **coarse, metadata=None)


class _Levels:
    """Tiles of each level, in the order of TIFF; the coarse ones wait in files beside the result."""

    def __init__(self, image: Image, count: int, scratch: Path) -> None:
        self.image = image
        self.shapes: list[tuple[int, ...]] = [image.source.shape]
        for _ in range(1, count):
            *lead, height, width = self.shapes[-1]
            self.shapes.append((*lead, halved_size(height), halved_size(width)))
        # Plain files: on a full disk they fail with an error, where mapped memory would kill the process.
        self.files = [(scratch / str(number)).open("w+b") for number in range(1, count)]

    def stored_shape(self, number: int) -> tuple[int, ...]:
        return _stored_shape(self.image, self.shapes[number])

    def tiles(self, number: int) -> Iterator[NDArray[Any]]:
        """Yield the tiles of a level and keep what the next one needs."""
        for group in _grouped_planes(self.image):
            for bands in zip(*(self._bands(number, plane) for plane in group), strict=True):
                for plane, (y, band) in zip(group, bands, strict=True):
                    self._keep(number + 1, plane, y // 2, band)
                yield from _tiles([band for _, band in bands])

    def _bands(self, number: int, plane: tuple[int, int, int]) -> Iterator[tuple[int, NDArray[Any]]]:
        if number == 0:
            yield from read_bands(self.image, plane, _TILE)
            return
        height, width = self.shapes[number][-2:]
        for y in range(0, height, _TILE):
            rows = min(_TILE, height - y)
            file = self.files[number - 1]
            file.seek(self._offset(number, plane, y))
            raw = file.read(rows * width * self.image.dtype.itemsize)
            yield y, np.frombuffer(raw, self.image.dtype).reshape(rows, width)

    def _keep(self, number: int, plane: tuple[int, int, int], y: int, finer: NDArray[Any]) -> None:
        if number < len(self.shapes):
            file = self.files[number - 1]
            file.seek(self._offset(number, plane, y))
            file.write(halved(finer).tobytes())

    def _offset(self, number: int, plane: tuple[int, int, int], y: int) -> int:
        *lead, height, width = self.shapes[number]
        index = int(np.ravel_multi_index(plane, lead))
        return (index * height + y) * width * self.image.dtype.itemsize

    def close(self) -> None:
        """Close the files, so that they can be removed on every system."""
        for file in self.files:
            file.close()


def _grouped_planes(image: Image) -> list[list[tuple[int, int, int]]]:
    """Return the planes that are stored together: one by one, or the three of a colour picture."""
    if not image.colour:
        return [[plane] for plane in planes_of(image)]
    times, _, depths = image.source.shape[:3]
    return [[(t, c, z) for c in range(3)] for t in range(times) for z in range(depths)]


def _tiles(bands: list[NDArray[Any]]) -> Iterator[NDArray[Any]]:
    for x in range(0, bands[0].shape[1], _TILE):
        parts = [band[:, x : x + _TILE] for band in bands]
        yield parts[0] if len(parts) == 1 else np.stack(parts, axis=-1)


def _whole_planes(image: Image) -> Iterator[NDArray[Any]]:
    for group in _grouped_planes(image):
        planes = [np.asarray(image.plane(t=t, c=c, z=z)) for t, c, z in group]
        yield planes[0] if len(planes) == 1 else np.stack(planes, axis=-1)


def _form(image: Image) -> dict[str, Any]:
    return {
        "shape": _stored_shape(image, image.source.shape),
        "dtype": image.dtype,
        "photometric": "rgb" if image.colour else "minisblack",
        "planarconfig": "contig" if image.colour else None,
        "compression": "zlib",
        "compressionargs": {"level": 6},  # no predictor: ImageJ 1.53 reads wrong values from zlib with one
    } | resolution_tags(image.pixel_size, per_cm=True)


def _stored_shape(image: Image, shape: tuple[int, ...]) -> tuple[int, ...]:
    sizes = dict(zip("TCZYX", shape, strict=True))
    axes = image.axes.replace("C", "") if image.colour else image.axes
    return (*(sizes[axis] for axis in axes), *((3,) if image.colour else ()))


def _metadata(image: Image) -> dict[str, Any]:
    axes = f"{image.axes.replace('C', '')}S" if image.colour else image.axes
    named: dict[str, Any] = {"Name": ["RGB"] if image.colour else list(image.channel_names)}
    colours = [channel.colour for channel in image.channels]
    if not image.colour and all(colours):
        named["Color"] = [_signed_rgba(str(colour)) for colour in colours]
    return {"axes": axes, "Name": image.name, "Channel": named} | ome_scale(image.pixel_size)


def _signed_rgba(colour: str) -> int:
    """Return a colour as OME-XML has it: red, green, blue, alpha in a signed 32-bit number."""
    value = int(f"{colour.lstrip('#')}ff", 16)
    return value - 2**32 if value >= 2**31 else value
