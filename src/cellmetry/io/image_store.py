"""Images as OME-Zarr 0.5, written block by block with averaged resolution levels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import zarr
from zarr.codecs import ZstdCodec

from cellmetry.io.atomic import atomic_folder
from cellmetry.io.ngff import VERSION, multiscales
from cellmetry.io.pyramids import halved, halved_size, level_count, planes_of, read_bands

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cellmetry.core.image import Image

__all__ = ["write_image_store"]

CHUNK = 1024
_SMALLEST = 1024
_COLOURS = ("FFFFFF", "00FF00", "FF00FF", "00FFFF", "FFFF00", "FF8000", "0080FF", "80FF00")


def write_image_store(image: Image, path: Path, *, chunk: int | None = None, smallest: int | None = None) -> None:
    """Write `image` as an OME-Zarr folder, in memory for one band of rows.

    Parameters
    ----------
    chunk
        Side of a chunk in Y and X, and rows of a band; 1024 if left out.
    smallest
        Largest side that the coarsest level may have, likewise.
    """
    chunk, smallest = chunk or CHUNK, smallest or _SMALLEST
    with atomic_folder(path) as temporary:
        group = zarr.open_group(temporary, mode="a", zarr_format=3)
        level = _create(group, "0", image, image.shape, chunk)
        for plane in planes_of(image):
            for y, band in read_bands(image, plane, chunk):
                rows: tuple[Any, ...] = (*_lead(image, plane), slice(y, y + len(band)), slice(None))
                level[rows] = band
        count = level_count(image.shape[-2:], smallest)
        for number in range(1, count):
            level = _add_level(group, level, str(number), image, chunk)
        group.attrs["ome"] = {
            "version": VERSION,
            "multiscales": multiscales(image.axes, image.pixel_size, count, averaged=True),
            "omero": {"channels": [_channel(image, level, index) for index in range(len(image.channels))]},
        }


def _create(group: zarr.Group, name: str, image: Image, shape: tuple[int, ...], chunk: int) -> zarr.Array[Any]:
    return group.create_array(
        name,
        shape=shape,
        chunks=(*(1 for _ in shape[:-2]), *(min(chunk, size) for size in shape[-2:])),
        dtype=image.dtype.newbyteorder("="),
        fill_value=0,
        compressors=[ZstdCodec(level=3, checksum=True)],
        dimension_names=[axis.lower() for axis in image.axes],
        config={"write_empty_chunks": True},
    )


def _add_level(group: zarr.Group, finer: Any, name: str, image: Image, chunk: int) -> zarr.Array[Any]:
    shape = (*finer.shape[:-2], *map(halved_size, finer.shape[-2:]))
    level = _create(group, name, image, shape, chunk)
    for lead in np.ndindex(*shape[:-2]):
        for rows, columns in _blocks(shape, chunk):
            part = finer[(*lead, _doubled(rows), _doubled(columns))]
            level[(*lead, rows, columns)] = halved(np.asarray(part))
    return level


def _blocks(shape: tuple[int, ...], side: int) -> Iterator[tuple[slice, slice]]:
    height, width = shape[-2:]
    for y in range(0, height, side):
        for x in range(0, width, side):
            yield slice(y, min(y + side, height)), slice(x, min(x + side, width))


def _doubled(part: slice) -> slice:
    return slice(2 * part.start, 2 * part.stop)


def _lead(image: Image, plane: tuple[int, int, int]) -> tuple[int, ...]:
    places = dict(zip("TCZ", plane, strict=True))
    return tuple(places[axis] for axis in image.axes[:-2])


def _channel(image: Image, level: Any, index: int) -> dict[str, Any]:
    """Return name, colour and contrast (from the first plane of the coarsest level) of a channel, for viewers."""
    plane = np.asarray(level[_lead(image, (0, index, 0))])
    finite = plane[np.isfinite(plane)]
    low, high = (float(value) for value in np.percentile(finite, (1, 99.8))) if finite.size else (0.0, 1.0)
    whole = image.dtype.kind in "iu"
    limits = (0, 2**image.bit_depth - 1) if whole else (float(finite.min(initial=low)), float(finite.max(initial=high)))
    name, colour = image.channels[index][:2]
    return {
        "label": name,
        "color": (colour or f"#{_COLOURS[index % len(_COLOURS)]}").lstrip("#").upper(),
        "active": True,
        "window": {"min": limits[0], "max": limits[1], "start": low, "end": max(high, low)},
    }
